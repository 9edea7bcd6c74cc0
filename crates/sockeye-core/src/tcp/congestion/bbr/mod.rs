//! BBR (draft-ietf-ccwg-bbr, version 3): a model of the path instead of a reaction to loss.
//!
//! In: each acknowledgement, with its sample of the delivery rate (`rate`) and what was lost. Out: a pacing rate and a
//! window. The model is the greatest rate at which data has lately arrived and the least round trip; together they are
//! what the path holds. Most of the time the sender sends at that rate (cruise), now and then it tries more (up) and
//! makes room for it (down), and rarely it empties the queue to see the least round trip again (probe RTT). Loss bounds
//! the model only above `LOSS_THRESHOLD`: below, it is noise.
//!
//! Names are the draft's. Rates are bytes a second, times nanoseconds, amounts bytes; the greatest value is "none".
//! Against the draft: what was lost is judged with each acknowledgement, not with each packet, recovery needs no
//! window of its own (as Linux's version 3), since the pacing rate bounds what goes, and the lower bounds follow rounds
//! that lost more than the threshold, not every loss: on a path that loses a thousandth at random each round loses
//! something, and the sender would cruise at half of what it knows the path to carry.

mod cycle;
mod path;

use crate::tcp::rate::Sample;

/// What an acknowledgement says, as BBR needs it.
#[derive(Clone, Copy, Debug)]
pub(in crate::tcp) struct Report {
    pub(in crate::tcp) now_ns: u64,
    /// What has newly arrived, and what is newly taken for lost.
    pub(in crate::tcp) bytes: u32,
    pub(in crate::tcp) lost: u32,
    pub(in crate::tcp) rtt_ns: Option<u64>,
    pub(in crate::tcp) sample: Option<Sample>,
    /// All that has ever arrived (`C.delivered`).
    pub(in crate::tcp) delivered: u64,
    pub(in crate::tcp) inflight: u32,
    pub(in crate::tcp) mss: u32,
    /// The window was what held the sender back.
    pub(in crate::tcp) limited: bool,
}

#[derive(Clone, Debug)]
pub(in crate::tcp) struct Bbr {
    state: State,
    pacing_rate: u64,
    window_before: u32,
    /// Round trips, counted in data that has arrived.
    round_end: u64,
    round_start: bool,
    rounds_since_probe: u32,
    /// The greatest rate of this cycle of probing and of the one before.
    max_bw: [u64; 2],
    min_rtt_ns: u64,
    min_rtt_at: u64,
    probe_rtt_min_ns: u64,
    probe_rtt_min_at: u64,
    probe_rtt_done_at: Option<u64>,
    probe_rtt_round_done: bool,
    idle_restart: bool,
    /// Whether the pipe is full: three rounds without a quarter more.
    full_bw: u64,
    full_bw_count: u8,
    full_bw_now: bool,
    full_bw_reached: bool,
    /// Bounds out of loss: for good, and while cruising.
    inflight_long: u32,
    inflight_short: u32,
    bw_short: u64,
    bw_latest: u64,
    inflight_latest: u64,
    loss_round_end: u64,
    loss_round_start: bool,
    /// Bytes lost in this round, and by how many acknowledgements.
    lost_in_round: u32,
    loss_events: u8,
    /// The cycle of probing.
    cycle_at: u64,
    probe_wait_ns: u64,
    probe_samples: bool,
    up_growth: u32,
    phase: AckPhase,
    /// How much more arrives at a time than the rate says (aggregation), in this and the last five rounds.
    extra: [u32; 2],
    extra_rounds: u8,
    extra_at: u64,
    extra_bytes: u64,
    dice: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Startup,
    Drain,
    Down,
    Cruise,
    Refill,
    Up,
    ProbeRtt,
}

/// What the acknowledgements that come now are about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum AckPhase {
    Starting,
    Feedback,
    Stopping,
    Refilling,
}

