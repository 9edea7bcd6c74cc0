//! Protocol tests: two connections in simulated time.

mod basics;
mod bench;
mod chaos;
pub(crate) mod harness;
mod robust;
mod timing;
