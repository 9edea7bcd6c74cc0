//! The program's calls, none of which blocks: send, receive, shutdown, close.
//!
//! Which error comes when, and in which order with data that is queued, is what Linux's tcp_sendmsg,
//! tcp_recvmsg, inet_shutdown and tcp_close do.

use super::block::{Due, Marks};
use super::connection::{Connection, receive_limit};
use super::pool::{LARGE_LEN, Pool};
use super::timers::Timer;
use super::{Ctx, State};
use crate::errno::{Errno, Result};
use bytes::Bytes;
use core::time::Duration;
use smallvec::SmallVec;

impl Connection {
    /// Initialised memory to read data into: at most `max` bytes, what the send buffer has free and what a
    /// chunk holds, never none unless `max` is zero.
    ///
    /// # Errors
    /// EAGAIN: the buffer is full, or the connection is not yet there. The pending error, once; after it, and
    /// after shutdown, EPIPE.
    pub fn send_reserve(&mut self, max: usize, pool: &mut Pool) -> Result<&mut [u8]> {
        let room = self.send_room(max)?;
        Ok(self.snd.queue.reserve(max.min(room), pool))
    }

    /// The first `n` bytes of what was reserved are data to send.
    ///
    /// # Panics
    /// When more is committed than was reserved.
    pub fn send_commit(&mut self, n: usize, ctx: &mut Ctx<'_>) {
        self.note_chunks(n);
        self.snd.queue.commit(n, ctx.pool);
        self.note_write();
        self.due |= Due::DATA;
    }

    /// Queues a copy of `data`; says how much of it found room.
    ///
    /// # Errors
    /// As [`Connection::send_reserve`].
    pub fn send(&mut self, data: &[u8], ctx: &mut Ctx<'_>) -> Result<usize> {
        let room = self.send_room(data.len())?;
        let data = &data[..data.len().min(room)];
        self.note_chunks(data.len());
        if data.len() <= SEND_SMALL {
            self.snd.queue.push_copy(data, ctx.pool);
        } else {
            for part in data.chunks(LARGE_LEN) {
                let mut left = part;
                while !left.is_empty() {
                    let area = self.snd.queue.reserve(left.len(), ctx.pool);
                    let n = area.len();
                    area.copy_from_slice(&left[..n]);
                    self.snd.queue.commit(n, ctx.pool);
                    left = &left[n..];
                }
            }
        }
        self.note_write();
        self.due |= Due::DATA;
        Ok(data.len())
    }

    /// Queues a chunk by reference; says how much of it found room.
    ///
    /// # Errors
    /// As [`Connection::send_reserve`].
    pub fn send_chunk(&mut self, mut chunk: Bytes, ctx: &mut Ctx<'_>) -> Result<usize> {
        let room = self.send_room(chunk.len())?;
        chunk.truncate(room);
        let n = chunk.len();
        if n > 0 {
            self.note_chunks(n);
            self.snd.queue.push_chunk(chunk, ctx.pool);
            self.note_write();
            self.due |= Due::DATA;
        }
        Ok(n)
    }

    /// Partial segments go at once, CORK or not: `TCP_NODELAY` was set (Linux: TCP_NAGLE_PUSH).
    pub fn push(&mut self) {
        self.due |= Due::DATA | Due::FORCE;
    }

    /// `MSG_MORE`, of the last write: while it is set, partial segments wait as under `TCP_CORK`.
    pub fn set_more(&mut self, more: bool, _ctx: &mut Ctx<'_>) {
        self.marks.set(Marks::MORE | Marks::UNPUSHED, more);
        if !more {
            self.due |= Due::DATA;
        }
    }

    /// What waits to be received, in order and up to an urgent mark, at most 8 slices of it.
    pub fn recv_slices(&self) -> SmallVec<[&[u8]; 8]> {
        let mut slices = self.rcv.queue.slices();
        if self.rcv.urgent.is_some() {
            cut(&mut slices, self.until_mark());
        }
        slices
    }

    /// Takes the first `n` received bytes off; the window opens.
    ///
    /// # Panics
    /// When more is taken than waits.
    pub fn consume(&mut self, n: usize, ctx: &mut Ctx<'_>) {
        self.rcv.queue.consume(n, ctx.pool);
        self.forget_mark();
        if matches!(self.state, State::Closed | State::TimeWait) {
            return;
        }
        self.tune_receive_buffer(n, ctx);
        if !self.marks.contains(Marks::DONE) && self.owes_window_update() {
            self.due |= Due::ACK;
        }
    }

    /// Copies received bytes to `buf` and, unless this is a `peek`, takes them off.
    ///
    /// `Ok(0)` is the end of the stream, or an empty `buf`.
    ///
    /// # Errors
    /// As [`Connection::recv_end`], when nothing waits.
    pub fn recv(&mut self, buf: &mut [u8], peek: bool, ctx: &mut Ctx<'_>) -> Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let skip = usize::from(self.rcv.urgent.is_some() && self.is_at_mark());
        let most = buf.len().min(self.until_mark());
        let n = self.rcv.queue.peek(skip, &mut buf[..most]);
        if !peek && skip > 0 {
            self.pass_mark(ctx.pool);
        }
        if n == 0 {
            return self.recv_end().map(|()| 0);
        }
        if !peek {
            self.consume(n, ctx);
        }
        Ok(n)
    }

