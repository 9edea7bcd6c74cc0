//! Streams: send and recv, by copy and in place.
//!
//! A stream that is not connected says EPIPE to a sender and ENOTCONN to a reader, as Linux does; what a
//! connection says is TCP's.

use crate::errno::{Errno, Result};
use crate::host::{Host, SendControl, SocketId};
use crate::packet::Payload;
use crate::socket::flow::{Flow, FlowId};
use crate::socket::table::{Body, Role};
use crate::tcp::{Connection, Mark};
use crate::time::Instant;
use crate::unix::Ancillary;
use bytes::Bytes;
use smallvec::SmallVec;

/// Streams of bytes.
impl Host {
    /// send(2) on a stream, or on a connected datagram socket; of the Unix domain too.
    pub fn send(&mut self, id: SocketId, data: &[u8], now: Instant) -> Result<usize> {
        match self.sending(id)? {
            Some(flow) => {
                let sent = connection(&mut self.flows[flow]).send(data, &mut self.engine.ctx(now));
                self.settle(flow, now);
                sent
            }
            None if self.sockets[id].unix().is_some() => {
                self.unix_send(id, data, None, &mut Ancillary::default())
            }
            None => {
                let payload = Payload::from(Bytes::copy_from_slice(data));
                self.send_to(id, payload, None, &SendControl::default(), now)
            }
        }
    }

    /// As [`Host::send`], by reference; what does not fit is left to the caller (the count says).
    pub fn send_chunk(&mut self, id: SocketId, chunk: Bytes, now: Instant) -> Result<usize> {
        match self.sending(id)? {
            Some(flow) => {
                let sent = connection(&mut self.flows[flow]).send_chunk(chunk, &mut self.engine.ctx(now));
                self.settle(flow, now);
                sent
            }
            None if self.sockets[id].unix().is_some() => {
                self.unix_send(id, &chunk, None, &mut Ancillary::default())
            }
            None => self.send_to(id, Payload::from(chunk), None, &SendControl::default(), now),
        }
    }

    /// Room in a stream's send buffer, at most `max` bytes, to be filled in place and committed.
    ///
    /// # Errors
    /// EAGAIN without room, EPIPE after shutdown, the pending error; EOPNOTSUPP on a datagram socket.
    pub fn send_reserve(&mut self, id: SocketId, max: usize) -> Result<&mut [u8]> {
        let flow = self.sending(id)?.ok_or(Errno::EOPNOTSUPP)?;
        connection(&mut self.flows[flow]).send_reserve(max, &mut self.engine.pool)
    }

    /// The first `n` bytes of the room reserved last are data now.
    pub fn send_commit(&mut self, id: SocketId, n: usize, now: Instant) {
        let Ok(Some(flow)) = self.sending(id) else { return };
        connection(&mut self.flows[flow]).send_commit(n, &mut self.engine.ctx(now));
        self.settle(flow, now);
    }

    /// `MSG_MORE` of what is sent next on a stream: partial segments wait.
    pub fn set_more(&mut self, id: SocketId, more: bool, now: Instant) {
        let Ok(Some(flow)) = self.sending(id) else { return };
        connection(&mut self.flows[flow]).set_more(more, &mut self.engine.ctx(now));
        self.settle(flow, now);
    }

    /// `MSG_EOR` of what was sent last on a stream: what follows begins a segment of its own.
    pub fn end_record(&mut self, id: SocketId) {
        let Ok(Some(flow)) = self.sending(id) else { return };
        connection(&mut self.flows[flow]).end_record();
    }

    /// recv(2) on a stream, or on a datagram socket (the rest of the datagram is lost). 0 is end of file. On a socket of the
    /// Unix domain too: what came beside the bytes is let go.
    pub fn recv(&mut self, id: SocketId, buf: &mut [u8], peek: bool, now: Instant) -> Result<usize> {
        if self.is_shut_idle(id) {
            return Ok(0);
        }
        let Some(flow) = self.receiving(id)? else {
            if self.sockets[id].unix().is_some() {
                return self.unix_recv_bytes(id, buf, peek);
            }
            let datagram = self.recv_from(id, peek, now)?;
            let n = copy_payload(&datagram.payload, buf);
            if peek {
                self.peeked(id, n);
            }
            return Ok(n);
        };
        if self.sockets[id].options.seldom.is_some() {
            return self.recv_stream_at_offset(id, buf, peek, now);
        }
        let received = connection(&mut self.flows[flow]).recv(buf, peek, &mut self.engine.ctx(now));
        self.settle(flow, now);
        received
    }

