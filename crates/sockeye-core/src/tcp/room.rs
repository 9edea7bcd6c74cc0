//! How much the send buffer takes.
//!
//! In: the buffer's limit, what is queued and unsent, the windows. Out: how many bytes a write may queue. As Linux
//! (tcp_sendmsg): data is kept in chunks of up to half of the peer's window; a chunk that was begun is filled whatever
//! the limit, and a new one begins while the queue is below the limit and what is unsent below `TCP_NOTSENT_LOWAT`.
//! A chunk that is full at the head of the queue is sent at once, as far as the windows go, which frees its place. When
//! more than half of the peer's window was written since the last push, the chunk that ends there is pushed: it carries
//! PSH, so that the receiver wakes its program before the writer is done.

use super::block::Marks;
use super::connection::{Connection, MSS_DEFAULT};
use super::{Ctx, State};
use crate::errno::{Errno, Result};
use crate::wire::tcp::Seq;
use smallvec::SmallVec;

/// What a write of some length would find.
#[derive(Debug)]
struct Place {
    room: u32,
    /// The length of the last chunk behind it.
    last: u32,
    /// The ends of chunks that are pushed.
    pushes: SmallVec<[Seq; 4]>,
}

impl Connection {
    /// How much of `wanted` may be queued; Linux's order of checks in tcp_sendmsg.
    pub(super) fn send_room(&mut self, wanted: usize) -> Result<usize> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        if self.marks.contains(Marks::SHUT_WRITE) {
            return Err(Errno::EPIPE);
        }
        match self.state {
            State::Established | State::CloseWait => {}
            State::SynReceived if self.is_open_early() => {}
            State::SynSent | State::SynReceived => return Err(Errno::EAGAIN),
            _ => return Err(Errno::EPIPE),
        }
        // A question about no bytes is one about any.
        let asked = u32::try_from(wanted.max(1)).unwrap_or(u32::MAX);
        if self.is_first_small(asked) {
            self.marks -= Marks::NO_SPACE;
            return Ok(asked as usize);
        }
        let room = self.place(asked).room;
        self.marks.set(Marks::NO_SPACE, room < asked);
        if room == 0 { Err(Errno::EAGAIN) } else { Ok(room as usize) }
    }

    /// `n` bytes will be queued now: where the last chunk begins then.
    pub(super) fn note_chunks(&mut self, n: usize) {
        let end = self.snd.queue.end() + n as u32;
        if self.is_first_small(n as u32) {
            self.snd.chunk = self.snd.queue.end();
        } else {
            let place = self.place(n as u32);
            self.snd.chunk = end + place.last.wrapping_neg();
            self.push_at(&place.pushes);
        }
        if !self.marks.contains(Marks::MORE) {
            self.snd.pushed = end;
        }
    }

    /// The first bytes of an empty queue, a segment at most: they find room.
    fn is_first_small(&self, wanted: u32) -> bool {
        self.snd.queue.len() == 0 && wanted <= u32::from(self.snd.mss) && self.snd.limit > 0
    }

    fn place(&self, wanted: u32) -> Place {
        let goal = self.chunk_goal();
        let (next, end) = (self.snd.queue.next_seq(), self.snd.queue.end());
        let mut unsent = end.diff(next) as u32;
        let begun: Seq = if self.snd.chunk.lt(next) { next } else { self.snd.chunk };
        let mut last = end.diff(begun).max(0) as u32;
        let mut charged = self.send_charged() as u32;
        let mut window = self.congestion.window().saturating_sub(self.pipe()).min(self.peer_room());
        let (mut room, mut pushed, mut pushes) = (0, self.snd.pushed, SmallVec::new());
        while room < wanted {
            if last == 0 || last >= goal {
                if charged >= self.snd.limit || unsent >= self.snd.lowat {
                    break;
                }
                last = 0;
                charged += CHUNK_COST;
            }
            let n = (goal - last).min(wanted - room);
            (room, unsent, charged, last) = (room + n, unsent + n, charged + n, last + n);
            if last < goal {
                continue;
            }
            let force = (end + room).diff(pushed) > self.half_window() as i32;
            if force {
                pushed = end + room;
                pushes.push(pushed);
            }
            if force || unsent == last {
                let goes = window.min(unsent) / u32::from(self.snd.mss) * u32::from(self.snd.mss);
                (window, unsent, last) = (window - goes, unsent - goes, last.min(unsent - goes));
            }
        }
        Place { room, last, pushes }
    }

    fn push_at(&mut self, ends: &[Seq]) {
        if ends.is_empty() {
            return;
        }
        let kept = self.snd.pushes.get_or_insert_default();
        for end in ends {
            if kept.len() >= PUSHES_MAX {
                kept.pop_front();
            }
            kept.push_back(*end);
        }
    }

    /// Whether a pushed chunk ends there.
    pub(super) fn is_push_end(&self, seq: Seq) -> bool {
        self.snd.pushes.as_ref().is_some_and(|pushes| pushes.contains(&seq))
    }

    /// `snd.una` has moved.
    pub(super) fn acknowledge_pushes(&mut self, ack: Seq) {
        let Some(pushes) = &mut self.snd.pushes else { return };
        while pushes.front().is_some_and(|end| end.le(ack)) {
            pushes.pop_front();
        }
        if pushes.is_empty() {
            self.snd.pushes = None;
        }
    }

    /// Linux's tcp_xmit_size_goal: what half of the greatest window and a packet of 64 KiB hold.
    fn chunk_goal(&self) -> u32 {
        let mss = u32::from(self.snd.mss);
        let most = self.half_window().min(super::send::BURST_MAX);
        if most < 2 * mss { mss } else { most - most % mss }
    }

    /// tcp_bound_to_half_wnd.
    pub(super) fn half_window(&self) -> u32 {
        let wnd_max = self.snd.wnd_max;
        if wnd_max > u32::from(MSS_DEFAULT) { wnd_max / 2 } else { wnd_max }
    }

    /// What the send queue costs, in bytes of memory (`SK_MEMINFO_WMEM_QUEUED`): the data, and what it takes to hold
    /// each chunk.
    pub fn send_charged(&self) -> usize {
        let len = self.snd.queue.len();
        let short = len <= usize::from(self.snd.mss);
        let chunks =
            if short { usize::from(len > 0) } else { (len as u32).div_ceil(self.chunk_goal()) as usize };
        (len + chunks * CHUNK_COST as usize).max(self.snd.queue.charged())
    }

    /// A third of the send buffer is free (Linux: sk_stream_is_writeable), and what is unsent is below half of
    /// `TCP_NOTSENT_LOWAT`.
    pub(super) fn is_writable(&self) -> bool {
        if self.snd.queue.len() == 0 {
            return true;
        }
        let charged = self.send_charged();
        charged + charged / 2 <= self.snd.limit as usize
            && (self.snd.lowat == u32::MAX || 2 * self.unsent() < self.snd.lowat as usize)
    }

    /// A program that was refused room hears when there is some.
    pub(super) fn tell_space(&mut self) {
        if self.marks.contains(Marks::NO_SPACE) && self.is_writable() {
            self.marks -= Marks::NO_SPACE;
            self.mark_ready();
        }
    }

    /// `TCP_NOTSENT_LOWAT`, or what the host has for all.
    pub(super) fn resolve_lowat(&mut self, ctx: &Ctx<'_>) {
        let own = self.settings.notsent_lowat;
        self.snd.lowat = if own == 0 { ctx.limits.notsent_lowat } else { own };
    }
}

/// Pushes that are told apart; beyond, the oldest are forgotten.
const PUSHES_MAX: usize = 256;
/// What Linux takes for the head of a chunk (`SKB_TRUESIZE` of headers alone).
const CHUNK_COST: u32 = 1280;
