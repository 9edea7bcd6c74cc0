//! The socket layer: where a call and a packet meet.
//!
//! [`table`] holds what a socket is, [`bind`] who holds which port, [`demux`] whom a packet is for, [`flow`]
//! what has four values (connections, requests, TIME-WAITs), [`arrive`] and [`drain`] the two ways of a
//! segment, [`ephemeral`] the choice of ports, [`isn`] of sequence numbers, [`cookies`] what a flooded listener answers,
//! [`saved_syn`] what is kept of a SYN.

pub(crate) mod arrive;
pub(crate) mod bind;
mod cookies;
pub(crate) mod demux;
pub(crate) mod drain;
pub(crate) mod ephemeral;
pub(crate) mod fast_open;
pub(crate) mod flow;
pub(crate) mod isn;
pub(crate) mod listener;
pub(crate) mod saved_syn;
pub(crate) mod settle;
pub(crate) mod table;
