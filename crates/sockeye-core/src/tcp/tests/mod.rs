//! Protocol tests: two connections in simulated time.

mod basics;
mod bench;
pub(crate) mod harness;
mod robust;
mod timing;
