//! Netlink sockets (netlink(7)): the host's interfaces, addresses and routes, and its sockets.
//!
//! A netlink carrier is one of a pair, the other end is ours: requests that are sent plainly arrive there, those
//! with an address are read from the call, and the answers are datagrams either way.

use super::{Answer, Call, EPHEMERAL_NETLINK_PORT, Outcome};
use crate::served::{Key, Kind, Netlink};
use crate::server::Server;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use sockeye_core::Errno;
use sockeye_core::netlink::diag::Owner;

/// Longest request that is read, in bytes.
const REQUEST_MAX: usize = 64 * 1024;
/// `SOL_NETLINK`.
const SOL_NETLINK: i32 = 270;

/// `struct sockaddr_nl` of a port.
pub(super) fn name(port: u32) -> [u8; 12] {
    let mut raw = [0; 12];
    raw[..2].copy_from_slice(&(libc::AF_NETLINK as u16).to_ne_bytes());
    raw[4..8].copy_from_slice(&port.to_ne_bytes());
    raw
}

impl Server {
    fn netlink(&mut self, key: Key) -> Option<&mut Netlink> {
        match &mut self.served.get_mut(key)?.kind {
            Kind::Netlink(netlink) => Some(netlink),
            _ => None,
        }
    }

    pub(super) fn bind_netlink(&mut self, call: &Call, key: Key, bytes: &[u8]) -> Answer {
        if bytes.len() < 12 || bytes[..2] != (libc::AF_NETLINK as u16).to_ne_bytes() {
            return Err(Errno::EINVAL);
        }
        let wanted = u32::from_ne_bytes(bytes[4..8].try_into().expect("four bytes"));
        let others: Vec<u32> = self
            .served
            .values()
            .filter_map(|s| if let Kind::Netlink(n) = &s.kind { Some(n.port) } else { None })
            .collect();
        let own = crate::find::thread_group(call.tid).unwrap_or(call.tid);
        let free = |port: &u32| !others.contains(port);
        let port = if wanted == 0 {
            std::iter::once(own).chain(EPHEMERAL_NETLINK_PORT..).find(free).ok_or(Errno::EADDRINUSE)?
        } else {
            wanted
        };
        let netlink = self.netlink(key).ok_or(Errno::EBADF)?;
        if netlink.port != 0 && netlink.port != wanted && wanted != 0 {
            return Err(Errno::EINVAL);
        }
        if netlink.port == 0 {
            if !free(&port) {
                return Err(Errno::EADDRINUSE);
            }
            netlink.port = port;
        }
        Ok(Outcome::Value(0))
    }

    /// Answers one request.
    pub(super) fn netlink_request(&mut self, key: Key, request: &[u8]) {
        let Some(netlink) = self.netlink(key) else { return };
        let (protocol, port) = (netlink.protocol, netlink.port);
        let replies = if protocol == libc::NETLINK_ROUTE {
            self.host_ref().netlink_route(request, port)
        } else {
            self.diagnose(request, port)
        };
        let Some(netlink) = self.netlink(key) else { return };
        for reply in replies {
            let _ = send(&netlink.end, &reply, SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
        self.wake_receivers(key);
    }

    /// Answers a request of `NETLINK_SOCK_DIAG`. Inodes are those of the carriers, which /proc shows of the programs; the
    /// resolver's sockets and what nobody has any more are left out.
    fn diagnose(&mut self, request: &[u8], port: u32) -> Vec<Vec<u8>> {
        self.collect();
        let alive = self.watch.alive().unwrap_or_default();
        let uid = rustix::process::getuid().as_raw();
        let served = &self.served;
        let owner = |tag: u64| {
            let key = crate::served::key(tag);
            // What no program has yet waits to be accepted; the resolver's are in no record.
            served.get(key)?;
            Some(Owner { inode: alive.get(&key).map_or(0, |inode| *inode as u32), uid })
        };
        self.unsettled = true;
        self.lab.host_mut(self.host_id).netlink_diag(request, port, &owner, self.now)
    }

    /// A program has sent a request plainly.
    pub(crate) fn netlink_event(&mut self, key: Key) {
        let mut buffer = vec![0; REQUEST_MAX];
        loop {
            let Some(netlink) = self.netlink(key) else { return };
            match recv(&netlink.end, &mut buffer[..], RecvFlags::DONTWAIT) {
                Ok((n, _)) if n > 0 => {
                    let request = buffer[..n].to_vec();
                    self.netlink_request(key, &request);
                }
                _ => return,
            }
        }
    }

    pub(super) fn set_netlink_option(&mut self, level: i32, _name: i32) -> Answer {
        match level {
            libc::SOL_SOCKET | SOL_NETLINK => Ok(Outcome::Value(0)),
            _ => Err(Errno::ENOPROTOOPT),
        }
    }

    pub(super) fn netlink_option(&self, level: i32, name: i32) -> Result<Vec<u8>, Errno> {
        let value = match (level, name) {
            (libc::SOL_SOCKET, libc::SO_TYPE) => libc::SOCK_RAW,
            (libc::SOL_SOCKET, libc::SO_DOMAIN) => libc::AF_NETLINK,
            (libc::SOL_SOCKET, libc::SO_RCVBUF | libc::SO_SNDBUF) => 212_992,
            (libc::SOL_SOCKET, _) => 0,
            _ => return Err(Errno::ENOPROTOOPT),
        };
        Ok(value.to_ne_bytes().to_vec())
    }
}
