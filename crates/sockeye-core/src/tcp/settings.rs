//! What a program or an administrator sets on connections: options of one socket, limits of one host.

use alloc::boxed::Box;
use arrayvec::ArrayVec;
use core::time::Duration;

/// The options of one connection, with Linux's defaults (tcp(7), socket(7)).
///
/// Whoever changes one through `Connection::settings_mut` calls `Connection::settings_changed` afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `TCP_NODELAY`: no Nagle algorithm.
    pub nodelay: bool,
    /// `TCP_CORK`: partial segments wait, 200 ms at most.
    pub cork: bool,
    /// `SO_KEEPALIVE`.
    pub keepalive: bool,
    /// `TCP_QUICKACK`: acknowledge at once. Cleared by the engine's own judgement, as on Linux.
    pub quickack: bool,
    /// `SO_OOBINLINE`: urgent data is read as part of the stream.
    pub oob_inline: bool,
    /// `SO_SNDBUF` was set: the send buffer no longer tunes itself.
    pub send_buffer_locked: bool,
    /// `SO_RCVBUF` was set: the receive buffer no longer tunes itself.
    pub receive_buffer_locked: bool,
    /// `TCP_KEEPCNT`: unanswered probes until the connection is given up.
    pub keep_count: u8,
    /// `TCP_SAVE_SYN`: 1 keeps a SYN's IP and TCP headers, 2 the link's too.
    pub save_syn: u8,
    /// `TCP_SYNCNT`: how often a SYN is sent again.
    pub syn_count: u8,
    /// `TCP_CONGESTION`.
    pub congestion: Congestion,
    /// `TCP_MAXSEG`; zero means that the path decides. Counts before connect only.
    pub max_segment: u16,
    /// `TCP_KEEPIDLE`.
    pub keep_idle_s: u32,
    /// `TCP_KEEPINTVL`.
    pub keep_interval_s: u32,
    /// `TCP_USER_TIMEOUT`; zero means the host's retries.
    pub user_timeout_ms: u32,
    /// `TCP_LINGER2`: life of an orphan in FIN-WAIT-2; zero means the host's default, negative none at all.
    pub linger2_s: i32,
    /// `SO_LINGER`: `Some(0)` makes close a reset. A lingering wait belongs to the layer that blocks.
    pub linger_s: Option<u32>,
    /// `TCP_DEFER_ACCEPT`; zero is off.
    pub defer_accept_s: u32,
    /// `TCP_WINDOW_CLAMP`; zero is none.
    pub window_clamp: u32,
    /// `TCP_NOTSENT_LOWAT`; zero is the host's.
    pub notsent_lowat: u32,
    /// `SO_MAX_PACING_RATE`, in bytes a second; the greatest value is no limit.
    pub pacing_rate_max: u64,
    /// `SO_SNDBUF` as getsockopt shows it (what was set, doubled), in bytes.
    pub send_buffer: u32,
    /// `SO_RCVBUF` as getsockopt shows it, in bytes; the window is half of it, as on Linux.
    pub receive_buffer: u32,
    /// `SO_RCVLOWAT`: from how many bytes on poll says IN.
    pub receive_lowat: u32,
    /// `TCP_FASTOPEN`: how many connections of a listener may be open before their handshake is over; zero is none.
    pub fast_open_queue: u32,
    /// `TCP_FASTOPEN_CONNECT`: connect waits for the data that goes with the SYN.
    pub fast_open_connect: bool,
    /// `TCP_FASTOPEN_NO_COOKIE`.
    pub fast_open_no_cookie: bool,
    /// `TCP_FASTOPEN_KEY`; none means the host's.
    pub fast_open_keys: Option<Box<CookieKeys>>,
}

/// What Fast Open cookies are made with (RFC 7413, 4.1.2): the first key makes them, each is accepted.
pub type CookieKeys = ArrayVec<[u8; 16], 2>;

impl Default for Settings {
    fn default() -> Self {
        Self {
            nodelay: false,
            cork: false,
            keepalive: false,
            quickack: true,
            oob_inline: false,
            send_buffer_locked: false,
            receive_buffer_locked: false,
            keep_count: 9,
            save_syn: 0,
            syn_count: 6,
            congestion: Congestion::default(),
            max_segment: 0,
            keep_idle_s: 7200,
            keep_interval_s: 75,
            user_timeout_ms: 0,
            linger2_s: 0,
            linger_s: None,
            defer_accept_s: 0,
            window_clamp: 0,
            notsent_lowat: 0,
            pacing_rate_max: u64::MAX,
            send_buffer: 16 * 1024,
            receive_buffer: 128 * 1024,
            receive_lowat: 1,
            fast_open_queue: 0,
            fast_open_connect: false,
            fast_open_no_cookie: false,
            fast_open_keys: None,
        }
    }
}

/// `TCP_CONGESTION`: the algorithms that are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Congestion {
    /// RFC 5681.
    Reno,
    /// RFC 9438, with HyStart++ (RFC 9406).
    #[default]
    Cubic,
    /// draft-ietf-ccwg-bbr (BBRv3).
    Bbr,
}

impl Congestion {
    /// The name that getsockopt shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reno => "reno",
            Self::Cubic => "cubic",
            Self::Bbr => "bbr",
        }
    }

    /// The algorithm of that name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Cubic, Self::Reno, Self::Bbr].into_iter().find(|algorithm| algorithm.name().as_bytes() == name)
    }
}

