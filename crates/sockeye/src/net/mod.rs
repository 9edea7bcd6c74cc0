//! Sockets that block, after `std::net`.
//!
//! [`TcpListener`], [`TcpStream`] and [`UdpSocket`] have std's methods under std's names with std's signatures and
//! errors (`raw_os_error` too). The one difference: what makes a socket takes the [`Net`] of the host it is made on,
//! since a lab has several and there is no current one. [`RawSocket`] is after `UdpSocket`; [`Socket`] and [`SockRef`]
//! are after the `socket2` crate, for what is to be set before `bind` or `connect` and for options std has no name for.
//!
//! A thread that waits sleeps on its socket's own condition variable. In a simulated lab nothing may block: there the
//! answer is [`std::io::ErrorKind::Unsupported`], and [`crate::aio`] has the sockets to use.

mod addr;
pub mod engine;
mod error;
mod options;
mod raw;
mod sleep;
mod socket;
mod stream;
mod tcp;
mod udp;
pub mod unix;

pub use addr::ToSocketAddrs;
pub use options::{Keepalive, SockRef};
pub use raw::RawSocket;
pub use socket::Socket;
pub use sockeye_core::host::{Domain, Kind};
pub use std::net::Shutdown;
pub use stream::TcpStream;
pub use tcp::{Incoming, TcpListener};
pub use udp::UdpSocket;
pub use unix::{UnixDatagram, UnixListener, UnixStream};

pub(crate) use addr::{each, nothing};
pub(crate) use error::io_error;
pub(crate) use options::socket_type;
pub(crate) use socket::{accept_one, connect_or_wait};
pub(crate) use stream::vectored;
pub(crate) use udp::{receive, send};

use crate::running::Running;
use crate::running::state::State;
use crate::running::wait::{Bells, Waiters};
use crate::time::Clocked;
use sockeye_core::host::{Host, SocketInfo};
use sockeye_core::{Errno, Instant, SocketId};
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// A host's network, as its programs see it: what sockets are made on. A handle; clones are the same host.
#[derive(Clone)]
pub struct Net {
    pub(crate) running: Arc<Running>,
    pub(crate) machine: usize,
}

impl Net {
    /// The name of the host.
    pub fn name(&self) -> String {
        self.running.look(|state, _| state.machines[self.machine].name().to_string())
    }

    /// The addresses of the host, beside those of `lo`, in the order in which they were given.
    pub fn addresses(&self) -> Vec<IpAddr> {
        self.running.look(|state, _| state.machines[self.machine].addresses.clone())
    }

    /// What a name means on this host: a host of the lab, `localhost`, or an address written out.
    ///
    /// # Errors
    /// `NotFound` for any other name.
    pub fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(ip) = name.trim_start_matches('[').trim_end_matches(']').parse() {
            return Ok(vec![ip]);
        }
        if name.eq_ignore_ascii_case("localhost") {
            return Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        let found =
            self.running.look(|state, _| state.find(name).map(|n| state.machines[n].addresses.clone()));
        found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("the lab has no host '{name}'")))
    }

    /// What `ss` would show: every socket of the host, in the order in which they were made, then the connections
    /// that no socket holds any more.
    pub fn sockets(&self) -> Vec<SocketInfo> {
        self.running.look(|state, now| {
            let host = state.host_mut(self.machine);
            let mut all: Vec<SocketInfo> = host.sockets().filter_map(|id| host.info(id, now)).collect();
            all.extend(host.unowned(now));
            all
        })
    }

    /// The lab's time, in nanoseconds since before it began.
    pub fn now(&self) -> Instant {
        self.running.look(|_, now| now)
    }

    pub(crate) fn clocked(&self) -> Clocked<'_> {
        Clocked(&self.running)
    }

    /// A socket of this host.
    pub(crate) fn open(&self, domain: Domain, kind: Kind, protocol: u8) -> io::Result<Socket> {
        let [socket] = self.make(|host| Ok([host.socket(domain, kind, protocol)?]))?;
        Ok(socket)
    }

    /// Sockets of this host, by a call of the engine that makes them.
    fn make<const N: usize>(
        &self,
        make: impl FnOnce(&mut Host) -> Result<[SocketId; N], Errno>,
    ) -> io::Result<[Socket; N]> {
        let bells = [(); N].map(|()| Arc::new(Bells::default()));
        let made = self.running.look(|state, _| {
            if !state.machines[self.machine].is_up {
                return Err(Errno::ENETDOWN);
            }
            let ids = make(state.host_mut(self.machine))?;
            let mut rest = bells.iter();
            Ok(ids.map(|id| {
                let bells = rest.next().expect("as many bells as sockets");
                (register(state, self.machine, id, bells), id, Arc::clone(bells))
            }))
        });
        let made = made.map_err(io_error)?;
        Ok(made.map(|(life, id, bells)| Socket::from_parts(self.clone(), life, id, bells)))
    }
}

/// Makes a socket known to those who wake; says in which life of the host that was.
pub(crate) fn register(state: &mut State, machine: usize, id: SocketId, bells: &Arc<Bells>) -> u64 {
    let machine = &mut state.machines[machine];
    machine.waiters.insert(id, Waiters::new(Arc::clone(bells)));
    machine.life
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Net").field(&self.machine).finish()
    }
}
