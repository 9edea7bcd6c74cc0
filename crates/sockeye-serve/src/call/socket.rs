//! socket(2): a socket of the host and the carrier that stands for it.

use super::{Answer, Call, Outcome};
use crate::address::Family;
use crate::served::{Datagrams, Key, Kind, Netlink, Served, Stream};
use crate::server::{Server, supervisor_error};
use crate::sys::{seccomp, socket};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, socketpair};
use smallvec::SmallVec;
use sockeye_core::Errno;
use sockeye_core::host::{Domain, Kind as HostKind};
use std::os::fd::{AsFd, OwnedFd};

const TYPE_MASK: i32 = 0xf;
/// The highest protocol number that Linux knows (MPTCP).
const IPPROTO_LAST: i32 = 262;

/// What the program asked for beside the type.
#[derive(Clone, Copy, Debug)]
struct Flags {
    close_on_exec: bool,
    nonblocking: bool,
}

impl Server {
    pub(super) fn call_socket(&mut self, call: &Call) -> Answer {
        let (domain, kind, protocol) = (call.int(0), call.int(1), call.int(2));
        let flags = Flags {
            close_on_exec: kind & libc::SOCK_CLOEXEC != 0,
            nonblocking: kind & libc::SOCK_NONBLOCK != 0,
        };
        if kind & !(TYPE_MASK | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) != 0 {
            return Err(Errno::EINVAL);
        }
        match domain {
            libc::AF_NETLINK => self.netlink_socket(call, kind & TYPE_MASK, protocol, flags),
            // Packet sockets come with the raw ones; until then the family is as if not built in.
            libc::AF_PACKET => Err(Errno::EAFNOSUPPORT),
            libc::AF_INET => self.inet_socket(call, Family::Inet, kind & TYPE_MASK, protocol, flags),
            _ => self.inet_socket(call, Family::Inet6, kind & TYPE_MASK, protocol, flags),
        }
    }

    fn inet_socket(&mut self, call: &Call, family: Family, kind: i32, protocol: i32, flags: Flags) -> Answer {
        match protocol {
            0..256 => {}
            // MPTCP (262) among them: as a kernel without it.
            256..=IPPROTO_LAST => return Err(Errno::EPROTONOSUPPORT),
            _ => return Err(Errno::EINVAL),
        }
        let host_kind = match kind {
            libc::SOCK_STREAM => HostKind::Stream,
            libc::SOCK_DGRAM => HostKind::Datagram,
            libc::SOCK_RAW => HostKind::Raw,
            libc::SOCK_RDM | libc::SOCK_SEQPACKET | libc::SOCK_DCCP => return Err(Errno::ESOCKTNOSUPPORT),
            _ => return Err(if (0..=10).contains(&kind) { Errno::ESOCKTNOSUPPORT } else { Errno::EINVAL }),
        };
        let domain = if family == Family::Inet { Domain::Inet } else { Domain::Inet6 };
        let id = self.host().socket(domain, host_kind, protocol as u8)?;
        let carrier_type = if host_kind == HostKind::Stream { SocketType::STREAM } else { SocketType::DGRAM };
        let carrier = socket_with(AddressFamily::UNIX, carrier_type, carrier_flags(flags), None);
        let carrier = carrier.map_err(|e| {
            let now = self.now;
            self.host().close(id, now);
            supervisor_error(e)
        })?;
        let kind = if host_kind == HostKind::Stream {
            Kind::Stream(Stream::new(id, family))
        } else {
            Kind::Datagram(Datagrams::new(id, family))
        };
        let key = self.serve(kind);
        self.host().set_owner_tag(id, crate::served::token(key));
        let hears_unbound =
            host_kind == HostKind::Raw || protocol == libc::IPPROTO_ICMP || protocol == libc::IPPROTO_ICMPV6;
        if hears_unbound && let Err(errno) = self.name_carrier(key, &carrier) {
            self.forget(key);
            return Err(errno);
        }
        self.give(call, key, &carrier, flags.close_on_exec)
    }

    fn netlink_socket(&mut self, call: &Call, kind: i32, protocol: i32, flags: Flags) -> Answer {
        if kind != libc::SOCK_RAW && kind != libc::SOCK_DGRAM {
            return Err(Errno::ESOCKTNOSUPPORT);
        }
        if protocol != libc::NETLINK_ROUTE && protocol != libc::NETLINK_SOCK_DIAG {
            return Err(Errno::EPROTONOSUPPORT);
        }
        let pair = socketpair(AddressFamily::UNIX, SocketType::DGRAM, carrier_flags(flags), None);
        let (carrier, end) = pair.map_err(supervisor_error)?;
        rustix::io::ioctl_fionbio(&end, true).map_err(supervisor_error)?;
        let key = self.serve(Kind::Netlink(Netlink { end, protocol, port: 0 }));
        let Some(Served { kind: Kind::Netlink(netlink), .. }) = self.served.get(key) else {
            return Err(Errno::ENFILE);
        };
        self.reactor.add_end(netlink.end.as_fd(), key).map_err(supervisor_error)?;
        self.give(call, key, &carrier, flags.close_on_exec)
    }

    /// A new record.
    pub(crate) fn serve(&mut self, kind: Kind) -> Key {
        self.collect_when_due();
        self.served.insert(Served { cookie: 0, hint: (0, -1), waiters: SmallVec::new(), kind })
    }

    /// Hands a carrier to the program as the call's answer; takes everything back if the call is gone.
    pub(crate) fn give(&mut self, call: &Call, key: Key, carrier: &OwnedFd, close_on_exec: bool) -> Answer {
        if let Err(errno) = self.adopt(key, carrier) {
            self.forget(key);
            return Err(errno);
        }
        match seccomp::add_fd_and_answer(self.listener.as_fd(), call.id, carrier.as_fd(), close_on_exec) {
            Ok(number) => {
                self.served[key].hint = (call.tid, number);
                self.subject = Some(key);
                Ok(Outcome::Answered(i64::from(number)))
            }
            Err(e) => {
                self.forget(key);
                match e.raw_os_error() {
                    // The program's own limit.
                    Some(libc::EMFILE) => Err(Errno::EMFILE),
                    Some(libc::ENFILE) => Err(Errno::ENFILE),
                    Some(libc::ENOMEM) => Err(Errno::ENOMEM),
                    _ => Ok(Outcome::Answered(0)),
                }
            }
        }
    }

    /// Learns a carrier's identity and watches over its life.
    pub(crate) fn adopt(&mut self, key: Key, carrier: &OwnedFd) -> Result<(), Errno> {
        let cookie = socket::cookie(carrier.as_fd()).map_err(|_| Errno::ENFILE)?;
        self.watch.add(carrier.as_fd(), key).map_err(supervisor_error)?;
        self.served[key].cookie = cookie;
        self.cookies.insert(cookie, key);
        Ok(())
    }
}

fn carrier_flags(flags: Flags) -> SocketFlags {
    let base = SocketFlags::CLOEXEC;
    if flags.nonblocking { base | SocketFlags::NONBLOCK } else { base }
}
