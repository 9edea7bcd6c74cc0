//! Datagrams: sendto, recvfrom and what belongs to them.

use crate::errno::{Errno, Result};
use crate::host::{Datagram, Domain, Host, Kind, QueuedError, SendControl, SocketId};
use crate::packet::Payload;
use crate::socket::table::Socket;
use crate::time::Instant;
use crate::wire::unmap;
use core::net::SocketAddr;

/// Datagrams.
impl Host {
    /// sendto(2), sendmsg(2) of a datagram; without `to`, to the connected peer.
    pub fn send_to(
        &mut self,
        id: SocketId,
        payload: Payload,
        to: Option<SocketAddr>,
        control: &SendControl,
        now: Instant,
    ) -> Result<usize> {
        if self.socket_ref(id)?.inbox().is_none() {
            return self.send_payload(id, &payload, now);
        }
        self.autobind(id)?;
        if payload.len() > usize::from(u16::MAX) {
            return Err(Errno::EMSGSIZE);
        }
        let to = self.datagram_destination(id, to)?;
        let socket = &mut self.sockets[id];
        match socket.kind {
            Kind::Raw => self.raw_send(id, payload, to, control, now),
            _ if !socket.is_ping() => self.udp_send_part(id, payload, to, control, now),
            _ => {
                socket.may_queue()?;
                self.ping_send(id, payload, to, control, now)
            }
        }
    }

    /// Where a datagram goes: to the address given, else to the peer.
    fn datagram_destination(&self, id: SocketId, to: Option<SocketAddr>) -> Result<SocketAddr> {
        let socket = &self.sockets[id];
        match to {
            Some(to) if socket.domain == Domain::Inet && to.is_ipv6() => Err(Errno::EAFNOSUPPORT),
            Some(to) if is_barred(socket, to) => Err(Errno::ENETUNREACH),
            Some(to) if to.port() == 0 && socket.is_udp() => Err(Errno::EINVAL),
            Some(to) => self.destination(id, to),
            None => socket.inbox().and_then(|inbox| inbox.peer).ok_or(Errno::EDESTADDRREQ),
        }
    }

    /// What [`Host::send_to`] would say before it looks at the `len` bytes themselves.
    ///
    /// # Errors
    /// As there; a pending error is told, and gone.
    pub fn may_send_to(
        &mut self,
        id: SocketId,
        len: usize,
        to: Option<SocketAddr>,
        control: &SendControl,
    ) -> Result<()> {
        self.autobind(id)?;
        if len > usize::from(u16::MAX) {
            return Err(Errno::EMSGSIZE);
        }
        let to = self.datagram_destination(id, to)?;
        if !self.socket_ref(id)?.is_udp() {
            return Ok(());
        }
        self.udp_way(id, len, to, control).map(|_| ())
    }

    fn send_payload(&mut self, id: SocketId, payload: &Payload, now: Instant) -> Result<usize> {
        let mut sent = 0;
        for slice in payload.slices() {
            match self.send_chunk(id, slice.clone(), now) {
                Ok(n) if n == slice.len() => sent += n,
                Ok(n) => return Ok(sent + n),
                Err(_) if sent > 0 => return Ok(sent),
                Err(errno) => return Err(errno),
            }
        }
        Ok(sent)
    }

    /// recvfrom(2), recvmsg(2): the next datagram, or the pending error once, or EAGAIN. EAGAIN too after
    /// `shutdown` of reading, as Linux says without blocking; who blocks answers 0 then (see readiness).
    ///
    /// # Errors
    /// ENOTCONN on a stream, which has no datagrams.
    pub fn recv_from(&mut self, id: SocketId, peek: bool, _now: Instant) -> Result<Datagram> {
        let socket = self.socket_mut(id)?;
        if socket.inbox().is_none() {
            return Err(Errno::ENOTCONN);
        }
        if let Some(errno) = socket.error.take() {
            return Err(errno);
        }
        if socket.options.seldom.is_some() {
            return socket.recv_at_offset(peek).ok_or(Errno::EAGAIN);
        }
        let inbox = socket.inbox_mut().expect("it has an inbox");
        let datagram = if peek { inbox.queue.front().cloned() } else { inbox.pop() };
        datagram.ok_or(Errno::EAGAIN)
    }

