//! The scoreboard (RFC 6675, 3): what became of each stretch of sequence space in flight.
//!
//! In: what was sent and when, what was acknowledged, selectively or not, what is assumed lost. Out: how much
//! is still in the network, and what to send again. Neighbours that share their fate are one stretch, so that
//! the list is as long as the path's history is odd, not as the window is wide: an acknowledgement costs
//! O(log n) and the stretches that it ends. It decides nothing and knows no clock.

use crate::wire::tcp::Seq;
use alloc::boxed::Box;
use alloc::collections::VecDeque;

/// The stretches between `snd.una` and `snd.nxt`, in order and without gaps.
#[derive(Debug, Default)]
pub(in crate::tcp) struct Board {
    /// Where the first one begins.
    base: Seq,
    sent: VecDeque<Sent>,
    /// Bytes that were selectively acknowledged.
    sacked: u32,
    /// Bytes that are assumed lost and not yet sent again.
    lost: u32,
    /// Bytes that were ever assumed lost; it wraps around.
    lost_ever: u32,
    /// Bytes that duplicate acknowledgements of a peer without SACK have accounted for (RFC 5681, 3.2).
    guessed: u32,
    /// Behind the highest byte that was selectively acknowledged.
    highest: Seq,
    /// No stretch before it is lost.
    lost_from: Seq,
    /// Every stretch before it that was sent once has been judged by its time.
    judged: Seq,
    /// What was sent again, in the order of time: start, end and when. Boxed, since most connections never do.
    #[allow(clippy::box_collection)]
    resent: Option<Box<VecDeque<(Seq, Seq, u64)>>>,
    /// The last time given to a stretch, and whether it was sent again: what is sent at one moment keeps its
    /// order by a nanosecond, on which RACK's judgement rests.
    last_at: u64,
    last_again: bool,
}

/// One stretch; it begins where the one before it ends.
#[derive(Clone, Copy, Debug)]
pub(in crate::tcp) struct Sent {
    pub(in crate::tcp) end: Seq,
    pub(in crate::tcp) fate: Fate,
    /// Sent more than once: it measures nothing (Karn).
    pub(in crate::tcp) again: bool,
    /// When it was last sent, in nanoseconds.
    pub(in crate::tcp) at: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::tcp) enum Fate {
    Flight,
    Sacked,
    /// To be sent again.
    Lost,
}

impl Board {
    pub(in crate::tcp) fn new(base: Seq) -> Self {
        Self { base, highest: base, lost_from: base, judged: base, ..Self::default() }
    }

    pub(in crate::tcp) fn sacked(&self) -> u32 {
        self.sacked
    }

    pub(in crate::tcp) fn lost(&self) -> u32 {
        self.lost
    }

    /// Bytes that were ever assumed lost: a count that wraps around.
    pub(in crate::tcp) fn lost_ever(&self) -> u32 {
        self.lost_ever
    }

    /// What has left the network without being lost: by SACK, or as guessed.
    pub(in crate::tcp) fn left(&self) -> u32 {
        self.sacked + self.guessed
    }

    /// Behind the highest byte known to have arrived.
    pub(in crate::tcp) fn highest(&self) -> Seq {
        if self.sacked > 0 { self.highest } else { self.base }
    }

    /// Whether all is as on a path without loss.
    pub(in crate::tcp) fn is_calm(&self) -> bool {
        self.sacked | self.lost | self.guessed == 0
    }

    /// When the oldest stretch was last sent.
    pub(in crate::tcp) fn oldest_at(&self) -> Option<u64> {
        self.sent.front().map(|first| first.at)
    }

    /// Bytes in flight that were sent again.
    pub(in crate::tcp) fn again(&self) -> u32 {
        let flies = |i: &usize| self.sent[*i].again && self.sent[*i].fate == Fate::Flight;
        (0..self.sent.len()).filter(flies).map(|i| self.len_of(i)).sum()
    }

    /// When the first of what was sent again, and is not acknowledged, was.
    pub(in crate::tcp) fn oldest_again(&self, una: Seq) -> Option<u64> {
        self.resent.iter().flat_map(|all| all.iter()).find(|(_, end, _)| una.lt(*end)).map(|&(_, _, at)| at)
    }

    /// New data up to `end` was sent.
    pub(in crate::tcp) fn push(&mut self, end: Seq, now: u64) {
        let at = now.max(self.last_at + u64::from(self.last_again));
        (self.last_at, self.last_again) = (at, false);
        let full = self.sent.len() >= STRETCHES_MAX;
        if let Some(last) = self.sent.back_mut()
            && last.fate == Fate::Flight
            && !last.again
            && (last.at == at || full)
        {
            (last.end, last.at) = (end, at);
            return;
        }
        self.sent.push_back(Sent { end, fate: Fate::Flight, again: false, at });
    }

