//! Delivery rate sampling (draft-ietf-ccwg-bbr, section 4.1): how fast data arrives at the peer.
//!
//! In: each moment at which something is sent, with what had arrived by then; what each acknowledgement says has
//! arrived. Out: a sample of the rate, which is `tcpi_delivery_rate` and what BBR goes by. A sample is what arrived
//! between two acknowledgements about a round trip apart, over the longer of the times in which it was sent and
//! acknowledged, so that neither a burst of sending nor one of acknowledgements makes it too great.
//!
//! What is sent at one moment is one record, as on the scoreboard; records end when something sent later has arrived.

use super::block::Marks;
use super::connection::Connection;
use super::pool::Pool;
use alloc::boxed::Box;
use alloc::collections::VecDeque;

/// A connection's counts while something is in flight; times in nanoseconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Sampler {
    /// Bytes that have arrived, and when the last of them did (`C.delivered`, `C.delivered_time`).
    pub(super) delivered: u64,
    delivered_at: u64,
    first_sent_at: u64,
    /// Until so much has arrived, samples say what the program asked for, not what the path can (`C.app_limited`).
    app_limited: u64,
    sent: VecDeque<Sent>,
}

/// The state of the counts when something was sent (`P.*`).
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: u64,
    delivered: u64,
    delivered_at: u64,
    first_sent_at: u64,
    lost: u32,
    /// In flight behind the last segment of this moment.
    in_flight: u32,
    app_limited: bool,
}

/// One sample (`rs`); bytes, and bytes a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub(super) rate: u64,
    pub(super) delivered: u64,
    /// What had arrived when the newest of what was acknowledged was sent.
    pub(super) prior_delivered: u64,
    /// What was in flight then, and what was lost since.
    pub(super) in_flight: u32,
    pub(super) lost: u32,
    pub(super) app_limited: bool,
}

impl Sampler {
    /// Something goes out; `in_flight` counts it.
    fn sent(&mut self, now: u64, lost: u32, in_flight: u32, fresh: bool) {
        if fresh {
            (self.first_sent_at, self.delivered_at) = (now, now);
            // Who has just begun to send says little of the path (Linux: tcp_rate_check_app_limited).
            self.app_limited = self.delivered.max(1);
        }
        let full = self.sent.len() >= RECORDS_MAX;
        if let Some(last) = self.sent.back_mut()
            && (last.at == now || full)
        {
            last.in_flight = in_flight;
            return;
        }
        self.sent.push_back(Sent {
            at: now,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
            first_sent_at: self.first_sent_at,
            lost,
            in_flight,
            app_limited: self.app_limited > 0,
        });
    }

    /// `bytes` have arrived, the newest of them sent at `sent_at`; `lost` is the count of what was ever lost.
    fn arrived(&mut self, bytes: u32, sent_at: u64, now: u64, lost: u32) -> Option<Sample> {
        self.delivered += u64::from(bytes);
        self.delivered_at = now;
        if self.app_limited > 0 && self.delivered > self.app_limited {
            self.app_limited = 0;
        }
        let place = match self.sent.len() {
            1 => 0,
            _ => self.sent.partition_point(|sent| sent.at <= sent_at).checked_sub(1)?,
        };
        let sent = self.sent[place];
        if place > 0 {
            self.sent.drain(..place);
        }
        self.first_sent_at = sent.at;
        let sending = sent.at - sent.first_sent_at;
        let acknowledging = now.saturating_sub(sent.delivered_at);
        let (interval, delivered) = (sending.max(acknowledging), self.delivered - sent.delivered);
        Some(Sample {
            rate: rate(delivered, interval),
            delivered,
            prior_delivered: sent.delivered,
            in_flight: sent.in_flight,
            lost: lost.wrapping_sub(sent.lost),
            app_limited: sent.app_limited,
        })
    }

    /// Ready for another connection.
    pub(super) fn clear(&mut self) {
        self.sent.clear();
        (self.delivered, self.app_limited) = (0, 0);
    }

    /// Nothing keeps more memory than it is worth.
    pub(super) fn is_small(&self) -> bool {
        self.sent.capacity() <= RECORDS_KEPT
    }
}

impl Connection {
    /// A segment of `len` bytes of sequence space goes out; nothing of it is counted in flight yet.
    pub(super) fn note_rate_sent(&mut self, len: u32, now: u64, pool: &mut Pool) {
        let (pipe, lost) = (self.pipe(), self.recovery.board.lost_ever());
        let fresh = self.flight() == 0;
        let sampler = self.rate.get_or_insert_with(|| pool.take_sampler());
        sampler.sent(now, lost, pipe + len, fresh);
    }

    /// `bytes` have arrived: the sample, where one can be taken.
    pub(super) fn note_rate_arrived(&mut self, bytes: u32, sent_at: Option<u64>, now: u64) -> Option<Sample> {
        let (lost, min_rtt) = (self.recovery.board.lost_ever(), self.rtt.min_ns());
        let sampler = self.rate.as_mut()?;
        let Some(sent_at) = sent_at else {
            sampler.delivered += u64::from(bytes);
            return None;
        };
        let sample = sampler.arrived(bytes, sent_at, now, lost)?;
        // Faster than a round trip: an acknowledgement of what was sent again, for what was sent first.
        let counts = sample.rate > 0 && now.saturating_sub(sent_at) >= min_rtt / 2;
        if counts && (!sample.app_limited || sample.rate >= self.totals.delivery_rate) {
            self.totals.delivery_rate = sample.rate;
            self.marks.set(Marks::RATE_APP_LIMITED, sample.app_limited);
        }
        Some(sample)
    }

    /// The program, not the path, limits what is in flight from now on (`C.app_limited`).
    pub(super) fn note_program_limited(&mut self) {
        // Noted already, as in every exchange of questions and answers.
        if self.rate.as_ref().is_none_or(|rate| rate.app_limited >= rate.delivered.max(1)) {
            return;
        }
        let pipe = self.pipe();
        let full = pipe + u32::from(self.snd.mss) > self.congestion.window();
        if full || self.recovery.board.lost() > 0 || self.unsent() > usize::from(self.snd.mss) {
            return;
        }
        self.mark_program_limited();
    }

    pub(super) fn mark_program_limited(&mut self) {
        let pipe = u64::from(self.pipe());
        if let Some(sampler) = &mut self.rate {
            sampler.app_limited = (sampler.delivered + pipe).max(1);
        }
    }

    /// Nothing is in flight: a connection that is idle needs no counts, unless its algorithm goes by them.
    pub(super) fn rest_rate(&mut self, pool: &mut Pool) {
        if !self.congestion.is_model()
            && let Some(sampler) = self.rate.take()
        {
            pool.give_sampler(sampler);
        }
    }
}

impl Pool {
    fn take_sampler(&mut self) -> Box<Sampler> {
        self.samplers.pop().unwrap_or_default()
    }

    fn give_sampler(&mut self, mut sampler: Box<Sampler>) {
        if self.samplers.len() < SAMPLERS_KEPT && sampler.is_small() {
            sampler.clear();
            self.samplers.push(sampler);
        }
    }
}

/// Bytes a second.
fn rate(bytes: u64, ns: u64) -> u64 {
    match bytes.checked_mul(1_000_000_000) {
        _ if ns == 0 => 0,
        Some(scaled) => scaled / ns,
        None => (bytes as f64 * 1e9 / ns as f64) as u64,
    }
}

/// Moments told apart in one flight.
const RECORDS_MAX: usize = 1 << 15;
const RECORDS_KEPT: usize = 64;
const SAMPLERS_KEPT: usize = 64;
