//! What must always be true of a connection between two steps of its host: asked by simulations, never on the way of
//! a packet.

use super::block::Marks;
use super::connection::Connection;
use super::timers::Timer;
use super::{Limits, State};
use alloc::format;
use alloc::string::String;

impl Connection {
    /// The first invariant that is broken, in words.
    pub fn check(&self, limits: &Limits) -> Result<(), String> {
        if matches!(self.state, State::Closed | State::SynSent | State::SynReceived | State::TimeWait) {
            return Ok(());
        }
        self.check_sent()?;
        self.check_timers()?;
        self.check_received(limits)
    }

    fn check_sent(&self) -> Result<(), String> {
        let snd = &self.snd;
        let (una, nxt, next, end) = (snd.una, snd.nxt, snd.queue.next_seq(), snd.queue.end());
        ensure(snd.iss.lt(una) && !nxt.lt(una), || {
            format!("snd: iss {:?} una {una:?} nxt {nxt:?}", snd.iss)
        })?;
        // A FIN takes the number behind the last byte.
        let fin = nxt.diff(next);
        ensure((0..=1).contains(&fin) && !end.lt(next), || {
            format!("snd.nxt {nxt:?}, queue {next:?} to {end:?}")
        })?;
        ensure(fin == 0 || self.marks.contains(Marks::FIN) && next == end, || "a FIN before the end".into())?;
        let waiting = end.diff(una).max(0) as usize;
        ensure(snd.queue.len() == waiting, || {
            format!("{} bytes queued, {waiting} unacknowledged", snd.queue.len())
        })?;
        let flight = nxt.diff(una) as u32;
        let gone = self.recovery.board.left() + self.recovery.board.lost();
        ensure(gone <= flight, || format!("{gone} bytes left or lost of {flight} in flight"))
    }

    /// RFC 6298, 5.1: what is in flight has a timer; RFC 9293, 3.8.6.1: what a shut window holds back has one.
    fn check_timers(&self) -> Result<(), String> {
        let flight = self.snd.nxt.diff(self.snd.una);
        let retransmit = self.timers.is_set(Timer::Retransmit);
        ensure(flight == 0 || retransmit, || format!("{flight} in flight and no retransmission timer"))?;
        let held = self.due.is_empty() && flight == 0 && self.snd.wnd == 0 && self.snd.queue.len() > 0;
        ensure(!held || self.timers.is_set(Timer::Persist), || "a shut window and no probe timer".into())
    }

    fn check_received(&self, limits: &Limits) -> Result<(), String> {
        let rcv = &self.rcv;
        ensure(!rcv.nxt.lt(rcv.acked), || format!("rcv: acked {:?} beyond nxt {:?}", rcv.acked, rcv.nxt))?;
        // A FIN is taken in although it stands behind the window.
        ensure(rcv.edge.diff(rcv.nxt) >= -1, || {
            format!("rcv.nxt {:?} beyond the window {:?}", rcv.nxt, rcv.edge)
        })?;
        let pieces = rcv.reassembly.as_ref().map_or(0, |r| r.len());
        let most = usize::from(limits.reassembly_pieces_max);
        ensure(pieces <= most, || format!("{pieces} pieces out of order, {most} at most"))?;
        match &rcv.reassembly {
            Some(waiting) => waiting.check(rcv.bytes),
            None => Ok(()),
        }
    }
}

/// An error unless `fact`.
pub(super) fn ensure(fact: bool, text: impl FnOnce() -> String) -> Result<(), String> {
    if fact { Ok(()) } else { Err(text()) }
}
