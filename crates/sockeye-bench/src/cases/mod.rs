//! The cases: each a name, a peer, a target and the function that measures both by turns.

mod bulk;

use crate::case::{Case, Target, Unit};

/// All of them, the most important first.
pub fn all() -> Vec<Case> {
    IN_PROCESS.to_vec()
}

const fn rate(name: &'static str, peer: &'static str, target: Target, run: Run) -> Case {
    Case { name, peer, unit: Unit::PerSecond, target, run }
}

const fn bytes(name: &'static str, peer: &'static str, target: Target, run: Run) -> Case {
    Case { name, peer, unit: Unit::BytesPerSecond, target, run }
}

type Run = fn(&crate::measure::Plan) -> anyhow::Result<Vec<crate::case::Pair>>;

const IN_PROCESS: [Case; 10] = [
    bytes("bulk-1500", "smoltcp", Target::Ratio(2.0), bulk::mtu_1500),
    bytes("bulk-1500-copy", "memcpy", Target::Ratio(0.55), bulk::mtu_1500_of_copy),
    bytes("bulk-1500-tcp", "kernel-tcp", Target::None, bulk::mtu_1500_of_tcp),
    bytes("bulk-64k", "smoltcp-offload", Target::Ratio(1.9), bulk::block_64k),
    bytes("bulk-64k-tcp", "kernel-tcp", Target::Ratio(2.0), bulk::block_64k_of_tcp),
    bytes("bulk-64k-unix", "kernel-unix", Target::Ratio(1.6), bulk::block_64k_of_unix),
    bytes("bulk-64k-copy", "memcpy", Target::None, bulk::block_64k_of_copy),
    bytes("bulk-64k-checksums", "smoltcp", Target::None, bulk::block_64k_summed),
    bytes("bulk-64k-borrowed", "smoltcp-offload", Target::AtLeast(18e9), bulk::borrowed),
    bytes("bulk-64k-in-place", "smoltcp-offload", Target::None, bulk::in_place),
];