impl State {
    fn pacing_gain(self) -> f64 {
        match self {
            Self::Startup => 2.77,
            Self::Drain => 0.5,
            Self::Down => 0.9,
            Self::Cruise | Self::Refill | Self::ProbeRtt => 1.0,
            Self::Up => 1.25,
        }
    }

    fn window_gain(self) -> f64 {
        match self {
            Self::ProbeRtt => 0.5,
            Self::Up => 2.25,
            _ => 2.0,
        }
    }

    fn probes_bw(self) -> bool {
        matches!(self, Self::Down | Self::Cruise | Self::Refill | Self::Up)
    }
}

impl Bbr {
    /// Begins with what a handshake has measured; zero when nothing was.
    pub(super) fn new(window: u32, srtt_ns: u64, now_ns: u64) -> Self {
        let rtt = if srtt_ns > 0 { srtt_ns } else { 1_000_000 };
        let rate = u64::from(window) * 1_000_000_000 / rtt;
        Self {
            state: State::Startup,
            pacing_rate: scale(rate, State::Startup.pacing_gain()),
            window_before: window,
            round_end: 0,
            round_start: false,
            rounds_since_probe: 0,
            max_bw: [0; 2],
            min_rtt_ns: if srtt_ns > 0 { srtt_ns } else { u64::MAX },
            min_rtt_at: now_ns,
            probe_rtt_min_ns: if srtt_ns > 0 { srtt_ns } else { u64::MAX },
            probe_rtt_min_at: now_ns,
            probe_rtt_done_at: None,
            probe_rtt_round_done: false,
            idle_restart: false,
            full_bw: 0,
            full_bw_count: 0,
            full_bw_now: false,
            full_bw_reached: false,
            inflight_long: u32::MAX,
            inflight_short: u32::MAX,
            bw_short: u64::MAX,
            bw_latest: 0,
            inflight_latest: 0,
            loss_round_end: 0,
            loss_round_start: false,
            lost_in_round: 0,
            loss_events: 0,
            cycle_at: now_ns,
            probe_wait_ns: 0,
            probe_samples: false,
            up_growth: 0,
            phase: AckPhase::Starting,
            extra: [0; 2],
            extra_rounds: 0,
            extra_at: now_ns,
            extra_bytes: 0,
            dice: now_ns ^ u64::from(window) << 32 | 1,
        }
    }

    pub(super) fn pacing_rate(&self) -> u64 {
        self.pacing_rate
    }

    /// `struct tcp_bbr_info`: rate (low and high word), least round trip in microseconds, gains in 256ths.
    pub(super) fn info(&self) -> [u32; 5] {
        let (bw, rtt) = (self.bw(), if self.min_rtt_ns == u64::MAX { 0 } else { self.min_rtt_ns / 1000 });
        let gain = |gain: f64| (gain * 256.0) as u32;
        let (pacing, window) = (gain(self.state.pacing_gain()), gain(self.state.window_gain()));
        [bw as u32, (bw >> 32) as u32, clip(rtt), pacing, window]
    }

    /// Whether the sender holds back to see the least round trip: then it is not the path that limits it.
    pub(super) fn probes_rtt(&self) -> bool {
        self.state == State::ProbeRtt
    }

    /// `BBRUpdateOnACK`.
    pub(super) fn acknowledged(&mut self, window: &mut u32, r: &Report) {
        let sample = r.sample.unwrap_or_default();
        self.hear(&sample, r);
        self.hear_aggregation(*window, r);
        self.look_full(&sample);
        self.step(*window, &sample, r);
        let due = self.hear_min_rtt(r);
        self.probe_rtt(window, due, &sample, r);
        if self.loss_round_start {
            (self.bw_latest, self.inflight_latest) = (sample.rate, sample.delivered);
        }
        self.set_pacing_rate();
        self.set_window(window, r);
    }

    /// Everything in flight was taken for lost: what was the window comes back when it is over (RTO).
    pub(super) fn timed_out(&mut self, window: u32) {
        self.window_before = self.window_before.max(window);
        self.lost_in_round = u32::MAX;
    }

