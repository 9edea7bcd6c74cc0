//! The socket layer and TCP/IP stack of Sockeye inside a program: labs of hosts and links, in real time or in
//! simulated time, with the sockets of `std::net` and of `tokio::net`.
//!
//! A [`Lab`] is what `sockeye run` makes around programs, as a value: hosts with addresses, ports and names of their
//! own, joined by links that delay and lose as you like. Nothing of it touches the machine's network, needs a
//! privilege, or is a global: 500 tests of one process can each have port 8080.
//!
//! ```text
//!    your threads           your tasks (tokio, or the simulation's executor)
//!         |                      |
//!    net::TcpStream ...     aio::TcpStream ...          sockets after std::net, tokio::net, socket2
//!         |                      |
//!         +----------+-----------+
//!                    v
//!          running: one lock a lab, a bell for each socket that waits, timers
//!                    |                                   ^
//!                    v                                   | deadlines: the lab's thread (real time)
//!          lab (sockeye-lab): hosts, links, fates        | or the executor that moves the clock (sim)
//!                    |                                   |
//!          core (sockeye-core): one host: sockets, TCP, UDP, ICMP, IP
//!                    |
//!          Device: packets that leave the lab, if you plug one in
//! ```
//!
//! | you want | see |
//! |---|---|
//! | threads and blocking sockets in real time | [`Lab::builder`], [`net`] |
//! | async sockets under tokio or another executor | [`aio`], the feature `tokio` |
//! | the same code in simulated time, repeatable from a seed | [`Lab::simulated`], [`sim`] |
//! | a failing seed made small | [`sim::explore`] |
//! | links, partitions, crashes | [`Link`], [`Lab::set_link`], [`Lab::partition`], [`LabHost::crash`] |
//! | what went over the links | [`LabBuilder::capture`], [`Lab::capture`] |
//! | packets in and out of the lab | [`Device`] |
//! | Unix-domain sockets, with sockets handed over | [`net::unix`], [`aio::UnixStream`] |
//! | HTTP clients of hyper-util over a lab | `connector`, the feature `hyper` |
//! | the engine itself, without any of this | [`core`], [`lab`] |
//!
//! Errors are `std::io::Error` with this platform's number for what Linux would answer, so `kind()` is that of
//! `std::net`. A panic of the engine is a bug of ours; whoever calls the lab afterwards panics too.
//!
//! [`standard`], [`names`] and [`Clock`] are what `sockeye run` is made of.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod aio;
mod builder;
pub mod clock;
#[cfg(feature = "hyper")]
pub mod connector;
mod lab_handle;
mod link;
pub mod names;
pub mod net;
mod running;
pub mod sim;
pub mod standard;
pub mod time;
mod trace;

pub use builder::{LabBuilder, SimulationBuilder};
pub use clock::Clock;
pub use lab_handle::{Lab, LabHost};
pub use link::Link;
pub use running::device::Device;
pub use sockeye_core as core;
pub use sockeye_core::Instant;
pub use sockeye_core::host::HostConfig;
pub use sockeye_lab as lab;
pub use trace::LostPacket;

/// The guide's examples are tests.
#[cfg(doctest)]
mod guide {
    #[doc = include_str!("../../../docs/guide/src/labs.md")]
    struct Labs;
    #[doc = include_str!("../../../docs/guide/src/rust-tests.md")]
    struct RustTests;
    #[doc = include_str!("../../../docs/guide/src/simulation.md")]
    struct Simulation;
}
