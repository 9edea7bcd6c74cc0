//! Urgent data (RFC 9293, 3.8.5; RFC 6093), as Linux has it: one byte, beside the stream or in it.
//!
//! In: what the program sends with `MSG_OOB`, segments with URG. Out: the urgent pointer of segments, a mark in the
//! received stream and the byte at it. The pointer names the byte *behind* the urgent one, as every system's does.
//! The byte stays in the receive queue: reads stop in front of it and, unless `SO_OOBINLINE` is set, pass over it.
//! A second urgent byte makes an ordinary one of the first (Linux: tcp_check_urg, tcp_recv_urg).

use super::block::{Due, Marks};
use super::connection::Connection;
use super::pool::Pool;
use super::{Ctx, Segment, State};
use crate::errno::{Errno, Result};
use crate::wire::tcp::{Flags, Seq, TcpHeader};

/// The mark in the received stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Urgent {
    /// The urgent byte's number.
    seq: Seq,
    byte: Byte,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Byte {
    /// The pointer has come before the byte.
    Awaited,
    Here(u8),
    /// The program has it.
    Taken,
}

/// Where the mark stands for a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Bytes to be read before it.
    pub ahead: usize,
    /// The urgent byte, once it has come and until it was taken by [`Connection::recv_urgent`].
    pub byte: Option<u8>,
}

impl Connection {
    /// `send(MSG_OOB)`: queues `data`, whose last byte is urgent; says how much of it found room.
    ///
    /// # Errors
    /// As [`Connection::send`].
    pub fn send_urgent(&mut self, data: &[u8], ctx: &mut Ctx<'_>) -> Result<usize> {
        let n = self.send(data, ctx)?;
        if n > 0 {
            self.snd.up = self.snd.queue.end();
            self.marks |= Marks::URGENT;
        }
        Ok(n)
    }

    /// `recv(MSG_OOB)`: the urgent byte; none at the end of the stream.
    ///
    /// # Errors
    /// EINVAL when there is none, it was taken, or it is read in line; EAGAIN when it is announced and not there.
    pub fn recv_urgent(&mut self, peek: bool) -> Result<Option<u8>> {
        let Some(urgent) = self.rcv.urgent.as_mut().filter(|_| !self.settings.oob_inline) else {
            return Err(Errno::EINVAL);
        };
        match urgent.byte {
            Byte::Taken => Err(Errno::EINVAL),
            _ if self.state == State::Closed && !self.marks.contains(Marks::DONE) => Err(Errno::ENOTCONN),
            Byte::Here(byte) => {
                if !peek {
                    urgent.byte = Byte::Taken;
                }
                Ok(Some(byte))
            }
            Byte::Awaited if self.marks.contains(Marks::SHUT_READ) => Ok(None),
            Byte::Awaited => Err(Errno::EAGAIN),
        }
    }

    /// The mark, while a reader has not passed it.
    pub fn mark(&self) -> Option<Mark> {
        let urgent = self.rcv.urgent.as_ref()?;
        let byte = match urgent.byte {
            Byte::Here(byte) => Some(byte),
            _ => None,
        };
        Some(Mark { ahead: urgent.seq.diff(self.read_seq()).max(0) as usize, byte })
    }

    /// `SIOCINQ`: bytes up to the mark, or all.
    pub fn readable_bytes(&self) -> usize {
        let queued = self.rcv.queue.len();
        match self.mark() {
            Some(mark) if !self.settings.oob_inline => mark.ahead.min(queued),
            _ => queued,
        }
    }

    /// Whether the next byte is the urgent one, which reads pass over.
    pub(super) fn is_at_mark(&self) -> bool {
        !self.settings.oob_inline && self.mark().is_some_and(|mark| mark.ahead == 0)
    }

    /// Whether the urgent byte waits to be taken (`POLLPRI`).
    pub(super) fn has_urgent(&self) -> bool {
        self.rcv.urgent.is_some_and(|urgent| matches!(urgent.byte, Byte::Here(_)))
    }

    /// How many bytes one read may give: it stops in front of the mark.
    pub(super) fn until_mark(&self) -> usize {
        self.mark().map_or(usize::MAX, |mark| if mark.ahead == 0 { usize::MAX } else { mark.ahead })
    }

    /// Drops the urgent byte where a read goes over the mark.
    pub fn pass_mark(&mut self, pool: &mut Pool) {
        if self.rcv.urgent.is_some() && self.is_at_mark() && self.rcv.queue.len() > 0 {
            self.rcv.queue.consume(1, pool);
            self.forget_mark();
        }
    }

    /// What was read may have gone past the mark.
    pub(super) fn forget_mark(&mut self) {
        if self.rcv.urgent.is_some_and(|urgent| urgent.seq.lt(self.read_seq())) {
            self.rcv.urgent = None;
        }
    }

    /// Sixth step of RFC 9293, 3.10.7.4: the urgent pointer, and the byte if this segment has it.
    pub(super) fn check_urgent(&mut self, segment: &Segment, ctx: &mut Ctx<'_>) {
        let header = &segment.header;
        if header.flags.contains(Flags::URG) {
            self.place_mark(header.seq + u32::from(header.urgent.saturating_sub(1)), ctx);
        }
        let Some(urgent) = self.rcv.urgent.as_mut().filter(|urgent| urgent.byte == Byte::Awaited) else {
            return;
        };
        let offset = urgent.seq.diff(header.seq);
        if let Some(byte) = usize::try_from(offset).ok().and_then(|at| segment.payload.byte(at)) {
            urgent.byte = Byte::Here(byte);
            self.mark_ready();
        }
    }

    fn place_mark(&mut self, seq: Seq, ctx: &mut Ctx<'_>) {
        let read = self.read_seq();
        let known = self.rcv.urgent.is_some_and(|urgent| seq.le(urgent.seq));
        if seq.lt(read) || seq.lt(self.rcv.nxt) || known {
            return;
        }
        if read != self.rcv.nxt {
            // The urgent byte before was left where it stood and nobody has read on: it goes.
            self.pass_mark(ctx.pool);
        }
        self.rcv.urgent = Some(Urgent { seq, byte: Byte::Awaited });
    }

    /// The number of the next byte that the program reads (Linux: `copied_seq`).
    fn read_seq(&self) -> Seq {
        let fin = u32::from(self.marks.contains(Marks::DONE));
        self.rcv.nxt + (self.rcv.queue.len() as u32 + fin).wrapping_neg()
    }

    /// Urgent data that is not acknowledged yet is told of in every segment before its end.
    pub(super) fn tell_urgent(&self, header: &mut TcpHeader) {
        let ahead = self.snd.up.diff(header.seq);
        if ahead <= 0 {
            return;
        }
        let everything_sent = (header.seq + u32::from(u16::MAX)).diff(self.snd.nxt) > 0;
        if ahead <= i32::from(u16::MAX) || everything_sent {
            header.flags |= Flags::URG;
            header.urgent = u16::try_from(ahead).unwrap_or(u16::MAX);
        }
    }

    /// An acknowledgement has come: urgent data may have arrived.
    pub(super) fn settle_urgent(&mut self) {
        if self.marks.contains(Marks::URGENT) && self.snd.up.le(self.snd.una) {
            self.marks.remove(Marks::URGENT);
            self.due |= Due::DATA;
        }
    }
}