    /// The same as [`Board::acknowledge`] on a path without loss: gives what was sent first and last of it.
    pub(in crate::tcp) fn acknowledge_calm(&mut self, ack: Seq) -> Option<(Sent, Sent)> {
        let oldest = *self.sent.front()?;
        let mut newest = oldest;
        while let Some(&first) = self.sent.front().filter(|_| self.base.lt(ack)) {
            newest = first;
            if ack.lt(first.end) {
                break;
            }
            self.base = first.end;
            self.sent.pop_front();
        }
        newest.end = ack;
        (self.base, self.judged, self.lost_from) = (ack, ack, ack);
        self.give_back();
        Some((oldest, newest))
    }

    /// An idle connection holds no list of any size.
    fn give_back(&mut self) {
        if self.sent.is_empty() && self.sent.capacity() > STRETCHES_KEPT {
            self.sent = VecDeque::new();
        }
    }

    /// Everything before `ack` has arrived; `tell` hears of each stretch that was not known to, with its
    /// length.
    pub(in crate::tcp) fn acknowledge(&mut self, ack: Seq, mut tell: impl FnMut(&Sent, u32)) {
        while let Some(first) = self.sent.front_mut() {
            if !self.base.lt(ack) {
                break;
            }
            let end = if first.end.le(ack) { first.end } else { ack };
            let n = end.diff(self.base) as u32;
            match first.fate {
                Fate::Sacked => self.sacked -= n,
                Fate::Lost => self.lost -= n,
                Fate::Flight => {}
            }
            if first.fate != Fate::Sacked {
                tell(&Sent { end, ..*first }, n);
            }
            self.base = end;
            if first.end == end {
                self.sent.pop_front();
            }
        }
        self.base = ack;
        if self.judged.lt(ack) {
            self.judged = ack;
        }
        if self.lost_from.lt(ack) {
            self.lost_from = ack;
        }
        self.give_back();
        let Some(resent) = &mut self.resent else { return };
        while resent.front().is_some_and(|&(_, end, _)| end.le(ack)) {
            resent.pop_front();
        }
        if resent.is_empty() {
            self.resent = None;
        }
    }

    /// `start..end` has arrived out of order; `tell` as for [`Board::acknowledge`].
    pub(in crate::tcp) fn sack(&mut self, start: Seq, end: Seq, mut tell: impl FnMut(&Sent, u32)) {
        let at = self.find(start);
        let Some(first) = self.sent.get(at) else { return };
        if first.fate == Fate::Sacked && end.le(first.end) {
            return;
        }
        if self.sent.len() + 2 > STRETCHES_MAX {
            return;
        }
        let (from, to) = (self.split(start), self.split(end));
        for at in from..to {
            let (stretch, n) = (self.sent[at], self.len_of(at));
            if stretch.fate == Fate::Sacked {
                continue;
            }
            if stretch.fate == Fate::Lost {
                self.lost -= n;
            }
            self.sacked += n;
            tell(&stretch, n);
            self.sent[at].fate = Fate::Sacked;
        }
        self.unite(from, to);
        if self.highest.lt(end) {
            self.highest = end;
        }
    }

    /// One more segment has arrived somewhere, says a peer without SACK.
    pub(in crate::tcp) fn guess(&mut self, mss: u32, flight: u32) {
        self.guessed = (self.guessed + mss).min(flight.saturating_sub(self.lost + mss));
    }

    /// A hole was closed, and what arrived behind it with it.
    pub(in crate::tcp) fn guess_closed(&mut self, bytes: u32, mss: u32) {
        self.guessed = self.guessed.saturating_sub(bytes.saturating_sub(mss));
    }

    pub(in crate::tcp) fn forget_guesses(&mut self) {
        self.guessed = 0;
    }

    /// The first `n` bytes are lost, unless known to have arrived.
    pub(in crate::tcp) fn lose_first(&mut self, n: u32) {
        let Some(last) = self.sent.back() else { return };
        let end = if last.end.lt(self.base + n) { last.end } else { self.base + n };
        for at in 0..self.split(end) {
            self.lose(at);
        }
    }

    /// The timer expired: all is lost but what was sent so late that it may still arrive. The data that the
    /// peer took back (RFC 2018, 8) is lost too.
    pub(in crate::tcp) fn lose_all(&mut self, recent: impl Fn(&Sent) -> bool) {
        if self.sent.front().is_some_and(|first| first.fate == Fate::Sacked) {
            self.sent.iter_mut().filter(|s| s.fate == Fate::Sacked).for_each(|s| s.fate = Fate::Flight);
            self.sacked = 0;
        }
        self.guessed = 0;
        for at in 0..self.sent.len() {
            if at == 0 || !recent(&self.sent[at]) {
                self.lose(at);
            }
        }
        self.judge_anew();
    }

    /// What was assumed lost is not: the assumption has turned out wrong.
    pub(in crate::tcp) fn find_again(&mut self) {
        self.sent.iter_mut().filter(|s| s.fate == Fate::Lost).for_each(|s| s.fate = Fate::Flight);
        self.lost = 0;
        self.judge_anew();
    }

    /// The first stretch that is to be sent again: start and end.
    pub(in crate::tcp) fn next_lost(&mut self) -> Option<(Seq, Seq)> {
        if self.lost == 0 {
            return None;
        }
        let mut at = self.find(self.lost_from);
        while self.sent[at].fate != Fate::Lost {
            at += 1;
        }
        let start = self.start_of(at);
        self.lost_from = start;
        Some((start, self.sent[at].end))
    }

