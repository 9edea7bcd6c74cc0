//! Datagrams between carriers and the host.
//!
//! Out: each datagram of the host is sent to the carrier from a socket whose name tells its origin, or, while the
//! socket is connected, from our end of the mutually connected pair, which lifts the kernel's limit of ten
//! datagrams. What the carrier has no room for stays in the host's queue, which drops beyond `SO_RCVBUF`.
//! In: plain sends of connected sockets arrive at our end.

use crate::call::{Answer, Outcome};
use crate::names::Origin;
use crate::served::{self, Key, Kind};
use crate::server::{Server, is_writable, supervisor_error};
use crate::sys::socket;
use bytes::Bytes;
use rustix::net::{
    AddressFamily, SendFlags, SocketFlags, SocketType, bind, connect, send, sendto, socket_with,
};
use sockeye_core::host::{Datagram, Kind as HostKind, SendControl};
use sockeye_core::{Errno, Payload};
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

/// Datagrams moved for one socket in one turn.
const TURN_MAX: usize = 256;
/// Largest datagram, in bytes.
const DATAGRAM_MAX: usize = 65_536;

pub(super) fn unix_socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None).map_err(supervisor_error)
}

impl Server {
    /// The host has datagrams or an error for this socket.
    pub(crate) fn datagram_ready(&mut self, key: Key) {
        self.wake_receivers(key);
        for _ in 0..TURN_MAX {
            let Some(datagrams) = self.datagrams(key) else { return };
            let (id, pending) = (datagrams.id, datagrams.pending.pop_front());
            let datagram = match pending {
                Some(datagram) => datagram,
                None if self.datagram_error(key) => return,
                None => match self.host().take_datagram(id) {
                    Some(datagram) => datagram,
                    None => return,
                },
            };
            if !self.datagram_out(key, datagram) {
                return;
            }
        }
    }

    /// Puts one datagram into the carrier; keeps it where there is no room.
    fn datagram_out(&mut self, key: Key, datagram: Datagram) -> bool {
        let name = self.names.carrier(key);
        let origin = Origin::of(&datagram);
        if datagram.segment > 0 && self.datagrams(key).is_some_and(|d| d.end.is_some()) {
            // Our end has one name, which cannot tell of a batch.
            return self.unbatch(key, datagram);
        }
        let bytes = match datagram.payload.slices() {
            [one] => one.clone(),
            _ => Bytes::from(datagram.payload.to_vec()),
        };
        let Some(datagrams) = self.datagrams(key) else { return false };
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = if let Some(end) = &datagrams.end {
            send(end, &bytes, flags)
        } else {
            self.senders.get(&self.names, &origin).and_then(|sender| {
                match sendto(&*sender, &bytes, flags, &name) {
                    // What it has sent to others, who do not read, fills its own buffer: a fresh one of the same
                    // name goes on, or nobody else would hear of this origin.
                    Err(rustix::io::Errno::AGAIN) if !is_writable(&sender) => {
                        drop(sender);
                        self.senders.retire(&origin);
                        let fresh = self.senders.get(&self.names, &origin)?;
                        sendto(&*fresh, &bytes, flags, &name)
                    }
                    sent => sent,
                }
            })
        };
        match sent {
            Ok(_) => {
                self.observe_bytes(key, false, bytes.len());
                true
            }
            // Nobody has the carrier any more (or nobody yet: not named before the first bind or send).
            Err(rustix::io::Errno::CONNREFUSED) => {
                self.return_datagram(key, &datagram);
                false
            }
            // The receiving side was shut: it waits here, for calls that ask us.
            Err(rustix::io::Errno::PIPE) => {
                if let Some(datagrams) = self.datagrams(key) {
                    datagrams.pending.push_front(datagram);
                }
                false
            }
            Err(_) => {
                if let Some(datagrams) = self.datagrams(key) {
                    datagrams.pending.push_front(datagram);
                }
                self.want_room(key);
                false
            }
        }
    }

    /// The datagrams of a batch are the next to be put into the carrier.
    fn unbatch(&mut self, key: Key, batch: Datagram) -> bool {
        let Some(datagrams) = self.datagrams(key) else { return false };
        for (index, single) in batch.into_singles().enumerate() {
            datagrams.pending.insert(index, single);
        }
        true
    }

