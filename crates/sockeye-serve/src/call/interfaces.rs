//! ioctl(2) about interfaces (netdevice(7)) and about a socket's queues.
//!
//! The interfaces are those of the virtual host, whatever socket the question is asked on.

use super::{Answer, Call, Memory, Outcome};
use crate::abi;
use crate::filter::INTERFACE_IOCTLS;
use crate::served::{Key, Kind, Phase};
use crate::server::Server;
use crate::sys::socket;
use sockeye_core::Errno;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::AsFd;

/// `sizeof(struct ifreq)` and of its name.
const REQUEST_LEN: usize = 40;
const NAME_LEN: usize = 16;
/// `ARPHRD_ETHER`, `ARPHRD_LOOPBACK`.
const ETHERNET: u16 = 1;
const LOOPBACK: u16 = 772;

/// An interface as the ioctls show it.
#[derive(Clone, Debug)]
struct Interface {
    name: String,
    index: i32,
    mtu: i32,
    mac: Option<[u8; 6]>,
    /// The first IPv4 address and its prefix length.
    inet: Option<(Ipv4Addr, u8)>,
}

impl Server {
    pub(super) fn call_ioctl(&mut self, call: &Call) -> Answer {
        let request = call.args[1] as u32;
        if INTERFACE_IOCTLS.contains(&request) {
            let Ok(copy) = self.finder.borrow(call.tid, call.int(0)) else { return Ok(Outcome::Proceed) };
            if socket::cookie(copy.as_fd()).is_err() {
                return Ok(Outcome::Proceed);
            }
            return self.interface_ioctl(call, request);
        }
        let Some((key, _)) = self.find(call)? else { return Ok(Outcome::Proceed) };
        let memory = Memory::new(call, self.listener.as_fd());
        match (request, &self.served[key].kind) {
            (abi::SIOCOUTQ, Kind::Stream(_) | Kind::Datagram(_)) => {
                let queued = self.queued_out(key)? as i32;
                Memory::new(call, self.listener.as_fd()).write(call.args[2], &queued.to_ne_bytes())?;
            }
            // The carrier has the mark; without a peer there is none.
            (abi::SIOCATMARK, Kind::Stream(stream)) if stream.is_joined() => return Ok(Outcome::Proceed),
            (abi::SIOCATMARK, Kind::Stream(_)) => memory.write(call.args[2], &0i32.to_ne_bytes())?,
            // No datagram with a time stamp has been received.
            (abi::SIOCGSTAMP_OLD | abi::SIOCGSTAMPNS_OLD, _) => return Err(Errno::ENOENT),
            _ => return Err(Errno::ENOTTY),
        }
        Ok(Outcome::Value(0))
    }

    /// Bytes that the peer has not acknowledged, those still in the carrier too.
    fn queued_out(&mut self, key: Key) -> Result<usize, Errno> {
        self.carry_in(key, false);
        let in_carrier = match self.stream(key).map(|s| &s.phase) {
            Some(Phase::Linked(link)) => rustix::io::ioctl_fionread(&link.end).unwrap_or(0),
            Some(Phase::Listening(_)) => return Err(Errno::EINVAL),
            _ => 0,
        };
        let id = self.socket_id(key).ok_or(Errno::EINVAL)?;
        Ok(self.host_ref().queued_out(id)? + in_carrier as usize)
    }

    fn interfaces(&self) -> Vec<Interface> {
        let lo = Interface {
            name: "lo".into(),
            index: 1,
            mtu: 65_536,
            mac: None,
            inet: Some((Ipv4Addr::LOCALHOST, 8)),
        };
        let others = self.host_ref().config().interfaces.iter().zip(2..).map(|(i, index)| Interface {
            name: i.name.clone(),
            index,
            mtu: i.mtu as i32,
            mac: i.mac,
            inet: i.addresses.iter().find_map(|net| match net.addr() {
                IpAddr::V4(ip) => Some((ip, net.prefix_len())),
                IpAddr::V6(_) => None,
            }),
        });
        std::iter::once(lo).chain(others).collect()
    }

