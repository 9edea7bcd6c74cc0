//! The settings of the network namespace are the host's: `net.ipv4.tcp_*`.
//!
//! Scripts set them by commands, for the kernel. They run in a namespace of their own, so that nobody else's
//! change, and here they are read back before a socket, a connection or a packet comes to be.

use sockeye_core::Host;
use sockeye_core::tcp::{Congestion, CookieKeys, Limits};
use std::fs;
use std::str::FromStr;

/// Reads what the namespace says.
pub(super) fn follow(host: &mut Host) {
    let mut limits = host.tcp_limits().clone();
    read_limits(&mut limits);
    limits.pacing = is_fair_queue();
    host.set_tcp_limits(limits);
}

/// How often the script has flushed what is remembered of peers: the runner's `ip` notes it, in a file whose name is
/// in the environment.
pub(super) fn flushes() -> u64 {
    let file = std::env::var_os("SOCKEYE_FLUSHES");
    file.and_then(|file| fs::metadata(file).ok()).map_or(0, |file| file.len())
}

/// Whether the script has asked for `fq`, which paces: the runner's `tc` notes its last command.
fn is_fair_queue() -> bool {
    let file = std::env::var_os("SOCKEYE_QDISC");
    let command = file.and_then(|file| fs::read_to_string(file).ok()).unwrap_or_default();
    command.split_whitespace().any(|word| word == "fq")
}

/// What `nstat` would say of the host, for the runner's `nstat`: written when it has changed.
pub(super) fn tell_counters(host: &Host, told: &mut u64) {
    let icmps = host.tcp_counters().out_of_window_icmps;
    if core::mem::replace(told, icmps) != icmps
        && let Some(file) = std::env::var_os("SOCKEYE_COUNTERS")
    {
        let _ = fs::write(file, format!("TcpExtOutOfWindowIcmps {icmps} 0.0\n"));
    }
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
    set(&mut limits.slow_start_after_idle, number::<u8>("tcp_slow_start_after_idle").map(|on| on != 0));
    set(&mut limits.burst_segments_min, number("tcp_min_tso_segs"));
    set(&mut limits.notsent_lowat, number("tcp_notsent_lowat"));
    set(&mut limits.mtu_probing, number("tcp_mtu_probing"));
    set(&mut limits.base_mss, number("tcp_base_mss"));
    set(&mut limits.ecn, number("tcp_ecn"));
    set(&mut limits.fast_open, number("tcp_fastopen"));
    set(&mut limits.syn_cookies, number("tcp_syncookies"));
    set(&mut limits.fast_open_keys, text("tcp_fastopen_key").and_then(|keys| keys_of(&keys)));
    // Not the namespace's: its kernel may not have what the script asks for. The runner's `sysctl` notes it.
    let name = std::env::var_os("SOCKEYE_CONGESTION").and_then(|file| fs::read_to_string(file).ok());
    set(&mut limits.congestion, name.and_then(|name| Congestion::from_name(name.trim().as_bytes())));
}

/// `tcp_fastopen_key`: four words of a key in hexadecimal, and perhaps another key behind a comma.
fn keys_of(text: &str) -> Option<CookieKeys> {
    let key = |text: &str| {
        let words: Vec<u8> = text
            .split('-')
            .map(|word| u32::from_str_radix(word, 16).map(u32::to_le_bytes))
            .collect::<Result<Vec<_>, _>>()
            .ok()?
            .concat();
        words.try_into().ok()
    };
    text.split(',').take(2).map(key).collect()
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
