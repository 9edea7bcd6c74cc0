//! Loss: when it is assumed, what is sent again, and when the assumption turns out wrong.
//!
//! In: what an acknowledgement brought (`news`), and the timers. Out: marks on the scoreboard (`board`), from
//! which `send` takes what is sent again; the congestion window while it shrinks. The order is Linux's, in one
//! place here: learn (`news`), end or undo what was begun (`undo`, `timeout`), look for losses (`rack`), begin
//! and lead a recovery (`reduce`), set the timer (`timeout`, `probe`).
//!
//! A connection without loss has only the scoreboard and a few numbers; the rest is in a box.

mod board;
mod news;
mod probe;
mod rack;
mod reduce;
mod timeout;
mod undo;

use super::block::{Due, Marks};
use super::congestion::{Ack, Report};
use super::connection::Connection;
use super::timers::{Moment, Timer};
use super::{Ctx, State};
use crate::time::Instant;
use crate::wire::tcp::Seq;
use alloc::boxed::Box;
use board::Board;
pub(super) use news::News;
use probe::Probe;
use rack::Rack;
use reduce::Reduction;
use timeout::Pending;
use undo::Undo;

/// What recovery remembers.
#[derive(Debug, Default)]
pub(super) struct Recovery {
    pub(super) phase: Phase,
    pub(super) dup_acks: u16,
    /// Doublings of the timeout, and retransmissions by timer since the last progress.
    pub(super) backoff: u8,
    pub(super) retransmits: u8,
    /// What the retransmission timer is set for.
    pending: Pending,
    /// The peer's SACK option was agreed on.
    pub(super) selective: bool,
    pub(super) board: Board,
    rack: Rack,
    /// When the timer first expired without progress since.
    pub(super) timed_out_at: Moment,
    /// When the handshake's segment was sent, unless twice.
    pub(super) handshake_at: Moment,
    episode: Option<Box<Episode>>,
}

/// Linux's names: Open (and Disorder), Recovery, Loss.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Phase {
    #[default]
    Open,
    /// Fast recovery: what is lost is sent again while the window shrinks.
    Fast,
    /// The window shrinks for a mark of congestion (RFC 3168); nothing is lost.
    Reduced,
    /// After a timeout: everything is sent again as the window opens.
    Loss,
}

/// What only a connection that has lost something needs.
#[derive(Debug, Default)]
struct Episode {
    /// Recovery ends when this is acknowledged (RFC 6675's RecoveryPoint).
    recover: Option<Seq>,
    reduction: Reduction,
    undo: Option<Undo>,
    /// F-RTO (RFC 5682) is still finding out whether the timeout was spurious.
    doubts_timeout: bool,
    /// F-RTO's step 2b: new data goes before what is lost.
    new_first: bool,
    probe: Option<Probe>,
}

impl Recovery {
    pub(super) fn new(base: Seq) -> Self {
        Self { board: Board::new(base), ..Self::default() }
    }

    /// The handshake is over: data begins.
    pub(super) fn restart(&mut self) {
        *self = Self {
            selective: self.selective,
            board: core::mem::take(&mut self.board),
            rack: self.rack,
            ..Self::default()
        };
    }

    fn episode(&mut self) -> &mut Episode {
        self.episode.get_or_insert_default()
    }

    fn recover(&self) -> Option<Seq> {
        self.episode.as_ref().and_then(|episode| episode.recover)
    }

    /// Whether new data is to go before what is lost.
    pub(super) fn new_first(&self) -> bool {
        self.episode.as_ref().is_some_and(|episode| episode.new_first)
    }
}

impl Connection {
    /// What is in the network as far as we know (RFC 6675, 4: `pipe`).
    pub(super) fn pipe(&self) -> u32 {
        let board = &self.recovery.board;
        // A SYN of ours is no data.
        let syn = u32::from(self.state == State::SynReceived);
        self.flight().saturating_sub(board.left() + board.lost() + syn)
    }

    /// Whether something is to be sent again and the windows let it.
    pub(super) fn may_retransmit(&self) -> bool {
        if self.recovery.board.lost() == 0 {
            return false;
        }
        let pipe = self.pipe();
        let len = u32::from(self.snd.mss).min(self.recovery.board.lost());
        pipe == 0 || pipe + len <= self.congestion.window()
    }

    /// Whether an acknowledgement can only mean progress: nothing is lost, missing, sent again or in doubt.
    pub(super) fn is_untroubled(&self) -> bool {
        let recovery = &self.recovery;
        recovery.episode.is_none() && recovery.selective && recovery.board.is_calm()
    }