    /// `start..end` was sent again.
    pub(in crate::tcp) fn sent_again(&mut self, start: Seq, end: Seq, now: u64) {
        let at = now.max(self.last_at + 1);
        (self.last_at, self.last_again) = (at, true);
        for i in self.split(start)..self.split(end) {
            if self.sent[i].fate == Fate::Lost {
                self.lost -= self.len_of(i);
            }
            let stretch = &mut self.sent[i];
            if stretch.fate != Fate::Sacked {
                (stretch.fate, stretch.again, stretch.at) = (Fate::Flight, true, at);
            }
        }
        self.resent.get_or_insert_default().push_back((start, end, at));
    }

    /// Marks lost, in the order of sending, as long as `is_lost` says so of end and time (RFC 8985, 6.2 step
    /// 5). Gives the time of the earliest of which it says no, not yet; none ends the search.
    pub(in crate::tcp) fn judge(&mut self, is_lost: impl Fn(Seq, u64) -> Option<bool>) -> Option<u64> {
        let once = self.judge_sent_once(&is_lost);
        let again = self.judge_resent(&is_lost);
        once.into_iter().chain(again).min()
    }

    /// What was judged before may be judged again: both orders of time begin anew.
    fn judge_anew(&mut self) {
        self.judged = self.base;
        let mut resent = VecDeque::new();
        let mut start = self.base;
        for stretch in &self.sent {
            if stretch.fate == Fate::Flight && stretch.again {
                resent.push_back((start, stretch.end, stretch.at));
            }
            start = stretch.end;
        }
        resent.make_contiguous().sort_by_key(|&(_, _, at)| at);
        self.resent = (!resent.is_empty()).then(|| Box::new(resent));
    }

    fn judge_sent_once(&mut self, is_lost: &impl Fn(Seq, u64) -> Option<bool>) -> Option<u64> {
        let mut i = self.find(self.judged);
        while let Some(&stretch) = self.sent.get(i) {
            if stretch.fate == Fate::Flight && !stretch.again {
                match is_lost(stretch.end, stretch.at) {
                    Some(true) => self.lose(i),
                    Some(false) => return Some(stretch.at),
                    None => return None,
                }
            }
            self.judged = stretch.end;
            i += 1;
        }
        None
    }

    fn judge_resent(&mut self, is_lost: &impl Fn(Seq, u64) -> Option<bool>) -> Option<u64> {
        while let Some(&(start, end, at)) = self.resent.as_ref()?.front() {
            let mut i = self.find(start);
            let mut waits = false;
            while let Some(&stretch) = self.sent.get(i).filter(|s| s.end.le(end)) {
                if stretch.fate == Fate::Flight && stretch.again && stretch.at == at {
                    match is_lost(end, at) {
                        Some(true) => self.lose(i),
                        Some(false) => return Some(at),
                        None => waits = true,
                    }
                }
                i += 1;
            }
            if waits {
                return None;
            }
            self.resent.as_mut()?.pop_front();
        }
        None
    }

    fn lose(&mut self, at: usize) {
        if self.sent[at].fate != Fate::Flight {
            return;
        }
        let start = self.start_of(at);
        self.lost += self.len_of(at);
        self.lost_ever = self.lost_ever.wrapping_add(self.len_of(at));
        self.sent[at].fate = Fate::Lost;
        if start.lt(self.lost_from) || self.lost == self.len_of(at) {
            self.lost_from = start;
        }
    }

    /// The stretch that a sequence number lies in.
    fn find(&self, seq: Seq) -> usize {
        self.sent.partition_point(|stretch| stretch.end.le(seq))
    }

    fn start_of(&self, at: usize) -> Seq {
        if at == 0 { self.base } else { self.sent[at - 1].end }
    }

    fn len_of(&self, at: usize) -> u32 {
        self.sent[at].end.diff(self.start_of(at)) as u32
    }

    /// Makes a stretch begin at `seq` and gives its place.
    fn split(&mut self, seq: Seq) -> usize {
        let at = self.find(seq);
        if at == self.sent.len() || self.start_of(at) == seq {
            return at;
        }
        let whole = self.sent[at];
        self.sent.insert(at, Sent { end: seq, ..whole });
        at + 1
    }

    /// Makes one of the stretches `from..to`, all of which have arrived, and of their neighbours that have.
    fn unite(&mut self, mut from: usize, mut to: usize) {
        let arrived = |stretch: Option<&Sent>| stretch.is_some_and(|s| s.fate == Fate::Sacked);
        if from > 0 && arrived(self.sent.get(from - 1)) {
            from -= 1;
        }
        if arrived(self.sent.get(to)) {
            to += 1;
        }
        if to > from + 1 {
            self.sent[from].end = self.sent[to - 1].end;
            self.sent.drain(from + 1..to);
        }
    }
}

/// However the peer cuts the window into stretches, no more are kept: further news is passed over, which
/// costs at worst a retransmission.
const STRETCHES_MAX: usize = 1 << 15;
/// A list that grew past this is given back when it is empty.
const STRETCHES_KEPT: usize = 16;

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