    /// What recv answers when nothing waits: `Ok(())` at the end of the stream.
    ///
    /// # Errors
    /// The pending error, once (a FIN that came before it hides it); EAGAIN.
    pub fn recv_end(&mut self) -> Result<()> {
        if self.marks.contains(Marks::DONE) {
            return Ok(());
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.marks.contains(Marks::SHUT_READ) { Ok(()) } else { Err(Errno::EAGAIN) }
    }

    /// `shutdown(SHUT_WR)`: a FIN behind what is queued.
    ///
    /// # Errors
    /// ENOTCONN when the connection is closed.
    pub fn shutdown_write(&mut self, _ctx: &mut Ctx<'_>) -> Result<()> {
        match self.state {
            State::Closed | State::TimeWait => return Err(Errno::ENOTCONN),
            // Linux: inet_shutdown disconnects an attempt.
            State::SynSent => self.finish(),
            State::Established | State::CloseWait | State::SynReceived => self.owe_fin(),
            _ => {}
        }
        self.marks |= Marks::SHUT_WRITE;
        self.mark_ready();
        Ok(())
    }

    /// `shutdown(SHUT_RD)`: recv says the end of the stream; what still comes is accepted, as on Linux.
    pub fn shutdown_read(&mut self) {
        self.marks |= Marks::SHUT_READ;
        self.mark_ready();
    }

    /// A connection of a socket that was shut before: its program reads the end, and cannot send.
    pub fn begin_shut(&mut self, read: bool, write: bool) {
        self.marks.set(Marks::SHUT_READ, read);
        self.marks.set(Marks::SHUT_WRITE, write);
    }

    /// The last descriptor went: a FIN, or a reset when data is unread (RFC 2525, 2.17) or `linger_s` is zero.
    /// What is left of the connection is an orphan.
    pub fn close(&mut self, ctx: &mut Ctx<'_>) {
        let unread = self.rcv.queue.len() > 0;
        self.marks |= Marks::ORPHAN | Marks::SHUT_READ;
        self.rcv.queue = Default::default();
        match self.state {
            State::Closed | State::TimeWait => {}
            State::SynSent => self.finish(),
            _ if unread => {
                ctx.counters.abort_on_close += 1;
                self.abort(ctx);
            }
            _ if self.settings.linger_s == Some(0) => {
                ctx.counters.abort_on_linger += 1;
                self.abort(ctx);
            }
            State::Established | State::CloseWait | State::SynReceived => self.owe_fin(),
            State::FinWait2 => self.linger_in_fin_wait_2(ctx),
            _ => {}
        }
        self.marks |= Marks::SHUT_WRITE;
    }

    /// A reset now.
    pub fn abort(&mut self, _ctx: &mut Ctx<'_>) {
        // Linux: tcp_need_reset. The others have nothing to reset, or their peer does not need to hear.
        let needed = matches!(
            self.state,
            State::Established | State::CloseWait | State::FinWait1 | State::FinWait2 | State::SynReceived
        );
        if needed {
            self.owe_reset();
        }
        self.finish();
    }

    /// Makes effective what was changed through [`Connection::settings_mut`].
    pub fn settings_changed(&mut self, ctx: &mut Ctx<'_>) {
        // NODELAY and CORK are asked at each segment; what they held back is looked at again.
        self.due |= if self.state == State::Closed { Due::empty() } else { Due::DATA };
        if self.settings.quickack && self.timers.is_set(Timer::DelayedAck) {
            self.due |= Due::ACK;
        }
        if !matches!(self.state, State::Closed | State::SynSent | State::TimeWait)
            && self.settings.keepalive != self.timers.is_set(Timer::Keepalive)
        {
            self.arm_keepalive(ctx);
        } else if self.timers.is_set(Timer::Keepalive) {
            let idle = Duration::from_secs(u64::from(self.settings.keep_idle_s));
            let heard = self.rcv.last_received.max(self.snd.last_sent);
            self.timers.set(Timer::Keepalive, (heard + idle).max(ctx.now));
        }
        if self.settings.receive_buffer_locked || self.settings.window_clamp > 0 {
            self.rcv.limit = receive_limit(&self.settings, ctx);
        }
        self.congestion.choose(self.settings.congestion);
        self.tune_send_buffer(ctx);
        self.mark_ready();
    }

    /// A reset with our place in the stream is due (Linux: tcp_send_active_reset).
    pub(super) fn owe_reset(&mut self) {
        self.reset = (self.snd.nxt, Some(self.rcv.nxt));
        self.due |= Due::RST;
    }

    /// A FIN follows what is queued (RFC 9293, 3.10.4).
    pub(super) fn owe_fin(&mut self) {
        self.marks |= Marks::FIN;
        match self.state {
            State::CloseWait => self.state = State::LastAck,
            State::Established => self.state = State::FinWait1,
            _ => {}
        }
        self.due |= Due::DATA;
    }
}

/// Sends up to this size are copied into the coalescing chunk.
const SEND_SMALL: usize = 2 << 10;

/// Shortens a list of slices to `most` bytes.
fn cut(slices: &mut SmallVec<[&[u8]; 8]>, mut most: usize) {
    for slice in slices.iter_mut() {
        *slice = &slice[..slice.len().min(most)];
        most -= slice.len();
    }
    slices.retain(|slice| !slice.is_empty());
}