    fn interface_ioctl(&mut self, call: &Call, request: u32) -> Answer {
        let memory = Memory::new(call, self.listener.as_fd());
        let all = self.interfaces();
        if request == libc::SIOCGIFCONF as u32 {
            return list(&memory, call.args[2], &all);
        }
        let mut raw: [u8; REQUEST_LEN] =
            memory.bytes(call.args[2], REQUEST_LEN)?.try_into().expect("as long as asked for");
        let name = raw[..NAME_LEN].split(|b| *b == 0).next().unwrap_or_default();
        let found = if request == libc::SIOCGIFNAME as u32 {
            let index = i32::from_ne_bytes(raw[16..20].try_into().expect("four bytes"));
            all.iter().find(|i| i.index == index)
        } else {
            all.iter().find(|i| i.name.as_bytes() == name)
        };
        let interface = found.ok_or(Errno::ENODEV)?;
        if request == libc::SIOCGIFNAME as u32 {
            raw[..NAME_LEN].copy_from_slice(&name_field(&interface.name));
        } else {
            raw[NAME_LEN..].copy_from_slice(&interface.value(request)?);
        }
        memory.write(call.args[2], &raw)?;
        Ok(Outcome::Value(0))
    }
}

fn name_field(name: &str) -> [u8; NAME_LEN] {
    let mut field = [0; NAME_LEN];
    let len = name.len().min(NAME_LEN - 1);
    field[..len].copy_from_slice(&name.as_bytes()[..len]);
    field
}

/// A `sockaddr_in` in the request's union.
fn inet(ip: Ipv4Addr) -> [u8; 24] {
    let mut field = [0; 24];
    field[..2].copy_from_slice(&(libc::AF_INET as u16).to_ne_bytes());
    field[4..8].copy_from_slice(&ip.octets());
    field
}

fn int(value: i32) -> [u8; 24] {
    let mut field = [0; 24];
    field[..4].copy_from_slice(&value.to_ne_bytes());
    field
}

impl Interface {
    fn flags(&self) -> i32 {
        let base = libc::IFF_UP | libc::IFF_RUNNING;
        base | if self.mac.is_some() { libc::IFF_BROADCAST | libc::IFF_MULTICAST } else { libc::IFF_LOOPBACK }
    }

    fn value(&self, request: u32) -> Result<[u8; 24], Errno> {
        let (ip, prefix) = self.inet.unwrap_or((Ipv4Addr::UNSPECIFIED, 32));
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        Ok(match libc::c_ulong::from(request) {
            r if r == libc::SIOCGIFINDEX as libc::c_ulong => int(self.index),
            r if r == libc::SIOCGIFFLAGS as libc::c_ulong => int(self.flags()),
            r if r == libc::SIOCGIFMTU as libc::c_ulong => int(self.mtu),
            r if r == libc::SIOCGIFMETRIC as libc::c_ulong => int(0),
            r if r == libc::SIOCGIFTXQLEN as libc::c_ulong => int(1000),
            r if r == libc::SIOCGIFADDR as libc::c_ulong || r == libc::SIOCGIFDSTADDR as libc::c_ulong => {
                inet(ip)
            }
            r if r == libc::SIOCGIFNETMASK as libc::c_ulong => inet(Ipv4Addr::from(mask)),
            r if r == libc::SIOCGIFBRDADDR as libc::c_ulong => inet(if self.mac.is_some() {
                Ipv4Addr::from(u32::from(ip) | !mask)
            } else {
                Ipv4Addr::UNSPECIFIED
            }),
            r if r == libc::SIOCGIFHWADDR as libc::c_ulong => {
                let mut field = [0; 24];
                let kind = if self.mac.is_some() { ETHERNET } else { LOOPBACK };
                field[..2].copy_from_slice(&kind.to_ne_bytes());
                field[2..8].copy_from_slice(&self.mac.unwrap_or_default());
                field
            }
            _ => return Err(Errno::EOPNOTSUPP),
        })
    }
}

/// SIOCGIFCONF: every interface that has an IPv4 address.
fn list(memory: &Memory<'_>, address: u64, all: &[Interface]) -> Answer {
    let room = memory.int(address)?;
    let mut raw = [0; 8];
    memory.read(address + 8, &mut raw)?;
    let buffer = u64::from_ne_bytes(raw);
    let mut out = vec![];
    for interface in all {
        if let Some((ip, _)) = interface.inet {
            out.extend(name_field(&interface.name));
            out.extend(inet(ip));
        }
    }
    if buffer != 0 {
        let room = usize::try_from(room).map_err(|_| Errno::EINVAL)?;
        out.truncate(room / REQUEST_LEN * REQUEST_LEN);
        memory.write(buffer, &out)?;
    }
    memory.write(address, &(out.len() as i32).to_ne_bytes())?;
    Ok(Outcome::Value(0))
}