/// The host's limits for all its connections: what sysctl `net.ipv4.tcp_*` says on Linux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Least retransmission timeout (`TCP_RTO_MIN`); RFC 6298's second is far too long for today's paths.
    pub rto_min: Duration,
    /// Greatest retransmission timeout (`TCP_RTO_MAX`).
    pub rto_max: Duration,
    /// Retransmission timeout before anything was measured (RFC 6298, 2.1).
    pub rto_initial: Duration,
    /// `tcp_retries2`: retransmissions until an established connection is given up.
    pub retries: u8,
    /// `tcp_orphan_retries`: the same when no program holds the connection any more.
    pub orphan_retries: u8,
    /// `tcp_synack_retries`.
    pub synack_retries: u8,
    /// `tcp_fin_timeout`: life of an orphan in FIN-WAIT-2.
    pub fin_timeout: Duration,
    /// Length of TIME-WAIT (`TCP_TIMEWAIT_LEN`).
    pub time_wait: Duration,
    /// Least delay of a delayed acknowledgement (`TCP_DELACK_MIN`).
    pub delayed_ack_min: Duration,
    /// Greatest delay of a delayed acknowledgement (`TCP_DELACK_MAX`).
    pub delayed_ack_max: Duration,
    /// Least time between two challenge acknowledgements of a connection (`tcp_invalid_ratelimit`).
    pub challenge_interval: Duration,
    /// `tcp_wmem[2]`: how far a send buffer tunes itself, in bytes.
    pub send_buffer_max: u32,
    /// `tcp_wmem[1]`: a send buffer that tunes itself starts no smaller, in bytes.
    pub send_buffer_initial: u32,
    /// `tcp_rmem[2]`: how far a receive buffer tunes itself, in bytes; the window scale follows from it.
    pub receive_buffer_max: u32,
    /// The first receive window of a buffer that tunes itself, in bytes.
    pub receive_window_initial: u32,
    /// `tcp_notsent_lowat`: how many bytes may wait unsent where `TCP_NOTSENT_LOWAT` says nothing; the greatest
    /// value is no limit.
    pub notsent_lowat: u32,
    /// `tcp_slow_start_after_idle`: whether the congestion window shrinks while nothing is sent.
    pub slow_start_after_idle: bool,
    /// `tcp_min_tso_segs`: how many segments go out together at least, if so many may.
    pub burst_segments_min: u8,
    /// How many pieces may wait out of order.
    pub reassembly_pieces_max: u16,
    /// Initial congestion window, in segments (RFC 6928).
    pub initial_window_segments: u8,
    /// `tcp_congestion_control`: what a new socket's connections use.
    pub congestion: Congestion,
    /// Whether every connection is paced, as where Linux's devices have the `fq` discipline.
    pub pacing: bool,
    /// Whether RFC 7323 timestamps are offered and accepted.
    pub timestamps: bool,
    /// Whether RFC 7323 window scaling is offered and accepted.
    pub window_scaling: bool,
    /// Whether selective acknowledgements (RFC 2018) are offered and accepted.
    pub sack: bool,
    /// `tcp_ecn` (RFC 3168): 1 asks peers for it, 2 only agrees when they ask, 0 neither.
    pub ecn: u8,
    /// `tcp_mtu_probing` (RFC 4821): 2 searches the path's MTU on every connection, 1 where segments keep vanishing, 0 never.
    pub mtu_probing: u8,
    /// `tcp_base_mss`: the segment size that a search begins with, in bytes.
    pub base_mss: u16,
    /// `tcp_syncookies` (RFC 4987): 1 answers by cookies when the queue of half-open connections is full, 2 always, 0 never.
    pub syn_cookies: u8,
    /// `tcp_fastopen`: a sum of [`Limits::FAST_OPEN_CLIENT`] and its neighbours; zero as long as the host's owner does
    /// not ask for it.
    pub fast_open: u32,
    /// `tcp_fastopen_key`. The first is drawn once per host.
    pub fast_open_keys: CookieKeys,
    /// Key of the timestamp offset, which hides how long the host is up. Drawn once per host.
    pub timestamp_key: u64,
}

impl Limits {
    /// Data may go with a SYN.
    pub const FAST_OPEN_CLIENT: u32 = 0x1;
    /// Listeners that ask for it take data with a SYN.
    pub const FAST_OPEN_SERVER: u32 = 0x2;
    /// Data goes with a SYN without any cookie.
    pub const FAST_OPEN_CLIENT_NO_COOKIE: u32 = 0x4;
    /// Listeners need no cookie.
    pub const FAST_OPEN_SERVER_NO_COOKIE: u32 = 0x200;
    /// Every listener does, with its backlog as the limit.
    pub const FAST_OPEN_EVERY_LISTENER: u32 = 0x400;

    pub(crate) fn allows(&self, what: u32) -> bool {
        self.fast_open & what != 0
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rto_min: Duration::from_millis(200),
            rto_max: Duration::from_secs(120),
            rto_initial: Duration::from_secs(1),
            retries: 15,
            orphan_retries: 8,
            synack_retries: 5,
            fin_timeout: Duration::from_secs(60),
            time_wait: Duration::from_secs(60),
            delayed_ack_min: Duration::from_millis(40),
            delayed_ack_max: Duration::from_millis(200),
            challenge_interval: Duration::from_millis(500),
            send_buffer_max: 4 << 20,
            send_buffer_initial: 87_040,
            receive_buffer_max: 6 << 20,
            receive_window_initial: 256 << 10,
            notsent_lowat: u32::MAX,
            slow_start_after_idle: true,
            burst_segments_min: 2,
            reassembly_pieces_max: 4096,
            initial_window_segments: 10,
            congestion: Congestion::default(),
            pacing: false,
            timestamps: true,
            window_scaling: true,
            sack: true,
            ecn: 2,
            mtu_probing: 0,
            base_mss: 1024,
            syn_cookies: 1,
            fast_open: 0,
            fast_open_keys: CookieKeys::new(),
            timestamp_key: 0,
        }
    }
}
