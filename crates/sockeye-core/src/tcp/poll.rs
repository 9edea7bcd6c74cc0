//! What a program can see of a connection: readiness, errors, counts, `TCP_INFO`.

use super::block::Marks;
use super::connection::Connection;
use super::recover::Phase;
use super::{State, TcpInfo};
use crate::errno::Errno;
use crate::readiness::Readiness;
use crate::time::Instant;
use core::time::Duration;

impl Connection {
    /// Exactly what Linux's tcp_poll says.
    pub fn readiness(&self) -> Readiness {
        let mut ready = Readiness::empty();
        let shut = self.marks & (Marks::SHUT_READ | Marks::SHUT_WRITE);
        let closed = matches!(self.state, State::Closed | State::TimeWait);
        ready.set(Readiness::HUP, closed || shut == Marks::SHUT_READ | Marks::SHUT_WRITE);
        ready.set(Readiness::IN | Readiness::RDHUP, shut.contains(Marks::SHUT_READ));
        ready.set(Readiness::OUT, self.is_deferred());
        if !matches!(self.state, State::SynSent | State::SynReceived) || self.is_open_early() {
            if self.is_readable() {
                ready |= Readiness::IN;
            }
            ready.set(Readiness::OUT, shut.contains(Marks::SHUT_WRITE) || self.is_writable());
        }
        ready.set(Readiness::ERR, self.error.is_some() || self.has_stamps());
        ready.set(Readiness::PRI, self.has_urgent());
        ready
    }

    /// The pending error (`SO_ERROR`), left in place.
    pub fn error(&self) -> Option<Errno> {
        self.error
    }

    /// The pending error, which this clears.
    pub fn take_error(&mut self) -> Option<Errno> {
        self.error.take()
    }

    /// Whether the peer's FIN was taken in.
    pub fn is_at_end(&self) -> bool {
        self.marks.contains(Marks::DONE)
    }

    /// Bytes that wait to be received, urgent ones too.
    pub fn received(&self) -> usize {
        self.rcv.queue.len()
    }

    /// Bytes that the peer has not acknowledged (`SIOCOUTQ`).
    pub fn send_queued(&self) -> usize {
        self.snd.queue.len()
    }

    /// Bytes that were never sent (`SIOCOUTQNSD`).
    pub fn unsent(&self) -> usize {
        self.snd.queue.end().diff(self.snd.queue.next_seq()) as usize
    }

    /// The send buffer's size in force, as `SO_SNDBUF` shows it.
    pub fn send_buffer(&self) -> usize {
        self.snd.limit as usize
    }

    /// The receive buffer's size in force, as `SO_RCVBUF` shows it: twice the window, as on Linux.
    pub fn receive_buffer(&self) -> usize {
        if self.settings.receive_buffer_locked {
            return self.settings.receive_buffer as usize;
        }
        (self.rcv.limit as usize * 2).max(self.settings.receive_buffer as usize)
    }

    /// `SO_RCVLOWAT` is reached, or the window is so full that it never will be (Linux: tcp_epollin_ready).
    pub(super) fn is_readable(&self) -> bool {
        let queued = self.rcv.queue.len();
        let mut wanted = (self.settings.receive_lowat.max(1)).min(self.rcv.limit) as usize;
        if self.rcv.urgent.is_some() && self.is_at_mark() {
            // The urgent byte itself is not to be read.
            wanted += 1;
        }
        queued > 0 && (queued >= wanted || self.rcv.wnd() <= u32::from(self.rcv.mss))
    }

    /// `TCP_CC_INFO` of an algorithm that has any: `struct tcp_bbr_info`.
    pub fn congestion_info(&self) -> Option<[u32; 5]> {
        self.congestion.info()
    }

    /// A snapshot (`TCP_INFO`).
    pub fn info(&self, now: Instant) -> TcpInfo {
        let mss = u32::from(self.snd.mss.max(1));
        let threshold = self.congestion.threshold();
        let [busy, rwnd_limited, sndbuf_limited] = self.limited.times(now);
        TcpInfo {
            state: self.state,
            ca_state: match self.recovery.phase {
                Phase::Open => u8::from(!self.recovery.board.is_calm()),
                Phase::Reduced => 2,
                Phase::Fast => 3,
                Phase::Loss => 4,
            },
            retransmits: self.recovery.retransmits,
            probes: self.probes,
            backoff: self.recovery.backoff,
            timestamps: self.marks.contains(Marks::TIMESTAMPS),
            sack: self.recovery.selective,
            ecn: self.marks.contains(Marks::ECN),
            syn_data: self.marks.contains(Marks::SYN_DATA),
            snd_wscale: self.snd.wscale,
            rcv_wscale: self.rcv.wscale,
            rto: self.rtt.base(),
            ato: Duration::from_micros(u64::from(self.rcv.ato_us)),
            snd_mss: mss,
            rcv_mss: u32::from(self.rcv.mss),
            advmss: u32::from(self.snd.mss_path),
            pmtu: u32::from(self.snd.mss_path) + if self.remote.is_ipv4() { 40 } else { 60 },
            unacked: self.flight().div_ceil(mss),
            sacked: self.recovery.board.left().div_ceil(mss),
            // Linux counts what was sent again among the lost until it arrives.
            lost: (self.recovery.board.lost() + self.recovery.board.again()).div_ceil(mss),
            retrans: self.recovery.board.again().div_ceil(mss),
            last_data_sent: now.since(self.snd.last_sent),
            last_data_recv: now.since(self.rcv.last_data),
            last_ack_recv: now.since(self.rcv.last_received),
            rtt: self.rtt.srtt(),
            rttvar: self.rtt.rttvar(),
            min_rtt: self.rtt.min(),
            rcv_rtt: self.rtt.srtt(),
            snd_cwnd: self.congestion.window() / mss,
            snd_ssthresh: if threshold == u32::MAX { 0x7fff_ffff } else { threshold / mss },
            snd_wnd: self.snd.wnd,
            rcv_wnd: self.rcv.wnd(),
            rcv_space: self.rcv.limit,
            reordering: u32::from(self.reordering().0),
            reord_seen: u32::from(self.reordering().1),
            total_retrans: self.totals.retrans,
            delivered: self.totals.delivered,
            notsent_bytes: self.unsent() as u32,
            bytes_sent: self.totals.bytes_sent,
            bytes_acked: self.totals.bytes_acked,
            bytes_received: self.rcv.bytes,
            bytes_retrans: self.totals.bytes_retrans,
            segs_out: self.totals.segs_out,
            segs_in: self.totals.segs_in,
            data_segs_out: self.totals.data_segs_out,
            data_segs_in: self.totals.data_segs_in,
            rcv_ooopack: self.totals.ooo,
            busy,
            rwnd_limited,
            sndbuf_limited,
            delivery_rate: self.totals.delivery_rate,
            delivery_rate_app_limited: self.marks.contains(Marks::RATE_APP_LIMITED),
            pacing_rate: self.congestion.pacing_rate().unwrap_or_else(|| self.window_rate()),
            max_pacing_rate: self.settings.pacing_rate_max,
        }
    }
}
