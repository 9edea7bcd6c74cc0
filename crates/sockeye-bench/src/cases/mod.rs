//! The cases: each a name, a peer, a target and the function that measures both by turns.

mod bulk;
mod connect;
mod latency;

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

const fn cost(name: &'static str, peer: &'static str, unit: Unit, target: Target, run: Run) -> Case {
    Case { name, peer, unit, target, run }
}

const IN_PROCESS: &[Case] = &[
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
    rate("roundtrip-tcp", "smoltcp", Target::Ratio(2.0), latency::tcp),
    rate("roundtrip-tcp-kernel", "kernel-tcp", Target::None, latency::tcp_of_kernel),
    rate("roundtrip-tcp-unix", "kernel-unix", Target::None, latency::tcp_of_unix),
    rate("roundtrip-udp", "smoltcp", Target::Ratio(1.7), latency::udp),
    rate("roundtrip-udp-kernel", "kernel-udp", Target::None, latency::udp_of_kernel),
    rate("connect", "smoltcp", Target::Ratio(1.5), connect::alone),
    rate("connect-idle-1k", "smoltcp", Target::None, connect::beside_1k),
    rate("connect-idle-10k", "smoltcp", Target::None, connect::beside_10k),
    rate("connect-kept-at-10k", "ours-alone", Target::None, connect::kept_at_10k),
    rate("connect-kept-at-100k", "ours-alone", Target::Ratio(0.8), connect::kept_at_100k),
    cost("idle-memory", "smoltcp", Unit::Bytes, Target::AtMost(512.0), connect::memory),
    rate("udp-64", "smoltcp", Target::Ratio(2.0), latency::datagrams_64),
    rate("udp-64-batch", "smoltcp", Target::Ratio(2.0), latency::batches_64),
    rate("udp-1400", "smoltcp", Target::Ratio(2.0), latency::datagrams_1400),
    rate("udp-1400-batch", "smoltcp", Target::Ratio(2.0), latency::batches_1400),
];
