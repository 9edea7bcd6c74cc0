//! The connection: its block, how one begins and ends, and what can be asked of it.
//!
//! The verbs live beside: `arrive` (segments), `expire` (the clock), `call` (the program), `send` (what goes
//! out), `recover` (loss), `icmp`. Each works on the one struct here.

use super::block::{Due, Marks, Rcv, Snd, Totals};
use super::congestion::Window;
use super::fast_open::Opened;
use super::limited::Limited;
use super::pacing::Pacer;
use super::probing::Probing;
use super::rate::Sampler;
use super::recover::Recovery;
use super::rtt::Rtt;
use super::send_queue::SendQueue;
use super::stamping::Stamps;
use super::timers::{Moment, Timer, TimerKind, Timers};
use super::{Ctx, Settings, State, TimeWait};
use crate::errno::Errno;
use crate::time::Instant;
use crate::wire::tcp::{Options, Seq};
use alloc::boxed::Box;
use core::net::{IpAddr, SocketAddr};
use core::time::Duration;

/// One connection, from SYN-SENT or ESTABLISHED on.
#[derive(Debug)]
pub struct Connection {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) state: State,
    pub(super) due: Due,
    pub(super) marks: Marks,
    pub(super) error: Option<Errno>,
    /// What an ICMP message said in passing; it becomes the error when the retries are over.
    pub(super) soft_error: Option<Errno>,
    /// Unanswered probes, of a zero window or of keepalive.
    pub(super) probes: u8,
    pub(super) snd: Snd,
    pub(super) rcv: Rcv,
    pub(super) rtt: Rtt,
    pub(super) recovery: Recovery,
    pub(super) congestion: Window,
    pub(super) timers: Timers,
    pub(super) settings: Settings,
    pub(super) totals: Totals,
    pub(super) limited: Limited,
    pub(super) rate: Option<Box<Sampler>>,
    pub(super) rare: Option<Box<Rare>>,
    /// Sequence and acknowledgement number of the reset that is due.
    pub(super) reset: (Seq, Option<Seq>),
    pub(super) ts_offset: u32,
    /// When the last challenge or out-of-window acknowledgement went out (RFC 5961, 7).
    pub(super) challenged: Moment,
    pub(super) time_wait: Option<Box<TimeWait>>,
    pub(super) opened: Option<Box<Opened>>,
}

/// What few connections have.
#[derive(Debug, Default)]
pub(super) struct Rare {
    pub(super) pacer: Option<Pacer>,
    pub(super) stamps: Option<Stamps>,
    pub(super) probing: Option<Probing>,
}

