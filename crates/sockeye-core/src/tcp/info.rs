//! `TCP_INFO`: what a connection knows of itself, in plain units.

use super::State;
use core::time::Duration;

/// A snapshot of a connection (`struct tcp_info` of Linux; the layer of options puts it into those bytes).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    pub state: State,
    /// `tcpi_ca_state`: 0 open, 1 disorder, 2 reduced, 3 recovery, 4 loss.
    pub ca_state: u8,
    pub retransmits: u8,
    pub probes: u8,
    pub backoff: u8,
    pub timestamps: bool,
    pub sack: bool,
    /// RFC 3168 was agreed on.
    pub ecn: bool,
    /// Data went with the SYN and was taken.
    pub syn_data: bool,
    pub snd_wscale: u8,
    pub rcv_wscale: u8,
    pub rto: Duration,
    pub ato: Duration,
    /// Send and receive maximum segment size, without options.
    pub snd_mss: u32,
    pub rcv_mss: u32,
    pub advmss: u32,
    /// Path MTU as the peer's family makes it of the segment size.
    pub pmtu: u32,
    /// Segments in flight; of them selectively acknowledged, sent again, assumed lost.
    pub unacked: u32,
    pub sacked: u32,
    pub retrans: u32,
    pub lost: u32,
    pub last_data_sent: Duration,
    pub last_data_recv: Duration,
    pub last_ack_recv: Duration,
    pub rtt: Duration,
    pub rttvar: Duration,
    pub min_rtt: Duration,
    pub rcv_rtt: Duration,
    /// In segments, as Linux shows it.
    pub snd_cwnd: u32,
    /// In segments; 0x7fffffff while nothing was lost.
    pub snd_ssthresh: u32,
    /// Windows in bytes: the peer's, and ours.
    pub snd_wnd: u32,
    pub rcv_wnd: u32,
    pub rcv_space: u32,
    pub reordering: u32,
    pub reord_seen: u32,
    pub total_retrans: u32,
    /// Segments that have arrived, the SYN counted.
    pub delivered: u32,
    pub notsent_bytes: u32,
    pub bytes_sent: u64,
    pub bytes_acked: u64,
    pub bytes_received: u64,
    pub bytes_retrans: u64,
    pub segs_out: u32,
    pub segs_in: u32,
    pub data_segs_out: u32,
    pub data_segs_in: u32,
    pub rcv_ooopack: u32,
    /// Time with data queued, and how much of it the peer's window, and the send buffer, was what held the sender back.
    pub busy: Duration,
    pub rwnd_limited: Duration,
    pub sndbuf_limited: Duration,
    /// Bytes a second at which data arrived at the peer, and whether that was all there was to send.
    pub delivery_rate: u64,
    pub delivery_rate_app_limited: bool,
    /// Bytes a second; the greatest value is no limit.
    pub pacing_rate: u64,
    pub max_pacing_rate: u64,
}
