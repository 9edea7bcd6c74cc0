//! The settings of the network namespace are the host's: `net.ipv4.tcp_*`.
//!
//! Scripts set them by commands, for the kernel. They run in a namespace of their own, so that nobody else's
//! change, and here they are read back before a socket, a connection or a packet comes to be.

use sockeye_core::Host;
use sockeye_core::tcp::{Congestion, Limits};
use std::fs;
use std::str::FromStr;

/// Reads what the namespace says.
pub(super) fn follow(host: &mut Host) {
    let mut limits = host.tcp_limits().clone();
    read_limits(&mut limits);
    host.set_tcp_limits(limits);
}

fn read_limits(limits: &mut Limits) {
    set(&mut limits.timestamps, number::<u8>("tcp_timestamps").map(|on| on != 0));
    set(&mut limits.sack, number::<u8>("tcp_sack").map(|on| on != 0));
    set(&mut limits.window_scaling, number::<u8>("tcp_window_scaling").map(|on| on != 0));
    set(&mut limits.synack_retries, number("tcp_synack_retries"));
    set(&mut limits.retries, number("tcp_retries2"));
    if let Some([_, _, most]) = three("tcp_rmem") {
        limits.receive_buffer_max = most;
    }
    if let Some([_, initial, most]) = three("tcp_wmem") {
        limits.send_buffer_max = most;
        limits.send_buffer_initial = initial;
    }
    let name = text("tcp_congestion_control");
    set(&mut limits.congestion, name.and_then(|name| Congestion::from_name(name.as_bytes())));
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn text(name: &str) -> Option<String> {
    let value = fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()?;
    Some(value.trim().to_string())
}

fn number<T: FromStr>(name: &str) -> Option<T> {
    text(name)?.parse().ok()
}

fn three(name: &str) -> Option<[u32; 3]> {
    let all: Vec<u32> = text(name)?.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    all.try_into().ok()
}
