//! Carriers: the kernel sockets that stand in programs' descriptor tables, and our ends of them.
//!
//! [`stream`] carries bytes both ways, [`listen`] brings connections to listening carriers, [`filler`] keeps a
//! carrier looking as if it were still connecting, [`datagram`] and [`senders`] put datagrams into carriers,
//! [`reset`] makes a program see what TCP would have shown it.

pub(crate) mod datagram;
pub(crate) mod direct;
mod errors;
pub(crate) mod filler;
pub(crate) mod link;
pub(crate) mod listen;
pub(crate) mod reset;
pub(crate) mod senders;
pub(crate) mod stream;