    /// The same where `SO_PEEK_OFF` may have been set.
    fn recv_stream_at_offset(
        &mut self,
        id: SocketId,
        buf: &mut [u8],
        peek: bool,
        now: Instant,
    ) -> Result<usize> {
        let offset = self.sockets[id].options.seldom.as_deref().map_or(-1, |seldom| seldom.peek_offset);
        if !peek || offset < 0 {
            let flow = self.receiving(id)?.expect("a stream has a flow");
            let received = connection(&mut self.flows[flow]).recv(buf, peek, &mut self.engine.ctx(now));
            self.settle(flow, now);
            let n = received?;
            if let Some(seldom) =
                self.sockets[id].options.seldom.as_mut().filter(|s| !peek && s.peek_offset > 0)
            {
                seldom.peek_offset = (seldom.peek_offset - n as i32).max(0);
            }
            return Ok(n);
        }
        let mut skip = offset as usize;
        let mut n = 0;
        for slice in self.recv_slices(id)? {
            let rest = slice.get(skip..).unwrap_or_default();
            skip -= skip.min(slice.len());
            let take = rest.len().min(buf.len() - n);
            buf[n..n + take].copy_from_slice(&rest[..take]);
            n += take;
        }
        if n == 0 && !buf.is_empty() && !self.readiness(id).contains(crate::Readiness::RDHUP) {
            return Err(Errno::EAGAIN);
        }
        self.peeked(id, n);
        Ok(n)
    }

    /// What a stream has received, in place; take it with [`Host::consume`]. Empty is end of file.
    ///
    /// # Errors
    /// EAGAIN, ENOTCONN, the pending error once; EOPNOTSUPP on a datagram socket.
    pub fn recv_slices(&mut self, id: SocketId) -> Result<SmallVec<[&[u8]; 8]>> {
        if self.is_shut_idle(id) {
            return Ok(SmallVec::new());
        }
        let flow = self.receiving(id)?.ok_or(Errno::EOPNOTSUPP)?;
        let connection = connection(&mut self.flows[flow]);
        connection.pass_mark(&mut self.engine.pool);
        if connection.received() == 0 {
            connection.recv_end()?;
        }
        Ok(connection.recv_slices())
    }

    /// The program has taken `n` bytes.
    pub fn consume(&mut self, id: SocketId, n: usize, now: Instant) {
        let Ok(Some(flow)) = self.receiving(id) else { return };
        connection(&mut self.flows[flow]).consume(n, &mut self.engine.ctx(now));
        self.settle(flow, now);
    }

    /// `send(MSG_OOB)` on a stream: the last byte that is taken is urgent.
    ///
    /// # Errors
    /// As [`Host::send`]; EOPNOTSUPP on a datagram socket.
    pub fn send_urgent(&mut self, id: SocketId, data: &[u8], now: Instant) -> Result<usize> {
        let flow = self.sending(id)?.ok_or(Errno::EOPNOTSUPP)?;
        let sent = connection(&mut self.flows[flow]).send_urgent(data, &mut self.engine.ctx(now));
        self.settle(flow, now);
        sent
    }

    /// `recv(MSG_OOB)` on a stream: the urgent byte, beside the stream; none at end of file.
    ///
    /// # Errors
    /// EINVAL without one, or where `SO_OOBINLINE` has it read in line; EAGAIN when it is announced only; ENOTCONN.
    pub fn recv_urgent(&mut self, id: SocketId, peek: bool) -> Result<Option<u8>> {
        match self.receiving(id)? {
            Some(flow) => connection(&mut self.flows[flow]).recv_urgent(peek),
            None => Err(Errno::EOPNOTSUPP),
        }
    }