    /// `SO_PEEK_OFF` moves on by the `n` bytes that were peeked at.
    pub fn peeked(&mut self, id: SocketId, n: usize) {
        let seldom = self.sockets.get_mut(id).and_then(|socket| socket.options.seldom.as_mut());
        if let Some(seldom) = seldom.filter(|seldom| seldom.peek_offset >= 0) {
            seldom.peek_offset = seldom.peek_offset.saturating_add(n as i32);
        }
    }

    /// The next datagram, whatever error is pending: for a layer that tells of errors itself.
    pub fn take_datagram(&mut self, id: SocketId) -> Option<Datagram> {
        self.sockets.get_mut(id)?.inbox_mut()?.pop()
    }

    /// The next datagram's length, without taking it.
    pub fn next_datagram_len(&self, id: SocketId) -> Option<usize> {
        let inbox = self.sockets.get(id)?.inbox()?;
        inbox.queue.front().map(|datagram| datagram.payload.len())
    }

    /// Datagrams that found no room since the socket was made (`SO_RXQ_OVFL`).
    pub fn drops(&self, id: SocketId) -> u64 {
        self.sockets.get(id).and_then(Socket::inbox).map_or(0, |inbox| inbox.drops)
    }

    /// Whether an error waits for `MSG_ERRQUEUE`.
    pub fn has_queued_error(&self, id: SocketId) -> bool {
        self.sockets.get(id).and_then(Socket::inbox).is_some_and(|inbox| !inbox.errors.is_empty())
    }

    /// recvmsg(2) with `MSG_ERRQUEUE`: the oldest queued error; EAGAIN when there is none.
    pub fn recv_error(&mut self, id: SocketId) -> Result<QueuedError> {
        let socket = self.socket_mut(id)?;
        let inbox = socket.inbox_mut().ok_or(Errno::EAGAIN)?;
        let error = inbox.errors.pop_front().ok_or(Errno::EAGAIN)?;
        let next = inbox.errors.front().map(|error| error.errno);
        // sock_dequeue_err_skb: SO_ERROR follows the queue.
        socket.error = next;
        Ok(error)
    }
}

impl Socket {
    /// The next datagram where `SO_PEEK_OFF` may have been set: peeking begins behind what was peeked at
    /// (__skb_try_recv_from_queue), and who takes a datagram moves the offset back by its length.
    fn recv_at_offset(&mut self, peek: bool) -> Option<Datagram> {
        let mut offset =
            self.options.seldom.as_deref().map_or(-1, |seldom| seldom.peek_offset).max(0) as usize;
        let inbox = self.inbox_mut()?;
        if peek {
            let behind = |datagram: &&Datagram| {
                let len = datagram.payload.len();
                let passed = offset > 0 && offset >= len;
                offset -= if passed { len } else { 0 };
                !passed
            };
            let mut found = inbox.queue.iter().find(behind)?.clone();
            found.payload.trim_front(offset);
            return Some(found);
        }
        let datagram = inbox.pop()?;
        if let Some(seldom) = self.options.seldom.as_mut().filter(|seldom| seldom.peek_offset > 0) {
            seldom.peek_offset = (seldom.peek_offset - datagram.payload.len() as i32).max(0);
        }
        Some(datagram)
    }

    /// A pending error comes first, once; then the shutdown of sending (sock_alloc_send_skb).
    pub(crate) fn may_queue(&mut self) -> Result<()> {
        match self.error.take() {
            Some(errno) => Err(errno),
            None if self.shut_write => Err(Errno::EPIPE),
            None => Ok(()),
        }
    }

    /// What poll(2) says of a datagram socket (datagram_poll).
    pub(super) fn datagram_readiness(&self) -> crate::Readiness {
        use crate::Readiness;
        let inbox = self.inbox().expect("a datagram socket has an inbox");
        let mut ready = Readiness::OUT;
        ready.set(Readiness::ERR, self.error.is_some() || !inbox.errors.is_empty());
        ready.set(Readiness::IN, !inbox.queue.is_empty() || self.shut_read);
        ready.set(Readiness::RDHUP, self.shut_read);
        ready.set(Readiness::HUP, self.shut_read && self.shut_write);
        ready
    }
}

/// Whether an address is IPv4's, of which a socket for IPv6 only has none.
fn is_barred(socket: &Socket, to: SocketAddr) -> bool {
    socket.domain == Domain::Inet6 && socket.options.v6only && unmap(to).is_ipv4()
}
