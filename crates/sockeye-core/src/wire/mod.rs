//! Packet formats: bytes are parsed once into checked headers; nothing above this layer indexes a packet.

mod error;
pub mod tcp;

pub use error::WireError;