impl Connection {
    /// Active open: the SYN is due at once. `mss_path` is the route's MTU less the IP header and 20 bytes.
    pub fn connect(
        local: SocketAddr,
        remote: SocketAddr,
        iss: Seq,
        mss_path: u16,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> Self {
        let mut connection = Self::new(local, remote, iss, mss_path, settings, ctx);
        connection.state = State::SynSent;
        connection.due = Due::SYN;
        if ctx.limits.timestamps {
            connection.marks |= Marks::TIMESTAMPS;
        }
        if ctx.limits.window_scaling {
            connection.marks |= Marks::WINDOW_SCALING;
            connection.rcv.wscale = window_scale(settings, ctx);
        }
        connection.recovery.selective = ctx.limits.sack;
        connection.snd.nxt = iss + 1;
        connection.arm_retransmit(ctx);
        ctx.counters.active_opens += 1;
        connection
    }

    /// A closed connection with everything that does not depend on the peer.
    pub(super) fn new(
        local: SocketAddr,
        remote: SocketAddr,
        iss: Seq,
        mss_path: u16,
        settings: &Settings,
        ctx: &mut Ctx<'_>,
    ) -> Self {
        let mss_path = segment_size(mss_path, settings);
        let snd = Snd {
            iss,
            una: iss,
            nxt: iss,
            small: iss,
            chunk: iss + 1,
            pushed: iss + 1,
            usage_end: iss,
            mss: mss_path,
            mss_path,
            mss_peer: MSS_DEFAULT,
            queue: SendQueue::new(iss + 1),
            last_sent: ctx.now,
            ..Snd::default()
        };
        let rcv = Rcv { mss: MSS_DEFAULT, limit: receive_limit(settings, ctx), ..Rcv::default() };
        let mut connection = Self {
            local,
            remote,
            state: State::Closed,
            due: Due::empty(),
            marks: Marks::empty(),
            error: None,
            soft_error: None,
            probes: 0,
            snd,
            rcv: Rcv { last_received: ctx.now, last_data: ctx.now, tuned_at: ctx.now, ..rcv },
            rtt: Rtt::new(ctx.limits),
            recovery: Recovery::new(iss + 1),
            congestion: Window::new(settings.congestion),
            timers: Timers::new(),
            settings: settings.clone(),
            totals: Totals::default(),
            limited: Limited::default(),
            rate: None,
            rare: None,
            reset: (Seq(0), None),
            ts_offset: timestamp_offset(local, remote, ctx.limits.timestamp_key),
            challenged: Moment::NEVER,
            time_wait: None,
            opened: None,
        };
        connection.tune_send_buffer(ctx);
        connection
    }

    /// The peer's SYN has come: sequence numbers, segment size and what both sides agreed on.
    pub(super) fn synchronize(&mut self, irs: Seq, window: u16, options: &Options, ctx: &mut Ctx<'_>) {
        let agreed = self.marks;
        self.rcv.irs = irs;
        self.rcv.last_data = ctx.now;
        self.rcv.nxt = irs + 1;
        self.rcv.acked = irs + 1;
        self.rcv.edge = self.rcv.nxt + self.rcv.limit.min(u32::from(u16::MAX));
        // RFC 7323, 2.2: the window of a SYN itself is never scaled.
        self.snd.wnd = u32::from(window);
        self.snd.wnd_max = self.snd.wnd;
        self.snd.wl1 = irs;
        self.marks.set(
            Marks::WINDOW_SCALING,
            agreed.contains(Marks::WINDOW_SCALING) && options.window_scale.is_some(),
        );
        self.snd.wscale = options.window_scale.unwrap_or(0);
        if !self.marks.contains(Marks::WINDOW_SCALING) {
            (self.snd.wscale, self.rcv.wscale) = (0, 0);
        }
        self.marks.set(Marks::TIMESTAMPS, agreed.contains(Marks::TIMESTAMPS) && options.timestamps.is_some());
        if let Some((value, _)) = options.timestamps {
            (self.rcv.ts_recent, self.rcv.ts_recent_at) = (value, ctx.now);
        }
        self.snd.mss_peer = options.mss.unwrap_or(MSS_DEFAULT).max(MSS_MIN);
        self.size_segments();
        self.rcv.mss = self.snd.mss.min(MSS_DEFAULT);
        self.recovery.selective &= options.sack_permitted;
        self.congestion.set_window(initial_window(self.snd.mss, ctx));
        self.tune_send_buffer(ctx);
    }

    /// The effective segment size (RFC 9293, 3.7.1) out of the path's, the peer's and the options'.
    pub(super) fn size_segments(&mut self) {
        let options = if self.marks.contains(Marks::TIMESTAMPS) { TIMESTAMPS_LEN } else { 0 };
        let searched =
            self.rare.as_ref().and_then(|rare| rare.probing.as_ref()).map_or(u16::MAX, |probing| probing.low);
        let size = self.snd.mss_path.min(self.snd.mss_peer).min(searched);
        self.snd.mss = size.max(MSS_MIN) - options;
    }

    /// The handshake is done.
    pub(super) fn establish(&mut self, ctx: &mut Ctx<'_>) {
        // A FIN that the program asked for during a simultaneous open follows now.
        self.state = if self.marks.contains(Marks::FIN) { State::FinWait1 } else { State::Established };
        self.timers.clear(Timer::Retransmit);
        self.totals.delivered += 1;
        self.begin_probing(ctx);
        self.recovery.restart();
        if self.flight() > 0 {
            self.arm_retransmit(ctx);
        }
        self.due |= Due::DATA;
        self.mark_ready();
        self.arm_keepalive(ctx);
    }

    /// The end by an error: what was queued for sending is lost, what was received stays.
    pub(super) fn fail(&mut self, error: Errno) {
        self.error = Some(error);
        self.finish();
    }

    /// The end: CLOSED, both directions shut (Linux: tcp_done).
    pub(super) fn finish(&mut self) {
        self.state = State::Closed;
        self.marks |= Marks::SHUT_READ | Marks::SHUT_WRITE;
        self.due &= Due::RST;
        self.timers.clear_all();
        self.snd.queue.clear();
        self.recovery.board = Default::default();
        self.rate = None;
        if let Some(rare) = &mut self.rare {
            (rare.pacer, rare.probing) = (None, None);
        }
        self.rcv.reassembly = None;
        self.rcv.selective = None;
        self.rcv.gap_acks = 0;
        if self.marks.contains(Marks::ORPHAN) {
            self.rcv.queue = Default::default();
        }
        self.mark_ready();
    }

    /// TIME-WAIT (RFC 9293, 3.6.1).
    pub(super) fn enter_time_wait(&mut self, ctx: &mut Ctx<'_>) {
        ctx.counters.time_waits += 1;
        let ack = self.due & Due::ACK;
        self.finish();
        self.state = State::TimeWait;
        self.due |= ack;
        let until = ctx.now + ctx.limits.time_wait;
        self.timers.set(Timer::Linger, until);
        self.time_wait = Some(Box::new(TimeWait::new(self, until)));
    }

    /// Some once TIME-WAIT is entered; see [`Connection::take_time_wait`].
    pub fn time_wait(&self) -> Option<TimeWait> {
        self.time_wait.as_deref().copied()
    }

    /// The small type that stands for the connection in TIME-WAIT: the table puts it in the connection's place.
    ///
    /// The connection itself is CLOSED afterwards, as on Linux. What it has received can still be taken, and an
    /// acknowledgement that is due still comes out of [`Connection::transmit`].
    pub fn take_time_wait(&mut self) -> Option<TimeWait> {
        let time_wait = self.time_wait.take()?;
        self.state = State::Closed;
        self.timers.clear_all();
        Some(*time_wait)
    }

    /// Our end.
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The peer's end.
    pub fn remote(&self) -> SocketAddr {
        self.remote
    }

    /// The state, TIME-WAIT until [`Connection::take_time_wait`].
    pub fn state(&self) -> State {
        self.state
    }

    /// Its options.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its options, to be changed; [`Connection::settings_changed`] follows.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Whether no program holds it any more.
    pub fn is_orphan(&self) -> bool {
        self.marks.contains(Marks::ORPHAN)
    }

    /// Whether it is closed and has nothing more to send: the table may forget its addresses, and all of it
    /// when no program holds it.
    pub fn is_finished(&self) -> bool {
        self.state == State::Closed && self.due.is_empty()
    }

    /// Whether `transmit` may have something to give.
    pub fn wants_transmit(&self) -> bool {
        !self.due.is_empty()
    }

    /// The exact time of the next `expire`.
    pub fn deadline(&self) -> Option<Instant> {
        self.timers.deadline()
    }

    /// The timer that `ss -o` shows, and the time that is left of it.
    pub fn timer(&self, now: Instant) -> Option<(TimerKind, Duration)> {
        self.timers.shown(now)
    }

    /// Whether readiness may have changed since this was last asked: the table queues an event.
    pub fn take_ready(&mut self) -> bool {
        let ready = self.marks.contains(Marks::READY);
        self.marks.remove(Marks::READY);
        ready
    }

    pub(super) fn mark_ready(&mut self) {
        self.marks |= Marks::READY;
    }

    /// Bytes and FIN in flight, as sequence space counts them.
    pub(super) fn flight(&self) -> u32 {
        self.snd.nxt.diff(self.snd.una) as u32
    }

    /// Whether the FIN was sent at least once.
    pub(super) fn fin_sent(&self) -> bool {
        self.marks.contains(Marks::FIN) && self.snd.queue.end().lt(self.snd.nxt)
    }

    /// Whether the peer has acknowledged our FIN.
    pub(super) fn fin_acked(&self) -> bool {
        self.marks.contains(Marks::FIN) && self.snd.queue.end().lt(self.snd.una)
    }

    /// Our timestamp clock: milliseconds (RFC 7323, 5.4), from an offset that tells nothing.
    pub(super) fn timestamp(&self, now: Instant) -> u32 {
        (now.as_millis() as u32).wrapping_add(self.ts_offset)
    }

    /// Keepalive looks at the connection when it may have been idle long enough.
    pub(super) fn arm_keepalive(&mut self, ctx: &Ctx<'_>) {
        if self.settings.keepalive {
            let idle = Duration::from_secs(u64::from(self.settings.keep_idle_s));
            self.timers.set(Timer::Keepalive, ctx.now + idle);
        } else {
            self.timers.clear(Timer::Keepalive);
        }
    }
}

/// What goes into our SYN's MSS option and bounds what we send: the path's size or `TCP_MAXSEG`.
pub(super) fn segment_size(mss_path: u16, settings: &Settings) -> u16 {
    let asked = if settings.max_segment == 0 { u16::MAX } else { settings.max_segment };
    mss_path.min(asked).clamp(MSS_MIN, MSS_MAX)
}

/// The window of a buffer: half of one that was set, as Linux's tcp_adv_win_scale has it.
pub(super) fn receive_limit(settings: &Settings, ctx: &Ctx<'_>) -> u32 {
    let limit = if settings.receive_buffer_locked {
        (settings.receive_buffer / 2).max(WINDOW_MIN)
    } else {
        ctx.limits.receive_window_initial
    };
    if settings.window_clamp > 0 { limit.min(settings.window_clamp) } else { limit }
}

/// The shift with which the greatest window that tuning may reach fits 16 bits (RFC 7323, 2.3).
pub(super) fn window_scale(settings: &Settings, ctx: &Ctx<'_>) -> u8 {
    let mut most = ctx.limits.receive_buffer_max.max(settings.receive_buffer);
    if settings.window_clamp > 0 {
        most = most.min(settings.window_clamp);
    }
    (0..14).find(|shift| most >> shift <= u32::from(u16::MAX)).unwrap_or(14)
}

/// RFC 6928 with the bounds of large segments as on Linux: so many segments, whatever their size.
pub(super) fn initial_window(mss: u16, ctx: &Ctx<'_>) -> u32 {
    u32::from(mss) * u32::from(ctx.limits.initial_window_segments)
}

/// RFC 7323, 5.4: an offset per pair of addresses, so that timestamps grow from one connection of the pair to
/// the next (TIME-WAIT goes by that) and tell no one how long the host is up.
pub(super) fn timestamp_offset(local: SocketAddr, remote: SocketAddr, key: u64) -> u32 {
    use core::hash::Hasher;
    let mut hasher = siphasher::sip::SipHasher13::new_with_keys(key, !key);
    for ip in [local.ip(), remote.ip()] {
        match ip {
            IpAddr::V4(ip) => hasher.write(&ip.octets()),
            IpAddr::V6(ip) => hasher.write(&ip.octets()),
        }
    }
    hasher.finish() as u32
}

/// RFC 9293, 3.7.1: the segment size of a peer that announces none.
pub(crate) const MSS_DEFAULT: u16 = 536;
/// Linux's TCP_MIN_MSS, which leaves room for all options.
pub(super) const MSS_MIN: u16 = 88;
/// An IPv4 packet has 16 bits for its length.
const MSS_MAX: u16 = u16::MAX - 40;
/// The timestamps option, padded.
pub(super) const TIMESTAMPS_LEN: u16 = 12;
/// The least window of a buffer that was set.
const WINDOW_MIN: u32 = 1152;
