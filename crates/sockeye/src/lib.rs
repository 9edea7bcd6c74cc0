//! A running lab: real time, names, and what a single host is made of.
//!
//! `sockeye-lab` is told the time; this crate reads it ([`Clock`]). [`standard`] says what the one host of
//! `sockeye run` looks like, [`names`] answers the questions that its programs ask a nameserver.
#![forbid(unsafe_code)]

pub mod clock;
pub mod names;
pub mod standard;

pub use clock::Clock;
pub use sockeye_core as core;
pub use sockeye_lab as lab;
