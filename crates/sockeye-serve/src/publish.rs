//! Published ports (`-p`): a TCP port of the machine that leads to a port of the host.
//!
//! Each client of the machine's port gets a socket on the gate, a second host outside, bound to the client's own
//! address: the program sees its true peer. Bytes go from the machine's socket into the gate's TCP and back.

use crate::server::Server;
use rustix::io::Errno as Os;
use rustix::net::{Shutdown, shutdown};
use slotmap::{Key as _, SlotMap};
use sockeye::lab::HostId;
use sockeye_core::Errno;
use sockeye_core::host::{Domain, Event, Kind, Shutdown as HostShutdown, SocketId};
use std::collections::HashMap;
use std::io::{self, IoSlice, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;

slotmap::new_key_type! {
    struct Number;
}

/// Bytes read in one go.
const CHUNK: usize = 128 * 1024;

#[derive(Debug)]
struct Connection {
    machine: TcpStream,
    gate: SocketId,
    in_ended: bool,
    out_ended: bool,
}

/// The published ports and their connections.
#[derive(Debug)]
pub(crate) struct Published {
    gate: Option<HostId>,
    /// Machine's listener, port of the host.
    listeners: Vec<(TcpListener, u16)>,
    connections: SlotMap<Number, Connection>,
    by_socket: HashMap<SocketId, Number, foldhash::fast::RandomState>,
}

impl Published {
    pub(crate) fn new(gate: Option<HostId>, listeners: Vec<(TcpListener, u16)>) -> Self {
        Self { gate, listeners, connections: SlotMap::with_key(), by_socket: HashMap::default() }
    }
}

/// Epoll words of connections start behind those of listeners.
const LISTENERS_MAX: u32 = 0x1_0000;

fn index(number: Number) -> u32 {
    // The low half of a slot map key is the slot's index.
    number.data().as_ffi() as u32
}

impl Server {
    pub(crate) fn start_published(&mut self) -> io::Result<()> {
        for (number, (listener, _)) in (0..LISTENERS_MAX).zip(&self.published.listeners) {
            listener.set_nonblocking(true)?;
            self.reactor.add_published(listener.as_fd(), number)?;
        }
        Ok(())
    }

    pub(crate) fn published_event(&mut self, number: u32) {
        if number < LISTENERS_MAX {
            return self.accept_published(number as usize);
        }
        let slot = number - LISTENERS_MAX;
        let found = self.published.connections.keys().find(|k| index(*k) == slot);
        if let Some(number) = found {
            self.carry_published(number);
        }
    }

    fn accept_published(&mut self, listener: usize) {
        loop {
            let (listener, port) = &self.published.listeners[listener];
            let port = *port;
            let Ok((machine, client)) = listener.accept() else { return };
            if let Err(errno) = self.connect_published(machine, client, port) {
                eprintln!("sockeye: a client of a published port was turned away: {errno}");
            }
        }
    }

    /// Connects from the gate to the host, as the client.
    fn connect_published(&mut self, machine: TcpStream, client: SocketAddr, port: u16) -> Result<(), Errno> {
        let gate = self.published.gate.ok_or(Errno::ENETUNREACH)?;
        machine.set_nonblocking(true).map_err(|_| Errno::ENOBUFS)?;
        let _ = machine.set_nodelay(true);
        let client = SocketAddr::new(client.ip().to_canonical(), client.port());
        let (domain, to): (_, IpAddr) = match client.ip() {
            IpAddr::V4(_) => (Domain::Inet, sockeye::standard::ADDRESS.into()),
            IpAddr::V6(_) => (Domain::Inet6, sockeye::standard::ADDRESS6.into()),
        };
        let now = self.now;
        let host = self.lab.host_mut(gate);
        let id = host.socket(domain, Kind::Stream, 0)?;
        let connected = host.bind(id, client).and_then(|()| host.connect(id, SocketAddr::new(to, port), now));
        if let Err(errno) = connected {
            if errno != Errno::EINPROGRESS {
                host.close(id, now);
                return Err(errno);
            }
        }
        self.unsettled = true;
        let connection = Connection { machine, gate: id, in_ended: false, out_ended: false };
        let number = self.published.connections.insert(connection);
        self.published.by_socket.insert(id, number);
        let machine = &self.published.connections[number].machine;
        self.reactor
            .add_published(machine.as_fd(), LISTENERS_MAX + index(number))
            .map_err(crate::server::supervisor_error)
    }

    /// Hands on what has happened on the gate; says whether anything has.
    pub(crate) fn settle_published(&mut self) -> bool {
        let Some(gate) = self.published.gate else { return false };
        let mut any = false;
        while let Some(event) = self.lab.host_mut(gate).next_event() {
            any = true;
            if let Event::Ready(id) = event {
                if let Some(&number) = self.published.by_socket.get(&id) {
                    self.carry_published(number);
                }
            }
        }
        any
    }

    fn carry_published(&mut self, number: Number) {
        let alive = self.published_in(number) && self.published_out(number);
        let done = self.published.connections.get(number).is_some_and(|c| c.in_ended && c.out_ended);
        if !alive || done {
            self.end_published(number, !alive);
        }
    }

    /// From the machine's client to the gate. False when the connection is broken.
    fn published_in(&mut self, number: Number) -> bool {
        let (Some(gate), now) = (self.published.gate, self.now) else { return false };
        let host = self.lab.host_mut(gate);
        let Some(connection) = self.published.connections.get_mut(number) else { return true };
        while !connection.in_ended {
            let room = match host.send_reserve(connection.gate, CHUNK) {
                Ok(room) => room,
                // Full, or not connected yet: the gate's next event brings us back.
                Err(Errno::EAGAIN | Errno::ENOTCONN) => return true,
                Err(_) => return false,
            };
            match rustix::io::read(&connection.machine, &mut *room) {
                Ok(0) => {
                    connection.in_ended = true;
                    self.unsettled = true;
                    return host.shutdown(connection.gate, HostShutdown::Write, now).is_ok();
                }
                Ok(n) => {
                    host.send_commit(connection.gate, n, now);
                    self.unsettled = true;
                }
                Err(Os::AGAIN) => return true,
                Err(Os::INTR) => {}
                Err(_) => return false,
            }
        }
        true
    }

    /// From the gate to the machine's client. False when the connection is broken.
    fn published_out(&mut self, number: Number) -> bool {
        let (Some(gate), now) = (self.published.gate, self.now) else { return false };
        let host = self.lab.host_mut(gate);
        let Some(connection) = self.published.connections.get_mut(number) else { return true };
        while !connection.out_ended {
            let slices = match host.recv_slices(connection.gate) {
                Ok(slices) => slices,
                Err(Errno::EAGAIN | Errno::ENOTCONN) => return true,
                Err(_) => return false,
            };
            if slices.iter().all(|s| s.is_empty()) {
                connection.out_ended = true;
                let _ = shutdown(&connection.machine, Shutdown::Write);
                return true;
            }
            let parts: Vec<IoSlice<'_>> = slices.iter().map(|s| IoSlice::new(s)).collect();
            let written = (&connection.machine).write_vectored(&parts);
            drop((parts, slices));
            match written {
                Ok(n) => {
                    host.consume(connection.gate, n, now);
                    self.unsettled = true;
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return true,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        true
    }

    fn end_published(&mut self, number: Number, broken: bool) {
        let (Some(gate), now) = (self.published.gate, self.now) else { return };
        let Some(connection) = self.published.connections.remove(number) else { return };
        self.published.by_socket.remove(&connection.gate);
        let host = self.lab.host_mut(gate);
        if broken {
            host.abort(connection.gate, now);
            // The client hears a reset as well.
            let _ =
                rustix::net::sockopt::set_socket_linger(&connection.machine, Some(std::time::Duration::ZERO));
        } else {
            host.close(connection.gate, now);
        }
        self.unsettled = true;
    }
}
