//! `libsockeye`: the stack behind a C interface.
//!
//! [`c`] is the library: the BSD calls over hosts of a lab (include/sockeye.h). [`packetdrill`] is what packetdrill asks
//! a shared object for: one host in simulated time whose socket calls and network device are functions in a struct.
#![cfg(target_os = "linux")]
// This crate is the edge to C: pointers come in and are checked here, nowhere else.
#![allow(unsafe_code)]

mod c;
mod packetdrill;
