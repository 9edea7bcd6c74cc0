//! The arguments of a call as text, by their names, as strace(1) writes them.

use crate::address::{self, Family};
use crate::call::{Call, Memory};
use sockeye_core::options::table;

fn address_argument(memory: &Memory<'_>, at: u64, len: i32) -> String {
    if at == 0 {
        return "NULL".into();
    }
    let Ok(bytes) = memory.address(at, len) else { return format!("{at:#x}, {len}") };
    let inet = address::for_bind(Family::Inet, &bytes);
    match inet.or_else(|_| address::for_bind(Family::Inet6, &bytes)) {
        Ok(address) => address.to_string(),
        Err(_) => match bytes.get(..2).map(|f| u16::from_ne_bytes([f[0], f[1]])) {
            Some(0) => "AF_UNSPEC".into(),
            Some(family) => format!("{{sa_family={family}}}"),
            None => format!("{at:#x}, {len}"),
        },
    }
}

fn family(n: i32) -> String {
    match n {
        libc::AF_INET => "AF_INET".into(),
        libc::AF_INET6 => "AF_INET6".into(),
        libc::AF_NETLINK => "AF_NETLINK".into(),
        libc::AF_PACKET => "AF_PACKET".into(),
        n => n.to_string(),
    }
}

fn socket_type(n: i32) -> String {
    let mut text = match n & 0xf {
        libc::SOCK_STREAM => "SOCK_STREAM".to_string(),
        libc::SOCK_DGRAM => "SOCK_DGRAM".to_string(),
        libc::SOCK_RAW => "SOCK_RAW".to_string(),
        n => n.to_string(),
    };
    for (bit, name) in [(libc::SOCK_CLOEXEC, "|SOCK_CLOEXEC"), (libc::SOCK_NONBLOCK, "|SOCK_NONBLOCK")] {
        if n & bit != 0 {
            text.push_str(name);
        }
    }
    text
}

fn option(level: i32, number: i32) -> String {
    match table::find(level, number) {
        Some(entry) => entry.name.into(),
        None => format!("level={level}, name={number}"),
    }
}

/// All of a call's arguments.
pub(super) fn arguments(call: &Call, memory: &Memory<'_>) -> String {
    let (fd, a) = (call.int(0), &call.args);
    match call.nr {
        libc::SYS_socket => format!("{}, {}, {}", family(fd), socket_type(call.int(1)), call.int(2)),
        libc::SYS_bind | libc::SYS_connect => {
            format!("{fd}, {}", address_argument(memory, a[1], call.int(2)))
        }
        libc::SYS_listen => format!("{fd}, {}", call.int(1)),
        libc::SYS_shutdown => {
            let how = ["SHUT_RD", "SHUT_WR", "SHUT_RDWR"].get(a[1] as usize).copied().unwrap_or("?");
            format!("{fd}, {how}")
        }
        libc::SYS_setsockopt => {
            let value = memory.int(a[3]).map_or_else(|_| format!("{:#x}", a[3]), |v| format!("[{v}]"));
            format!("{fd}, {}, {value}", option(call.int(1), call.int(2)))
        }
        libc::SYS_getsockopt => format!("{fd}, {}", option(call.int(1), call.int(2))),
        libc::SYS_sendto => {
            format!(
                "{fd}, {} bytes, flags={:#x}, {}",
                a[2],
                a[3],
                address_argument(memory, a[4], call.int(5))
            )
        }
        libc::SYS_recvfrom => format!("{fd}, room for {} bytes, flags={:#x}", a[2], a[3]),
        libc::SYS_ioctl => format!("{fd}, {:#x}", a[1]),
        _ => format!("{fd}"),
    }
}
