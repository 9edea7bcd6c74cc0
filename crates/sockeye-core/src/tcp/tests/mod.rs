//! Protocol tests: two connections in simulated time.

mod basics;
mod bench;
mod chaos;
pub(crate) mod harness;
mod recovery;
mod robust;
mod sending;
mod timing;
mod urgent;
