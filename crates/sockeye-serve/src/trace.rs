//! `--trace`: one line for each notified call, as strace(1) writes them, and one for each portion of plain bytes.

use crate::address::{self, Family};
use crate::call::{self, Answer, Call, Memory, Outcome};
use crate::served::Key;
use crate::server::Server;
use sockeye_core::{Errno, Instant};
use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;

/// Where the lines go, and the calls that are not over.
#[derive(Debug)]
pub(crate) struct Trace {
    out: File,
    begun: HashMap<u64, Begun>,
}

/// A call that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    call: Call,
    arguments: String,
    at: Instant,
}

impl Trace {
    pub(crate) fn new(out: File) -> Self {
        Self { out, begun: HashMap::new() }
    }

    pub(crate) fn begin(&self, call: &Call, server: &Server) -> Begun {
        let memory = Memory::new(call, server.listener.as_fd());
        Begun { call: *call, arguments: arguments(call, &memory), at: server.clock.now() }
    }

    /// The call is held: its line comes when it is answered.
    pub(crate) fn keep(server: &mut Server, begun: Begun) {
        if let Some(trace) = &mut server.trace {
            trace.begun.insert(begun.call.id, begun);
        }
    }

    pub(crate) fn end_kept(server: &mut Server, call: &Call, answer: Answer) {
        let begun = server.trace.as_mut().and_then(|t| t.begun.remove(&call.id));
        if let Some(begun) = begun {
            Self::end(server, &begun, answer);
        }
    }

    pub(crate) fn end(server: &mut Server, begun: &Begun, answer: Answer) {
        let now = server.clock.now();
        let Some(trace) = &mut server.trace else { return };
        let result = match answer {
            // Not about a socket of ours: the kernel's own business.
            Ok(Outcome::Proceed) => return,
            Ok(Outcome::Value(n) | Outcome::Answered(n)) => n.to_string(),
            Ok(Outcome::Held) => "?".into(),
            Err(Errno(crate::abi::ERESTARTSYS)) => "? ERESTARTSYS (To be restarted or interrupted)".into(),
            Err(errno) => format!("-1 {errno}"),
        };
        let call = &begun.call;
        let took = now.since(begun.at);
        let _ = writeln!(
            trace.out,
            "[{}] {}({}) = {result} <{:.6}>",
            call.tid,
            call::name(call.nr),
            begun.arguments,
            took.as_secs_f64()
        );
    }
}

impl Server {
    /// Notes bytes that went past without a notified call.
    pub(crate) fn trace_bytes(&mut self, key: Key, what: &str, n: usize) {
        if n == 0 || self.trace.is_none() {
            return;
        }
        let (tid, fd) = self.served.get(key).map_or((0, -1), |s| s.hint);
        if let Some(trace) = &mut self.trace {
            let preposition = if what == "taken" { "from" } else { "to" };
            let _ = writeln!(trace.out, "[{tid}] {n} bytes {what} {preposition} descriptor {fd}");
        }
    }
}

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

fn arguments(call: &Call, memory: &Memory<'_>) -> String {
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
            format!("{fd}, level={}, name={}, {value}, {}", call.int(1), call.int(2), call.int(4))
        }
        libc::SYS_getsockopt => format!("{fd}, level={}, name={}", call.int(1), call.int(2)),
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
