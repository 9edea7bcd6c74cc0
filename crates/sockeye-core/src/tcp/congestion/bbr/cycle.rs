//! What BBR does in turn: startup, drain, the cycle of probing, and the look at the least round trip.

use super::*;

impl Bbr {
    /// `BBRCheckFullBWReached`.
    pub(super) fn look_full(&mut self, sample: &Sample) {
        if self.full_bw_now || !self.round_start || sample.app_limited {
            return;
        }
        if sample.rate >= scale(self.full_bw, 1.25) {
            self.reset_full();
            self.full_bw = sample.rate;
            return;
        }
        self.full_bw_count += 1;
        self.full_bw_now = self.full_bw_count >= FULL_ROUNDS;
        self.full_bw_reached |= self.full_bw_now;
    }

    pub(super) fn reset_full(&mut self) {
        (self.full_bw, self.full_bw_count, self.full_bw_now) = (0, 0, false);
    }

    /// `BBRCheckStartupHighLoss`.
    pub(super) fn look_startup_loss(&mut self, sample: &Sample) {
        if !self.full_bw_reached && self.loss_events >= STARTUP_LOSSES && is_too_high(sample) {
            self.full_bw_reached = true;
            let bdp = self.bdp(self.bw_max(), 1.0);
            self.inflight_long = clip(bdp.max(self.inflight_latest));
        }
    }

    /// The state machine, but for probe RTT.
    pub(super) fn step(&mut self, window: u32, sample: &Sample, r: &Report) {
        if self.state == State::Startup && self.full_bw_reached {
            self.state = State::Drain;
        }
        if self.state == State::Drain && u64::from(r.inflight) <= self.bdp(self.bw(), 1.0) {
            self.go_down(r);
        }
        if !self.full_bw_reached {
            return;
        }
        // The bound is what holds the sender back: asked before it is raised.
        let bounded = r.limited && window >= self.inflight_long;
        self.adapt_upper_bound(window, bounded, sample, r);
        if self.state == State::Up && self.is_time_to_go_down(bounded, sample) {
            self.go_down(r);
            return;
        }
        match self.state {
            State::Down if self.is_time_to_probe(r) => self.refill(r),
            State::Down if self.is_time_to_cruise(r) => self.state = State::Cruise,
            State::Cruise if self.is_time_to_probe(r) => self.refill(r),
            State::Refill if self.round_start => {
                self.probe_samples = true;
                self.go_up(sample, r);
            }
            _ => {}
        }
    }

    pub(super) fn go_down(&mut self, r: &Report) {
        (self.lost_in_round, self.bw_latest, self.inflight_latest) = (0, 0, 0);
        self.rounds_since_probe = self.roll() as u32 & 1;
        self.probe_wait_ns = PROBE_WAIT_NS + self.roll() % PROBE_WAIT_MORE_NS;
        self.cycle_at = r.now_ns;
        self.phase = AckPhase::Stopping;
        self.begin_round(r);
        self.state = State::Down;
    }

    pub(super) fn refill(&mut self, r: &Report) {
        (self.bw_short, self.inflight_short) = (u64::MAX, u32::MAX);
        self.up_growth = r.mss;
        self.phase = AckPhase::Refilling;
        self.begin_round(r);
        self.state = State::Refill;
    }

    pub(super) fn go_up(&mut self, sample: &Sample, r: &Report) {
        self.phase = AckPhase::Starting;
        self.begin_round(r);
        self.reset_full();
        self.full_bw = sample.rate;
        self.state = State::Up;
        self.cycle_at = r.now_ns;
    }

    /// Often enough for flows of Reno beside it, and every few seconds (`BBRIsTimeToProbeBW`).
    pub(super) fn is_time_to_probe(&self, r: &Report) -> bool {
        let target = self.bdp(self.bw(), 1.0) / u64::from(r.mss.max(1));
        r.now_ns.saturating_sub(self.cycle_at) > self.probe_wait_ns
            || u64::from(self.rounds_since_probe) >= target.min(PROBE_ROUNDS)
    }

    pub(super) fn is_time_to_cruise(&self, r: &Report) -> bool {
        r.inflight <= self.with_headroom(r.mss) && u64::from(r.inflight) <= self.bdp(self.bw_max(), 1.0)
    }

    pub(super) fn is_time_to_go_down(&mut self, bounded: bool, sample: &Sample) -> bool {
        if bounded {
            self.reset_full();
            self.full_bw = sample.rate;
            return false;
        }
        self.full_bw_now
    }

    /// `BBRCheckProbeRTT`.
    pub(super) fn probe_rtt(&mut self, window: &mut u32, due: bool, sample: &Sample, r: &Report) {
        if self.state != State::ProbeRtt && due && !self.idle_restart {
            self.window_before = *window;
            (self.probe_rtt_done_at, self.probe_rtt_round_done) = (None, false);
            self.phase = AckPhase::Stopping;
            self.begin_round(r);
            self.state = State::ProbeRtt;
        }
        if self.state == State::ProbeRtt {
            self.stay_in_probe_rtt(window, r);
        }
        if sample.delivered > 0 {
            self.idle_restart = false;
        }
    }

    pub(super) fn stay_in_probe_rtt(&mut self, window: &mut u32, r: &Report) {
        match self.probe_rtt_done_at {
            None if r.inflight <= self.probe_rtt_window(r.mss) => {
                self.probe_rtt_done_at = Some(r.now_ns + PROBE_RTT_NS);
                self.begin_round(r);
            }
            None => {}
            Some(at) => {
                self.probe_rtt_round_done |= self.round_start;
                if self.probe_rtt_round_done && r.now_ns > at {
                    self.probe_rtt_min_at = r.now_ns;
                    (self.bw_short, self.inflight_short) = (u64::MAX, u32::MAX);
                    *window = (*window).max(self.window_before);
                    if self.full_bw_reached {
                        self.go_down(r);
                        self.state = State::Cruise;
                    } else {
                        self.state = State::Startup;
                    }
                }
            }
        }
    }

    pub(super) fn probe_rtt_window(&self, mss: u32) -> u32 {
        clip(self.bdp(self.bw(), State::ProbeRtt.window_gain())).max(WINDOW_MIN * mss)
    }

    /// Probing at times that do not fall in step with other flows'.
    pub(super) fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.dice >> 33
    }
}