    /// The hot path of [`Connection::react`]: everything up to `ack` has arrived, on a path without loss.
    pub(super) fn progress(&mut self, ack: Seq, acked: u32, ctx: &mut Ctx<'_>) {
        self.count_delivered(acked);
        let recovery = &mut self.recovery;
        (recovery.backoff, recovery.retransmits, recovery.dup_acks) = (0, 0, 0);
        recovery.timed_out_at.clear();
        if let Some((oldest, newest)) = recovery.board.acknowledge_calm(ack) {
            recovery.rack.delivered(&newest, ctx.now, 0, false);
            self.rtt.sample(ctx.now.0.saturating_sub(oldest.at), ctx.limits);
            let news = News {
                delivered: acked,
                advanced: true,
                newest_at: Some(newest.at),
                sent_at: Some(newest.at),
                ..News::default()
            };
            self.grow(&news, ctx);
            self.follow_model(&news, 0, ctx);
        }
        if self.flight() == 0 {
            self.timers.clear(Timer::Retransmit);
            self.rest_rate(ctx.pool);
        } else if !self.schedule_probe(false, ctx) {
            self.arm_retransmit(ctx);
        }
        self.due |= Due::DATA;
    }

    /// An acknowledgement was taken in; `news` is what it brought.
    pub(super) fn react(&mut self, news: &News, ctx: &mut Ctx<'_>) {
        self.count_delivered(news.delivered);
        let lost_before = self.recovery.board.lost_ever();
        if news.advanced {
            self.measure(news, ctx);
            self.recovery.backoff = 0;
            self.recovery.retransmits = 0;
            self.recovery.timed_out_at.clear();
            self.recovery.dup_acks = 0;
        }
        if news.marked {
            self.slow_down();
        }
        let look_again = if self.is_untroubled() { None } else { self.repair(news, ctx) };
        if !matches!(self.recovery.phase, Phase::Fast | Phase::Reduced) && news.delivered > 0 {
            self.grow(news, ctx);
        }
        self.follow_model(news, self.recovery.board.lost_ever().wrapping_sub(lost_before), ctx);
        if self.flight() == 0 {
            self.rest_rate(ctx.pool);
        }
        self.await_acknowledgement(news, look_again, ctx);
        self.due |= Due::DATA;
    }

    /// The delivery rate is sampled, and an algorithm with a model hears of the acknowledgement.
    fn follow_model(&mut self, news: &News, lost: u32, ctx: &Ctx<'_>) {
        if news.delivered == 0 && lost == 0 {
            return;
        }
        let sample = self.note_rate_arrived(news.delivered, news.sent_at, ctx.now.0);
        if !self.congestion.is_model() {
            return;
        }
        let report = Report {
            now_ns: ctx.now.0,
            bytes: news.delivered,
            lost,
            rtt_ns: news.newest_at.map(|at| ctx.now.0.saturating_sub(at)),
            sample,
            delivered: self.rate.as_ref().map_or(0, |rate| rate.delivered),
            inflight: self.pipe(),
            mss: u32::from(self.snd.mss),
            limited: self.marks.contains(Marks::CWND_LIMITED),
        };
        self.congestion.report(&report, self.rtt.srtt_ns());
        if self.congestion.holds_back() {
            self.mark_program_limited();
        }
        self.tune_send_buffer(ctx);
    }

    fn count_delivered(&mut self, bytes: u32) {
        self.totals.delivered = self.totals.delivered.wrapping_add(bytes.div_ceil(u32::from(self.snd.mss)));
    }

    /// Linux's tcp_fastretrans_alert: gives the time at which to look for losses again.
    fn repair(&mut self, news: &News, ctx: &mut Ctx<'_>) -> Option<Instant> {
        let lost_before = self.recovery.board.lost();
        self.judge_probe(news, ctx);
        let partial = match self.recovery.phase {
            Phase::Open => {
                self.undo_by_duplicates(news, ctx);
                self.forget_old_episode();
                false
            }
            Phase::Fast => self.continue_fast(news, ctx),
            Phase::Reduced => {
                self.continue_reduced();
                false
            }
            Phase::Loss => {
                self.continue_loss(news, ctx);
                false
            }
        };
        let look_again = if self.recovery.selective {
            self.detect_loss(ctx.now)
        } else {
            self.count_duplicates(news, partial);
            None
        };
        if self.recovery.board.lost() > 0 && self.lost_probe() {
            return look_again;
        }
        if matches!(self.recovery.phase, Phase::Open | Phase::Reduced) && self.recovery.board.lost() > 0 {
            self.enter_fast(news, ctx);
            // RACK's timer has found the loss: the first retransmission takes the place of what is lost.
            self.reduce(news.delivered.max(u32::from(self.snd.mss)), false);
        } else if matches!(self.recovery.phase, Phase::Fast | Phase::Reduced) {
            let more_lost = self.recovery.board.lost() > lost_before;
            self.reduce(news.delivered, news.advanced && !more_lost);
        }
        look_again
    }

    /// A window behind its end, nothing can come any more that would undo an episode: the connection is as
    /// before it.
    fn forget_old_episode(&mut self) {
        let (una, window) = (self.snd.una, self.snd.wnd_max as i32);
        let Some(episode) = &self.recovery.episode else { return };
        let is_old = episode.recover.is_none_or(|recover| una.diff(recover) > window);
        if is_old && episode.probe.is_none() && self.recovery.board.is_calm() {
            self.recovery.episode = None;
        }
    }

