//! Errors of datagram sockets, which carriers show: POLLERR, and an error for who calls plainly.
//!
//! An end that leaves its peer with a datagram unread gives the peer ECONNRESET: the only error that a datagram carrier
//! can be given. A connected one has an end of ours; another (with `IP_RECVERR`) gets one for that moment. A Unix socket
//! that loses its peer loses what it has not read, so that is taken back before, and sent again.

use super::datagram::unix_socket;
use crate::served::Key;
use crate::server::{Server, is_failed};
use crate::sys::{message, socket};
use rustix::net::{SendFlags, SocketAddrUnix, bind, connect, send};
use sockeye_core::host::QueuedError;
use sockeye_core::{Errno, Payload, Readiness};
use std::os::fd::{AsFd, OwnedFd};

/// Largest datagram, in bytes.
const DATAGRAM_MAX: usize = 65_536;

impl Server {
    /// Shows an ICMP error; says whether there is a new one. The exact error is kept here, or where errors are queued by
    /// the host, for calls that are notified.
    pub(super) fn datagram_error(&mut self, key: Key) -> bool {
        let Some(id) = self.socket_id(key) else { return false };
        if !self.host_ref().readiness(id).contains(Readiness::ERR) {
            return false;
        }
        let connected = self.datagrams(key).is_some_and(|d| d.end.is_some());
        if self.host_ref().has_queued_error(id) {
            // It stays with the host, and the carrier shows it as long as it does.
            self.show_error(key);
            return false;
        }
        // Without an end of ours the carrier cannot show it; the host keeps it.
        if !connected {
            return false;
        }
        let Some(errno) = self.host().take_error(id) else { return false };
        if let Some(datagrams) = self.datagrams(key) {
            datagrams.error = Some(errno);
        }
        self.show_error(key);
        true
    }

    /// Makes the carrier show an error, if it does not.
    fn show_error(&mut self, key: Key) {
        let Some(copy) = self.borrow_again(key).filter(|copy| !is_failed(copy)) else { return };
        if self.datagrams(key).is_some_and(|d| d.end.is_some()) {
            let _ = self.raise_error(key, &copy);
            return;
        }
        let (end_name, carrier_name) = (self.names.end(key), self.names.carrier(key));
        let Ok(end) = unix_socket() else { return };
        self.recall(key, &copy);
        if bind(&end, &end_name).is_ok()
            && connect(&copy, &end_name).is_ok()
            && connect(&end, &carrier_name).is_ok()
            && let Some(datagrams) = self.datagrams(key)
        {
            datagrams.end = Some(end);
            let _ = self.raise_error(key, &copy);
        }
        self.recall(key, &copy);
        let _ = socket::disconnect(copy.as_fd());
        if let Some(datagrams) = self.datagrams(key) {
            datagrams.end = None;
        }
        self.again.push(key);
    }

    /// The end leaves its peer, and comes back.
    fn raise_error(&mut self, key: Key, copy: &OwnedFd) -> Option<()> {
        let (end_name, carrier_name) = (self.names.end(key), self.names.carrier(key));
        let end = self.datagrams(key)?.end.as_ref()?;
        let _ = send(copy, &[0], SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        let other = unix_socket().ok()?;
        let aside = [end_name.abstract_name().unwrap_or_default(), b"-x"].concat();
        let aside = SocketAddrUnix::new_abstract_name(&aside).ok()?;
        bind(&other, &aside).ok()?;
        connect(end, &aside).ok()?;
        connect(end, &carrier_name).ok()?;
        connect(copy, &end_name).ok()
    }

    /// Takes back what the carrier holds unread: it is the next to be put there.
    pub(super) fn recall(&mut self, key: Key, copy: &OwnedFd) {
        let mut buffer = vec![0; DATAGRAM_MAX];
        let mut recalled = vec![];
        while let Ok(received) = message::receive(copy.as_fd(), &mut buffer, false) {
            let origin = match self.names.origin_of(received.name()) {
                Some(origin) => Some(origin),
                None if self.names.is_end(received.name()) => self.peer_origin(key),
                None => None,
            };
            let Some(origin) = origin else { continue };
            let bytes = &buffer[..received.len.min(DATAGRAM_MAX)];
            let payload = Payload::from(bytes::Bytes::copy_from_slice(bytes));
            recalled.push(origin.datagram(payload, self.now));
        }
        if let Some(datagrams) = self.datagrams(key) {
            for datagram in recalled.into_iter().rev() {
                datagrams.pending.push_front(datagram);
            }
        }
    }

    /// The pending error of a datagram socket, once; a plain call may have had it from the carrier already.
    pub(crate) fn take_datagram_error(&mut self, key: Key, copy: &OwnedFd) -> Option<Errno> {
        let datagrams = self.datagrams(key)?;
        let id = datagrams.id;
        let shown = datagrams.error.take();
        let shown = shown.filter(|_| socket::option(copy.as_fd(), libc::SO_ERROR).is_ok_and(|e| e != 0));
        let errno = shown.or_else(|| self.host().take_error(id));
        if self.host_ref().has_queued_error(id) {
            self.show_error(key);
        }
        errno
    }

    /// `MSG_ERRQUEUE`: what the carrier shows from now on is the next of the queue.
    pub(crate) fn next_queued_error(&mut self, key: Key, copy: &OwnedFd) -> Result<QueuedError, Errno> {
        let id = self.socket_id(key).ok_or(Errno::EBADF)?;
        let error = self.host().recv_error(id)?;
        let _ = socket::option(copy.as_fd(), libc::SO_ERROR);
        if self.host_ref().has_queued_error(id) {
            self.show_error(key);
        }
        Ok(error)
    }
}
