//! What BBR knows of the path: rate, round trip, aggregation, and the bounds that loss has shown.

use super::*;

impl Bbr {
    /// Latest delivery signals, rounds, the rate's maximum, the lower bounds.
    pub(super) fn hear(&mut self, sample: &Sample, r: &Report) {
        (self.loss_round_start, self.round_start) = (false, false);
        if r.lost > 0 {
            self.lost_in_round = self.lost_in_round.saturating_add(r.lost);
            self.loss_events = self.loss_events.saturating_add(1);
        }
        if r.sample.is_none() {
            return;
        }
        self.bw_latest = self.bw_latest.max(sample.rate);
        self.inflight_latest = self.inflight_latest.max(sample.delivered);
        if sample.prior_delivered >= self.loss_round_end {
            (self.loss_round_end, self.loss_round_start) = (r.delivered, true);
        }
        if sample.prior_delivered >= self.round_end {
            self.begin_round(r);
            self.round_start = true;
            self.rounds_since_probe = self.rounds_since_probe.saturating_add(1);
        }
        if sample.rate >= self.bw_max() || !sample.app_limited {
            self.max_bw[1] = self.max_bw[1].max(sample.rate);
        }
        if self.loss_round_start {
            self.look_startup_loss(sample);
            self.adapt_lower_bounds(r);
            (self.lost_in_round, self.loss_events) = (0, 0);
        }
    }

    pub(super) fn begin_round(&mut self, r: &Report) {
        self.round_end = r.delivered;
    }

    /// `BBRAdaptLowerBoundsFromCongestion`: loss while nothing is tried out says that the path holds less.
    pub(super) fn adapt_lower_bounds(&mut self, r: &Report) {
        let tries = matches!(self.state, State::Startup | State::Refill | State::Up);
        let noise = self.inflight_latest as f64 * LOSS_THRESHOLD;
        if tries || f64::from(self.lost_in_round) <= noise {
            return;
        }
        if self.bw_short == u64::MAX {
            self.bw_short = self.bw_max();
        }
        if self.inflight_short == u32::MAX {
            self.inflight_short = r.inflight.max(clip(self.bdp(self.bw_max(), 1.0)));
        }
        self.bw_short = self.bw_latest.max(scale(self.bw_short, BETA));
        let least = scale(u64::from(self.inflight_short), BETA);
        self.inflight_short = clip(self.inflight_latest.max(least));
    }

    /// `BBRUpdateACKAggregation`.
    pub(super) fn hear_aggregation(&mut self, window: u32, r: &Report) {
        let passed = r.now_ns.saturating_sub(self.extra_at) as f64 / 1e9;
        let expected = (self.bw() as f64 * passed) as u64;
        if self.extra_bytes <= expected {
            (self.extra_bytes, self.extra_at) = (0, r.now_ns);
        }
        self.extra_bytes += u64::from(r.bytes);
        let expected = if self.extra_at == r.now_ns { 0 } else { expected };
        if self.round_start {
            self.extra_rounds += 1;
            if self.extra_rounds >= EXTRA_ROUNDS {
                (self.extra, self.extra_rounds) = ([self.extra[1], 0], 0);
            }
        }
        let extra = clip(self.extra_bytes.saturating_sub(expected)).min(window);
        self.extra[1] = self.extra[1].max(extra);
    }

    /// `BBRAdaptLongTermModel`.
    pub(super) fn adapt_upper_bound(&mut self, window: u32, bounded: bool, sample: &Sample, r: &Report) {
        if self.phase == AckPhase::Starting && self.round_start {
            self.phase = AckPhase::Feedback;
        }
        if self.phase == AckPhase::Stopping
            && self.round_start
            && self.state.probes_bw()
            && !sample.app_limited
        {
            self.phase = AckPhase::Refilling;
            self.max_bw = [self.max_bw[1], 0];
        }
        if is_too_high(sample) {
            if core::mem::take(&mut self.probe_samples) {
                self.lower_upper_bound(sample, r);
            }
            return;
        }
        if self.inflight_long == u32::MAX {
            return;
        }
        self.inflight_long = self.inflight_long.max(sample.in_flight);
        if self.state == State::Up && bounded {
            let more = u64::from(r.bytes) * u64::from(self.up_growth) / u64::from(window.max(1));
            self.inflight_long = self.inflight_long.saturating_add(clip(more));
        }
        if self.state == State::Up && self.round_start {
            self.up_growth = self.up_growth.saturating_mul(2).min(window.max(r.mss));
        }
    }

    /// `BBRHandleInflightTooHigh`.
    pub(super) fn lower_upper_bound(&mut self, sample: &Sample, r: &Report) {
        if !sample.app_limited {
            let target = scale(self.bdp(self.bw(), 1.0), BETA);
            self.inflight_long = clip(u64::from(sample.in_flight).max(target));
        }
        if self.state == State::Up {
            self.go_down(r);
        }
    }

    pub(super) fn with_headroom(&self, mss: u32) -> u32 {
        if self.inflight_long == u32::MAX {
            return u32::MAX;
        }
        let headroom = clip(scale(u64::from(self.inflight_long), HEADROOM)).max(mss);
        self.inflight_long.saturating_sub(headroom).max(WINDOW_MIN * mss)
    }

    /// `BBRUpdateMinRTT`; says whether the round trip is to be seen anew.
    pub(super) fn hear_min_rtt(&mut self, r: &Report) -> bool {
        let due = r.now_ns > self.probe_rtt_min_at + PROBE_RTT_EVERY_NS;
        if let Some(rtt) = r.rtt_ns.filter(|rtt| *rtt < self.probe_rtt_min_ns || due) {
            (self.probe_rtt_min_ns, self.probe_rtt_min_at) = (rtt, r.now_ns);
        }
        let expired = r.now_ns > self.min_rtt_at + MIN_RTT_NS;
        if self.probe_rtt_min_ns < self.min_rtt_ns || expired {
            (self.min_rtt_ns, self.min_rtt_at) = (self.probe_rtt_min_ns, self.probe_rtt_min_at);
        }
        due
    }
}