    /// After a timeout the window is again what it was.
    pub(super) fn recovered(&self, window: u32) -> u32 {
        window.max(self.window_before)
    }

    /// A loss that was none: the bounds that it set are lifted.
    pub(super) fn spurious(&mut self) {
        (self.inflight_short, self.bw_short) = (u32::MAX, u64::MAX);
        self.lost_in_round = 0;
        self.reset_full();
    }

    /// The sender was idle and goes on at the model's rate (`BBRHandleRestartFromIdle`).
    pub(super) fn restarted(&mut self, now_ns: u64) {
        self.idle_restart = true;
        self.extra_at = now_ns;
        self.extra_bytes = 0;
    }

    fn bw_max(&self) -> u64 {
        self.max_bw[0].max(self.max_bw[1])
    }

    fn bw(&self) -> u64 {
        self.bw_max().min(self.bw_short)
    }

    /// What the path holds, `gain` times.
    fn bdp(&self, bw: u64, gain: f64) -> u64 {
        if self.min_rtt_ns == u64::MAX {
            return u64::from(self.window_before);
        }
        (bw as f64 * self.min_rtt_ns as f64 / 1e9 * gain) as u64
    }

    fn set_pacing_rate(&mut self) {
        // A hundredth below, so that the queue can empty.
        let rate = scale(self.bw(), self.state.pacing_gain() * 0.99);
        if rate > 0 && (self.full_bw_reached || rate > self.pacing_rate) {
            self.pacing_rate = rate;
        }
    }

    /// `BBRSetCwnd` and what bounds it.
    fn set_window(&mut self, window: &mut u32, r: &Report) {
        let quantum = (self.pacing_rate / 1000).min(QUANTUM_MAX).max(2 * u64::from(r.mss));
        let mut most =
            self.bdp(self.bw(), self.state.window_gain()) + u64::from(self.extra[0].max(self.extra[1]));
        most = most.max(3 * quantum).max(u64::from(WINDOW_MIN * r.mss));
        if self.state == State::Up {
            most += 2 * u64::from(r.mss);
        }
        let most = clip(most);
        if self.full_bw_reached {
            *window = window.saturating_add(r.bytes).min(most);
        } else if *window < most || r.delivered < 2 * u64::from(FIRST_WINDOW * r.mss) {
            *window = window.saturating_add(r.bytes);
        }
        let bound = match self.state {
            State::Cruise | State::ProbeRtt => self.with_headroom(r.mss),
            state if state.probes_bw() => self.inflight_long,
            _ => u32::MAX,
        };
        let mut bound = bound.min(self.inflight_short);
        if self.state == State::ProbeRtt {
            bound = bound.min(self.probe_rtt_window(r.mss));
        }
        *window = (*window).min(bound).max(WINDOW_MIN * r.mss);
    }
}

/// `BBRIsInflightTooHigh`.
fn is_too_high(sample: &Sample) -> bool {
    f64::from(sample.lost) > f64::from(sample.in_flight) * LOSS_THRESHOLD
}

fn scale(n: u64, by: f64) -> u64 {
    (n as f64 * by) as u64
}

fn clip(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX - 1)
}

/// The draft's constants.
const LOSS_THRESHOLD: f64 = 0.02;
const BETA: f64 = 0.7;
const HEADROOM: f64 = 0.15;
const WINDOW_MIN: u32 = 4;
const FIRST_WINDOW: u32 = 10;
const FULL_ROUNDS: u8 = 3;
const STARTUP_LOSSES: u8 = 6;
const EXTRA_ROUNDS: u8 = 5;
const MIN_RTT_NS: u64 = 10_000_000_000;
const PROBE_RTT_EVERY_NS: u64 = 5_000_000_000;
const PROBE_RTT_NS: u64 = 200_000_000;
const PROBE_WAIT_NS: u64 = 2_000_000_000;
const PROBE_WAIT_MORE_NS: u64 = 1_000_000_000;
const PROBE_ROUNDS: u64 = 63;
const QUANTUM_MAX: u64 = 64 << 10;