    /// Fast recovery goes on or ends; says whether only a part of it was acknowledged.
    fn continue_fast(&mut self, news: &News, ctx: &mut Ctx<'_>) -> bool {
        if self.is_recovered() {
            if !self.undo(false, news, ctx) {
                self.congestion.settle_at_threshold();
            }
            self.end_phase();
            return false;
        }
        if news.advanced {
            // RFC 4015: what was sent first has arrived, so the rest is not lost either.
            if self.undo(false, news, ctx) {
                self.end_phase();
                return false;
            }
            ctx.counters.partial_acks += u64::from(!self.recovery.selective);
            return true;
        }
        false
    }

    /// Whether everything that was in flight when the phase began is acknowledged.
    fn is_recovered(&self) -> bool {
        self.recovery.recover().is_none_or(|recover| recover.le(self.snd.una))
    }

    /// The phase is over.
    fn end_phase(&mut self) {
        if self.recovery.phase == Phase::Loss {
            self.congestion.recovered();
        }
        self.recovery.phase = Phase::Open;
        self.recovery.board.forget_guesses();
        self.recovery.rack.recovered();
        let episode = self.recovery.episode();
        (episode.doubts_timeout, episode.new_first) = (false, false);
    }

    /// A peer without SACK: three duplicates, and then each partial acknowledgement, say that the oldest segment
    /// is lost (RFC 5681, 3.2; RFC 6582, 3.2).
    fn count_duplicates(&mut self, news: &News, partial: bool) {
        let mss = u32::from(self.snd.mss);
        if news.advanced {
            self.recovery.board.guess_closed(news.acked, mss);
        }
        let third = self.recovery.phase == Phase::Open
            && u32::from(self.recovery.dup_acks) >= rack::DUP_THRESHOLD
            && self.recovery.recover().is_none_or(|recover| recover.lt(self.snd.una));
        if third || partial {
            self.recovery.board.lose_first(mss);
        }
    }

    /// RFC 6298's sample: of what was sent once, or else of the echoed timestamp (RFC 7323, 4).
    fn measure(&mut self, news: &News, ctx: &Ctx<'_>) {
        if let Some(at) = core::mem::take(&mut self.recovery.handshake_at).get() {
            self.rtt.sample(ctx.now.0.saturating_sub(at.0), ctx.limits);
        } else if let Some(at) = news.oldest_at.filter(|_| !news.again) {
            self.rtt.sample(ctx.now.0.saturating_sub(at), ctx.limits);
        } else if let Some(echo) = news.echo.filter(|&echo| echo != 0) {
            let ms = self.timestamp(ctx.now).wrapping_sub(echo);
            if ms < ECHO_MS_MAX {
                self.rtt.sample(u64::from(ms) * 1_000_000, ctx.limits);
            }
        }
    }

    /// Outside of fast recovery the window grows, if it was what held the sender back (RFC 5681, 3.1, as Linux
    /// has it): by what was acknowledged, after a timeout by whatever has arrived.
    fn grow(&mut self, news: &News, ctx: &Ctx<'_>) {
        let in_loss = self.recovery.phase == Phase::Loss;
        let held_back = news.advanced && self.is_window_used();
        if !in_loss && !held_back || self.congestion.is_model() {
            return;
        }
        self.congestion.acknowledged(&Ack {
            now_ns: ctx.now.0,
            bytes: news.delivered,
            rtt_ns: news.newest_at.map(|at| ctx.now.0.saturating_sub(at)),
            srtt_ns: self.rtt.srtt_ns(),
            una: self.snd.una,
            nxt: self.snd.nxt,
            mss: u32::from(self.snd.mss),
        });
        self.tune_send_buffer(ctx);
    }

    /// Whether the window is worth growing: it was the limit, or in slow start half of it was used (Linux:
    /// tcp_is_cwnd_limited).
    fn is_window_used(&self) -> bool {
        let window = self.congestion.window();
        self.marks.contains(Marks::CWND_LIMITED)
            || window < self.congestion.threshold() && window < 2 * self.snd.out_max
    }

    /// The whole path may be lost: the segment size has shrunk, and all is sent again (RFC 1191).
    pub(super) fn resend_all(&mut self, ctx: &Ctx<'_>) {
        if self.flight() > 0 && !matches!(self.state, State::SynSent | State::SynReceived) {
            self.recovery.board.lose_all(|_| false);
            self.recovery.phase = Phase::Loss;
            let nxt = self.snd.nxt;
            self.recovery.episode().recover = Some(nxt);
            self.arm_retransmit(ctx);
            self.due |= Due::DATA;
        } else if !self.timers.is_set(Timer::Retransmit) && self.flight() > 0 {
            self.arm_retransmit(ctx);
        }
    }
}

/// An echoed timestamp older than this measures nothing.
const ECHO_MS_MAX: u32 = 1 << 24;
