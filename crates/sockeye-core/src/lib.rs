//! One host's sockets and protocols, sans-IO.
//!
//! A [`Host`] is what an operating system keeps between its programs and its network cards: the table of
//! sockets, the ports, TCP, UDP, ICMP, IP and the interfaces. It does no I/O, reads no clock, starts no
//! thread and holds no waker. Whoever owns it drives it:
//!
//! ```text
//!        calls (socket, bind, connect, send, ...)          events: readiness, new connections
//!                     |                                              ^
//!                     v                                              |
//!   +------------------------------- Host -------------------------------------------+
//!   |  call/ -> socket/ (table, bind, demux, readiness) -> tcp/ udp icmp -> ip/ -> wire/ |
//!   +---------------------------------------------------------------------------------+
//!          ^                      ^                       |                    |
//!       deliver(packet)      advance(now)          transmit(budget)     next_deadline()
//! ```
//!
//! Calls never block: they answer, or say [`Errno::EAGAIN`] and an event follows. Time is an argument
//! ([`Instant`], nanoseconds), randomness is the seeded generator of the configuration.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod call;
pub mod config;
pub mod counters;
pub mod errno;
pub mod filter;
pub mod host;
mod icmp;
pub mod iface;
pub mod ip;
pub mod netlink;
pub mod options;
pub mod packet;
mod raw;
pub mod readiness;
pub mod rng;
mod socket;
pub mod tcp;
pub mod time;
pub mod timer;
mod udp;
pub mod unix;
pub mod wire;

pub use errno::Errno;
pub use host::{Host, HostConfig, SocketId};
pub use packet::{Packet, Payload};
pub use readiness::Readiness;
pub use time::Instant;
