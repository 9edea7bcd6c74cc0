//! The cases: each a name, a peer, a target and the function that measures both by turns.

mod bulk;
mod connect;
mod goodput;
pub(crate) mod hot;
mod latency;
mod links;
mod programs;
mod services;

use crate::case::{Case, Target, Unit};
pub(crate) use links::timed_trips;

/// All of them, the most important first.
pub(crate) fn all() -> Vec<Case> {
    [IN_PROCESS, PROGRAMS, LINKS].concat()
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
    bytes("inside-unix-64k", "our-tcp", Target::Ratio(1.5), bulk::unix_of_our_tcp),
    bytes("inside-unix-64k-kernel", "kernel-unix", Target::None, bulk::unix_of_kernel),
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
    bytes("goodput-reno-1%", "smoltcp", Target::None, goodput::reno_1),
    bytes("goodput-cubic-1%", "smoltcp", Target::None, goodput::cubic_1),
    bytes("goodput-reno-0.1%", "smoltcp", Target::None, goodput::reno_01),
    bytes("goodput-cubic-0.1%", "smoltcp", Target::None, goodput::cubic_01),
];

/// Under `sockeye run`, beside the kernel's loopback TCP.
const PROGRAMS: &[Case] = &[
    rate("engine-roundtrip", "kernel-tcp", Target::Ratio(0.6), programs::roundtrip_engine),
    rate("engine-messages-64", "kernel-tcp", Target::Ratio(1.5), programs::messages_engine),
    bytes("engine-bulk-64k", "kernel-tcp", Target::Ratio(0.6), programs::bulk_engine),
    rate("engine-connect", "kernel-tcp", Target::Ratio(0.6), programs::connect_engine),
    rate("direct-roundtrip", "kernel-tcp", Target::Ratio(1.6), programs::roundtrip_direct),
    rate("direct-messages-64", "kernel-tcp", Target::Ratio(2.5), programs::messages_direct),
    bytes("direct-bulk-64k", "kernel-tcp", Target::Ratio(1.0), programs::bulk_direct),
    rate("direct-connect", "kernel-tcp", Target::Ratio(0.7), programs::connect_direct),
    rate("engine-redis", "kernel-tcp", Target::Ratio(0.7), services::redis_engine),
    rate("direct-redis", "kernel-tcp", Target::Ratio(1.2), services::redis_direct),
    rate("engine-nginx", "kernel-tcp", Target::Ratio(0.7), services::nginx_engine),
    rate("direct-nginx", "kernel-tcp", Target::Ratio(1.2), services::nginx_direct),
    cost("run-true", "true", Unit::Seconds, Target::AtMost(8e-3), programs::startup),
];

const LINKS: &[Case] = &[
    rate("links-1", "smoltcp", Target::AtLeast(1e6), links::one),
    rate("links-1-jitter", "smoltcp", Target::None, links::one_with_jitter),
    rate("links-10", "smoltcp", Target::None, links::ten),
    rate("links-100", "smoltcp", Target::None, links::hundred),
    cost("link-delay-error", "kernel-sleep", Unit::Seconds, Target::None, links::delay_error),
];
