//! Packet formats: bytes are parsed once into checked headers; nothing above this layer indexes a packet.

pub mod tcp;
