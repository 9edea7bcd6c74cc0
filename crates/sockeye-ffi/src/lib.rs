//! `libsockeye`: the stack behind a C interface.
//!
//! So far it holds what packetdrill asks a shared object for ([`packetdrill`]): one host in simulated time whose
//! socket calls and network device are functions in a struct.
#![cfg(target_os = "linux")]
// This crate is the edge to C: pointers come in and are checked here, nowhere else.
#![allow(unsafe_code)]

mod packetdrill;