    /// A datagram met a socket that no program has any more: it is for whoever has the port now, or its sender hears
    /// that nobody has.
    fn return_datagram(&mut self, key: Key, datagram: &Datagram) {
        let now = self.now;
        let info = self.socket_id(key).and_then(|id| self.host_ref().info(id, now));
        self.forget(key);
        if let Some(info) = info.filter(|info| info.kind == HostKind::Datagram) {
            self.host().arrive_again(datagram, info.protocol, info.local.port(), now);
        }
    }

    /// Arranges to be told when a full carrier has room.
    fn want_room(&mut self, key: Key) {
        let name = self.names.carrier(key);
        let Some(served::Served { kind: Kind::Datagram(datagrams), .. }) = self.served.get(key) else {
            return;
        };
        if let Some(end) = &datagrams.end {
            let _ = self.reactor.want_room(end.as_fd(), key);
            return;
        }
        if datagrams.waiter.is_some() {
            return;
        }
        let Ok(waiter) = unix_socket() else { return };
        if connect(&waiter, &name).is_ok()
            && self.reactor.add_end(waiter.as_fd(), key).is_ok()
            && self.reactor.want_room(waiter.as_fd(), key).is_ok()
            && let Some(datagrams) = self.datagrams(key)
        {
            datagrams.waiter = Some(waiter);
        }
    }

    /// Our end, or the one that waits for room, has something to say.
    pub(crate) fn datagram_event(&mut self, key: Key) {
        self.datagrams_in(key);
        let Some(datagrams) = self.datagrams(key) else { return };
        datagrams.waiter = None;
        if !datagrams.pending.is_empty() {
            self.datagram_ready(key);
        }
    }

    /// Takes what the program has sent by plain sends on a connected socket.
    pub(crate) fn datagrams_in(&mut self, key: Key) {
        let mut buffer = [0u8; DATAGRAM_MAX];
        for _ in 0..TURN_MAX {
            let Some(datagrams) = self.datagrams(key) else { return };
            let (Some(end), id) = (&datagrams.end, datagrams.id) else { return };
            let Ok((n, _)) = rustix::net::recv(end, &mut buffer[..], rustix::net::RecvFlags::DONTWAIT) else {
                return;
            };
            let now = self.now;
            let payload = Payload::from(Bytes::copy_from_slice(&buffer[..n]));
            self.observe_bytes(key, true, n);
            let _ = self.host().send_to(id, payload, None, &SendControl::default(), now);
        }
        self.again.push(key);
    }

    /// connect(2): from now on the carrier and our end are a pair.
    pub(crate) fn connect_datagrams(&mut self, key: Key, copy: &OwnedFd, to: SocketAddr) -> Answer {
        self.datagrams_in(key);
        let Some(id) = self.socket_id(key) else { return Err(Errno::EBADF) };
        let now = self.now;
        self.bind_implicitly(key, copy)?;
        self.host().connect(id, to, now)?;
        let (end_name, carrier_name) = (self.names.end(key), self.names.carrier(key));
        let Some(datagrams) = self.datagrams(key) else { return Err(Errno::EBADF) };
        if datagrams.end.is_some() {
            return Ok(Outcome::Value(0));
        }
        let end = unix_socket()?;
        bind(&end, &end_name).map_err(supervisor_error)?;
        connect(copy, &end_name).map_err(supervisor_error)?;
        connect(&end, &carrier_name).map_err(supervisor_error)?;
        self.reactor.add_end(end.as_fd(), key).map_err(supervisor_error)?;
        if let Some(datagrams) = self.datagrams(key) {
            datagrams.end = Some(end);
        }
        Ok(Outcome::Value(0))
    }

    /// connect(2) with AF_UNSPEC.
    pub(crate) fn disconnect_datagrams(&mut self, key: Key, copy: &OwnedFd) -> Answer {
        self.datagrams_in(key);
        let Some(id) = self.socket_id(key) else { return Err(Errno::EBADF) };
        let now = self.now;
        self.recall(key, copy);
        self.host().disconnect(id, now)?;
        let _ = socket::disconnect(copy.as_fd());
        if let Some(datagrams) = self.datagrams(key) {
            datagrams.end = None;
        }
        self.again.push(key);
        Ok(Outcome::Value(0))
    }
}
