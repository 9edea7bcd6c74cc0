//! When data went and arrived: the sender's half of `SO_TIMESTAMPING`.
//!
//! In: writes, first transmissions, acknowledgements. Out: for the last byte of each write up to three times: given to
//! the device's queue, given to the device (here the same moment), acknowledged. A write is told apart by the number of
//! its last byte, counted from what was unacknowledged when the option was set (`SOF_TIMESTAMPING_OPT_ID`).

use super::connection::Connection;
use crate::time::Instant;
use crate::wire::tcp::Seq;
use alloc::collections::VecDeque;

/// What happened to the last byte of a write (`SCM_TSTAMP_*`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StampKind {
    /// It left as part of a packet.
    Sent,
    /// It came to the queue of the device.
    Scheduled,
    /// The peer has acknowledged it.
    Acknowledged,
}

/// One time, as it stands in the socket's error queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// What happened.
    pub kind: StampKind,
    /// The number of the byte; zero unless numbers were asked for.
    pub key: u32,
    /// When.
    pub at: Instant,
}

bitflags::bitflags! {
    /// `SOF_TIMESTAMPING_*`, those of sending in software.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub struct Stamping: u32 {
        /// `TX_SOFTWARE`.
        const TX_SOFTWARE = 1 << 1;
        /// `SOFTWARE`: the times are given at all.
        const SOFTWARE = 1 << 4;
        /// `OPT_ID`.
        const NUMBERED = 1 << 7;
        /// `TX_SCHED`.
        const TX_SCHED = 1 << 8;
        /// `TX_ACK`.
        const TX_ACK = 1 << 9;
    }
}

/// What a connection keeps when times were asked for.
#[derive(Debug)]
pub(super) struct Stamps {
    wanted: Stamping,
    base: Seq,
    /// Behind the last byte of each write that is not acknowledged, and whether that was sent.
    writes: VecDeque<(Seq, bool)>,
    done: VecDeque<Stamp>,
}

impl Stamps {
    fn put(&mut self, kind: StampKind, end: Seq, at: Instant) {
        let numbered = self.wanted.contains(Stamping::NUMBERED);
        let key = if numbered { end.diff(self.base).wrapping_sub(1) as u32 } else { 0 };
        if self.done.len() < DONE_MAX {
            self.done.push_back(Stamp { kind, key, at });
        }
    }
}

impl Connection {
    /// `SO_TIMESTAMPING`; nothing wanted ends it.
    pub fn set_stamping(&mut self, wanted: Stamping) {
        let base = match self.rare.as_ref().and_then(|rare| rare.stamps.as_ref()) {
            Some(stamps) if stamps.wanted.contains(Stamping::NUMBERED) => stamps.base,
            _ => self.snd.una,
        };
        let stamps = &mut self.rare.get_or_insert_default().stamps;
        let (writes, done) = stamps.take().map_or_else(Default::default, |old| (old.writes, old.done));
        *stamps = (!wanted.is_empty()).then_some(Stamps { wanted, base, writes, done });
    }

    /// The next time that waits to be told.
    pub fn take_stamp(&mut self) -> Option<Stamp> {
        self.rare.as_mut()?.stamps.as_mut()?.done.pop_front()
    }

    /// Whether one waits.
    pub fn has_stamps(&self) -> bool {
        self.rare.as_ref().and_then(|rare| rare.stamps.as_ref()).is_some_and(|stamps| !stamps.done.is_empty())
    }

    /// A write of the program ends where the queue does.
    pub(super) fn note_write(&mut self) {
        let end = self.snd.queue.end();
        let Some(stamps) = self.rare.as_mut().and_then(|rare| rare.stamps.as_mut()) else { return };
        let any = Stamping::TX_SOFTWARE | Stamping::TX_SCHED | Stamping::TX_ACK;
        if stamps.wanted.intersects(any) && stamps.writes.len() < WRITES_MAX {
            stamps.writes.push_back((end, false));
        }
    }

    /// Everything before `nxt` was sent at least once.
    pub(super) fn stamp_sent(&mut self, nxt: Seq, now: Instant) {
        let Some(stamps) = self.rare.as_mut().and_then(|rare| rare.stamps.as_mut()) else { return };
        let mut told = false;
        for i in 0..stamps.writes.len() {
            let (end, sent) = stamps.writes[i];
            if sent || nxt.lt(end) {
                continue;
            }
            stamps.writes[i].1 = true;
            for (kind, flag) in
                [(StampKind::Scheduled, Stamping::TX_SCHED), (StampKind::Sent, Stamping::TX_SOFTWARE)]
            {
                if stamps.wanted.contains(flag | Stamping::SOFTWARE) {
                    stamps.put(kind, end, now);
                    told = true;
                }
            }
        }
        if told {
            self.mark_ready();
        }
    }

    /// Everything before `una` is acknowledged.
    pub(super) fn stamp_acknowledged(&mut self, una: Seq, now: Instant) {
        let Some(stamps) = self.rare.as_mut().and_then(|rare| rare.stamps.as_mut()) else { return };
        let before = stamps.done.len();
        while let Some(&(end, _)) = stamps.writes.front().filter(|(end, _)| end.le(una)) {
            stamps.writes.pop_front();
            if stamps.wanted.contains(Stamping::TX_ACK | Stamping::SOFTWARE) {
                stamps.put(StampKind::Acknowledged, end, now);
            }
        }
        if stamps.done.len() > before {
            self.mark_ready();
        }
    }
}

/// Writes under way, and times that wait: beyond, they are not told (Linux: the limit of the error queue's memory).
const WRITES_MAX: usize = 4096;
const DONE_MAX: usize = 4096;
