//! IP: where a packet goes ([`route`]), what comes in ([`input`]), what goes out ([`output`]), pieces
//! ([`fragment`]) and groups ([`multicast`]).

pub(crate) mod fragment;
pub(crate) mod input;
pub(crate) mod multicast;
pub(crate) mod output;
pub mod route;