    /// The urgent mark in what a stream has received (`SIOCATMARK`: whether nothing is ahead of it).
    pub fn urgent_mark(&self, id: SocketId) -> Option<Mark> {
        let flow = self.socket_ref(id).ok()?.flow()?;
        self.flows[flow].connection()?.mark()
    }

    /// `SIOCINQ`: bytes to be read, up to an urgent mark; of a datagram socket the next datagram's. EINVAL on a listener.
    pub fn queued_in(&self, id: SocketId) -> Result<usize> {
        match &self.socket_ref(id)?.body {
            Body::Unix(_) => self.unix_readable(id),
            Body::Datagram(inbox) => Ok(inbox.queue.front().map_or(0, |datagram| datagram.payload.len())),
            Body::Stream { role: Role::Listener(_), .. } => Err(Errno::EINVAL),
            Body::Stream { role: Role::Idle, .. } => Ok(0),
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                Ok(self.flows[*flow].connection().map_or(0, Connection::readable_bytes))
            }
        }
    }

    /// `SIOCOUTQ`: bytes not acknowledged or not sent. EINVAL on a listener.
    pub fn queued_out(&self, id: SocketId) -> Result<usize> {
        match &self.socket_ref(id)?.body {
            Body::Unix(_) => self.unix_charged(id),
            Body::Stream { role: Role::Listener(_), .. } => Err(Errno::EINVAL),
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                Ok(self.flows[*flow].connection().map_or(0, Connection::send_queued))
            }
            _ => Ok(0),
        }
    }

    /// `SIOCOUTQNSD`: bytes never sent. EINVAL on a listener.
    pub fn queued_unsent(&self, id: SocketId) -> Result<usize> {
        match &self.socket_ref(id)?.body {
            Body::Stream { role: Role::Listener(_), .. } => Err(Errno::EINVAL),
            Body::Stream { role: Role::Connection { flow, .. }, .. } => {
                Ok(self.flows[*flow].connection().map_or(0, Connection::unsent))
            }
            _ => Ok(0),
        }
    }

    /// Whether the peer's FIN was taken in: what is queued is all there will be (Linux: `SOCK_DONE`).
    pub fn is_at_end(&self, id: SocketId) -> bool {
        let flow = self.sockets.get(id).and_then(|socket| socket.flow());
        flow.and_then(|flow| self.flows[flow].connection()).is_some_and(Connection::is_at_end)
    }

    /// The connection to send on; none for a datagram socket.
    fn sending(&self, id: SocketId) -> Result<Option<FlowId>> {
        match &self.socket_ref(id)?.body {
            Body::Datagram(_) | Body::Unix(_) => Ok(None),
            Body::Stream { role: Role::Connection { flow, .. }, .. } => Ok(Some(*flow)),
            Body::Stream { .. } => Err(Errno::EPIPE),
        }
    }

    fn receiving(&self, id: SocketId) -> Result<Option<FlowId>> {
        match &self.socket_ref(id)?.body {
            Body::Datagram(_) | Body::Unix(_) => Ok(None),
            Body::Stream { role: Role::Connection { flow, .. }, .. } => Ok(Some(*flow)),
            Body::Stream { .. } => Err(Errno::ENOTCONN),
        }
    }

    /// Whether a stream that is not connected was shut for reading: its end of file comes before ENOTCONN.
    fn is_shut_idle(&self, id: SocketId) -> bool {
        self.sockets.get(id).is_some_and(|s| s.shut_read && matches!(s.role(), Some(Role::Idle)))
    }
}

fn connection(flow: &mut Flow) -> &mut Connection {
    flow.connection_mut().expect("a socket's flow is a connection")
}

/// Copies what fits; says how much that was.
fn copy_payload(payload: &Payload, buf: &mut [u8]) -> usize {
    let mut at = 0;
    for slice in payload.slices() {
        let n = slice.len().min(buf.len() - at);
        buf[at..at + n].copy_from_slice(&slice[..n]);
        at += n;
    }
    at
}
