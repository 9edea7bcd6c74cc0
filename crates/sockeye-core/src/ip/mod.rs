//! IP: where a packet goes ([`route`]), what comes in ([`input`]), what goes out ([`output`]), and pieces
//! ([`fragment`]).

pub(crate) mod fragment;
pub(crate) mod input;
pub(crate) mod output;
pub mod route;
