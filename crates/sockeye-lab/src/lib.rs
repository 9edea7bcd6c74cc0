//! Many hosts, sans-IO: who is joined to whom, and packets carried between them.
//!
//! In: hosts, links, the clock. Out: a deadline, and whatever the hosts themselves tell. A lab has one clock and
//! does no I/O; its owner calls [`Lab::settle`] after every change and at every deadline.
//!
//! ```text
//!    Host a --- interface 2 ]=== link ===[ interface 2 --- Host b
//! ```
//!
//! A link is ideal (packets arrive at once and in order) or has a [`link::Path`] for each direction: rate, queue,
//! delay, jitter, loss, duplication, reordering, corruption; and it can be cut. What happens to a packet follows
//! from the lab's seed and from who the packet is ([`identity`]), not from when it is sent. A watched lab tells of
//! every packet and its fate ([`Tap`]); [`capture`] writes that down.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

pub mod capture;
pub mod identity;
pub mod impair;
mod lab;
pub mod link;
mod tap;
pub mod units;
pub mod view;

pub use lab::{HostId, Lab, LinkId, PacketName, Port};
pub use tap::Tap;
