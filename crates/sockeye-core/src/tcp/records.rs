//! Ends of records in the send queue: no segment goes beyond one.
//!
//! In: what `MSG_EOR` ends, the data of a SYN, a FIN that went alone. Out: where a segment must end, at its first
//! transmission and at every other. Linux keeps such data in buffers of their own, which are never put together.

use super::connection::Connection;
use crate::wire::tcp::Seq;
use alloc::collections::VecDeque;

/// The ends that are not acknowledged, in order; it exists only while there are some.
#[derive(Debug, Default)]
pub(super) struct Records(VecDeque<Seq>);

impl Records {
    /// The last end before `seq`.
    pub(super) fn last_before(&self, seq: Seq) -> Option<Seq> {
        self.0.iter().rev().copied().find(|end| end.lt(seq))
    }

    /// Forgets what is acknowledged; says whether nothing is left.
    fn acknowledge(&mut self, ack: Seq) -> bool {
        while self.0.front().is_some_and(|end| end.le(ack)) {
            self.0.pop_front();
        }
        self.0.is_empty()
    }
}

impl Connection {
    /// `MSG_EOR`: what is written later begins a segment of its own.
    pub fn end_record(&mut self) {
        let end = self.snd.queue.end();
        let records = &mut self.snd.records.get_or_insert_default().0;
        if records.back() != Some(&end) && records.len() < RECORDS_MAX {
            records.push_back(end);
        }
    }

    /// How much of `len` bytes from `seq` on is before the end of a record.
    pub(super) fn until_record(&self, seq: Seq, len: u32) -> u32 {
        let Some(records) = &self.snd.records else { return len };
        let end = records.0.iter().find(|end| seq.lt(**end));
        end.map_or(len, |end| len.min(end.diff(seq) as u32))
    }

    /// Whether a record ends there.
    pub(super) fn is_record_end(&self, seq: Seq) -> bool {
        self.snd.records.as_ref().is_some_and(|records| records.0.contains(&seq))
    }

    /// `snd.una` has moved.
    pub(super) fn acknowledge_records(&mut self, ack: Seq) {
        if self.snd.records.as_mut().is_some_and(|records| records.acknowledge(ack)) {
            self.snd.records = None;
        }
    }
}

/// Records that are told apart; beyond, they run together.
const RECORDS_MAX: usize = 1024;
