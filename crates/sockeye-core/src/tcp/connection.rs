//! The connection.

use super::{Ctx, IcmpError, Pool, Segment, Settings, State, TcpInfo, TimeWait};
use crate::errno::{Errno, Result};
use crate::readiness::Readiness;
use crate::time::Instant;
use crate::wire::tcp::Seq;
use bytes::Bytes;
use core::net::SocketAddr;
use smallvec::SmallVec;

/// One connection, from SYN-SENT or ESTABLISHED on.
#[derive(Debug)]
pub struct Connection {
    state: State,
    settings: Settings,
}

#[allow(unused_variables)]
impl Connection {
    /// Active open. `mss_path` is the route's MTU less the IP header and 20.
    pub fn connect(
        local: SocketAddr,
        remote: SocketAddr,
        iss: Seq,
        mss_path: u16,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> Self {
        todo!()
    }

    // Getters.
    pub fn local(&self) -> SocketAddr {
        todo!()
    }
    pub fn remote(&self) -> SocketAddr {
        todo!()
    }
    pub fn state(&self) -> State {
        self.state
    }
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
    /// Exactly Linux's tcp_poll.
    pub fn readiness(&self) -> Readiness {
        todo!()
    }
    /// The pending error (`SO_ERROR`), left in place.
    pub fn error(&self) -> Option<Errno> {
        todo!()
    }
    pub fn info(&self, now: Instant) -> TcpInfo {
        todo!()
    }
    /// Bytes that wait for recv (`SIOCINQ`).
    pub fn received(&self) -> usize {
        todo!()
    }
    /// Bytes that the peer has not acknowledged (`SIOCOUTQ`).
    pub fn send_queued(&self) -> usize {
        todo!()
    }
    /// Bytes that were never sent (`SIOCOUTQNSD`).
    pub fn unsent(&self) -> usize {
        todo!()
    }
    /// No program holds it any more.
    pub fn is_orphan(&self) -> bool {
        todo!()
    }
    /// Closed and nothing more to send: the table may drop it (an orphan) or take it out of the demultiplexer.
    pub fn is_finished(&self) -> bool {
        todo!()
    }
    /// Whether `transmit` may have something to give.
    pub fn wants_transmit(&self) -> bool {
        todo!()
    }
    /// The exact time of the next `expire`.
    pub fn deadline(&self) -> Option<Instant> {
        todo!()
    }
    /// The buffers' sizes in force, as `SO_SNDBUF` and `SO_RCVBUF` show them.
    pub fn send_buffer(&self) -> usize {
        todo!()
    }
    pub fn receive_buffer(&self) -> usize {
        todo!()
    }

    // What happens to it.
    pub fn arrive(&mut self, segment: Segment, ctx: &mut Ctx<'_>) {
        todo!()
    }
    pub fn expire(&mut self, ctx: &mut Ctx<'_>) {
        todo!()
    }
    pub fn icmp_error(&mut self, error: IcmpError, quoted: Seq, ctx: &mut Ctx<'_>) {
        todo!()
    }
    /// The next segment to send; drained until `None`.
    pub fn transmit(&mut self, ctx: &mut Ctx<'_>) -> Option<Segment> {
        todo!()
    }

    // Calls; none blocks.
    /// Initialised memory to read data into, at most `max` bytes and what the send buffer has free.
    /// EAGAIN: no room, or not yet connected. EPIPE: shut. The pending error, once.
    pub fn send_reserve(&mut self, max: usize, pool: &mut Pool) -> Result<&mut [u8]> {
        todo!()
    }
    /// The first `n` reserved bytes are data to send.
    pub fn send_commit(&mut self, n: usize, ctx: &mut Ctx<'_>) {
        todo!()
    }
    pub fn send(&mut self, data: &[u8], ctx: &mut Ctx<'_>) -> Result<usize> {
        todo!()
    }
    pub fn send_chunk(&mut self, chunk: Bytes, ctx: &mut Ctx<'_>) -> Result<usize> {
        todo!()
    }
    /// `MSG_MORE` of the writes that follow: partial segments wait, as under `TCP_CORK`.
    pub fn set_more(&mut self, more: bool, ctx: &mut Ctx<'_>) {
        todo!()
    }
    /// What waits to be received, in order, without taking it. At most 8 slices are given at a time.
    pub fn recv_slices(&self) -> SmallVec<[&[u8]; 8]> {
        todo!()
    }
    /// Takes the first `n` received bytes off.
    pub fn consume(&mut self, n: usize, ctx: &mut Ctx<'_>) {
        todo!()
    }
    /// `Ok(0)` is the end of the stream (or an empty `buf`), EAGAIN nothing yet, else the pending error, once.
    pub fn recv(&mut self, buf: &mut [u8], peek: bool, ctx: &mut Ctx<'_>) -> Result<usize> {
        todo!()
    }
    /// What recv answers when nothing is queued: `Ok(())` at the end of the stream, the pending error once, EAGAIN.
    pub fn recv_end(&mut self) -> Result<()> {
        todo!()
    }
    pub fn shutdown_write(&mut self, ctx: &mut Ctx<'_>) -> Result<()> {
        todo!()
    }
    pub fn shutdown_read(&mut self) {
        todo!()
    }
    /// The last descriptor went: FIN, or RST when data is unread (RFC 2525, 2.17) or `linger_s` is zero.
    pub fn close(&mut self, ctx: &mut Ctx<'_>) {
        todo!()
    }
    /// RST now.
    pub fn abort(&mut self, ctx: &mut Ctx<'_>) {
        todo!()
    }
    /// `SO_ERROR`: the pending error, which it clears.
    pub fn take_error(&mut self) -> Option<Errno> {
        todo!()
    }
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }
    /// Makes what was changed through `settings_mut` effective.
    pub fn settings_changed(&mut self, ctx: &mut Ctx<'_>) {
        todo!()
    }
    /// Whether readiness may have changed since this was last asked: the table queues an event.
    pub fn take_ready(&mut self) -> bool {
        todo!()
    }
    /// Some once TIME-WAIT is entered (see `take_time_wait`).
    pub fn time_wait(&self) -> Option<TimeWait> {
        todo!()
    }
    /// The small type that stands for the connection in TIME-WAIT: the table puts it in the connection's place.
    /// The connection itself is CLOSED afterwards, as on Linux: its queued data can still be received.
    pub fn take_time_wait(&mut self) -> Option<TimeWait> {
        todo!()
    }
}
