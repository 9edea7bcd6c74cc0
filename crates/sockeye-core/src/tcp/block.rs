//! The transmission control block's two halves (RFC 9293, 3.3.1), and what a connection owes the wire.

use super::reassembly::Reassembly;
use super::receive_queue::ReceiveQueue;
use super::records::Records;
use super::selective::Selective;
use super::send_queue::SendQueue;
use super::urgent::Urgent;
use crate::time::Instant;
use crate::wire::tcp::Seq;
use alloc::boxed::Box;
use alloc::collections::VecDeque;

/// The sending half.
#[derive(Debug, Default)]
pub(super) struct Snd {
    pub(super) iss: Seq,
    pub(super) una: Seq,
    /// Behind the last sequence number ever sent, SYN and FIN counted.
    pub(super) nxt: Seq,
    /// The peer's window, scaled, and the segment that last set it.
    pub(super) wnd: u32,
    pub(super) wl1: Seq,
    /// The greatest window seen: silly-window avoidance goes by it.
    pub(super) wnd_max: u32,
    pub(super) wscale: u8,
    /// Payload bytes per segment, options taken off.
    pub(super) mss: u16,
    /// The route's segment size, and the one that the peer announced.
    pub(super) mss_path: u16,
    pub(super) mss_peer: u16,
    /// Behind the last segment below `mss` (Minshall's form of Nagle, as Linux).
    pub(super) small: Seq,
    /// The most that was in flight in the round trip that ends when this is acknowledged: how far the congestion
    /// window was used (Linux: tcp_cwnd_validate).
    pub(super) out_max: u32,
    pub(super) usage_end: Seq,
    /// Bytes of new data that have gone out together so far.
    pub(super) burst: u32,
    /// Behind the last urgent byte, while `Marks::URGENT` is set.
    pub(super) up: Seq,
    /// Ends of records (`MSG_EOR`, the data of a SYN): no segment goes beyond one.
    pub(super) records: Option<Box<Records>>,
    /// How many bytes the queue may hold, and how many of them unsent.
    pub(super) limit: u32,
    pub(super) lowat: u32,
    /// Where the last chunk of the queue begins, unless it was sent already (`room`).
    pub(super) chunk: Seq,
    /// What was written up to the last push, and the ends that carry PSH for one (`room`).
    pub(super) pushed: Seq,
    #[allow(clippy::box_collection)]
    pub(super) pushes: Option<Box<VecDeque<Seq>>>,
    pub(super) queue: SendQueue,
    pub(super) last_sent: Instant,
}

/// The receiving half.
#[derive(Debug, Default)]
pub(super) struct Rcv {
    pub(super) irs: Seq,
    pub(super) nxt: Seq,
    /// The right edge of the window that was offered; it never moves back.
    pub(super) edge: Seq,
    /// `rcv.nxt` as it was last acknowledged (Linux: `rcv_wup`).
    pub(super) acked: Seq,
    pub(super) wscale: u8,
    /// The peer's segment size as its segments show it.
    pub(super) mss: u16,
    /// How many bytes of window may be offered.
    pub(super) limit: u32,
    /// Bytes that have come in sequence: the stream offset of `nxt`.
    pub(super) bytes: u64,
    pub(super) queue: ReceiveQueue,
    pub(super) reassembly: Option<Box<Reassembly>>,
    pub(super) urgent: Option<Urgent>,
    pub(super) last_received: Instant,
    pub(super) last_data: Instant,
    /// Delay of a delayed acknowledgement; zero before any data.
    pub(super) ato_us: u32,
    /// How many more acknowledgements go out at once (Linux: quick acknowledgements).
    pub(super) quick: u8,
    /// What the peer is to hear of it beyond `nxt`.
    pub(super) selective: Option<Box<Selective>>,
    /// Segments that came out of order: each is told to the peer, which counts (RFC 5681, 4.2).
    pub(super) gap_acks: u8,
    /// RFC 7323: the timestamp to echo, and when it came.
    pub(super) ts_recent: u32,
    pub(super) ts_recent_at: Instant,
    /// What the program took since `tuned_at`: the buffer's tuning goes by it.
    pub(super) taken: u32,
    pub(super) tuned_at: Instant,
}

impl Rcv {
    /// The window that stands offered.
    pub(super) fn wnd(&self) -> u32 {
        self.edge.diff(self.nxt).max(0) as u32
    }

    /// The stream offset of a sequence number near `nxt`.
    pub(super) fn offset(&self, seq: Seq) -> u64 {
        self.bytes.wrapping_add_signed(i64::from(seq.diff(self.nxt)))
    }
}

bitflags::bitflags! {
    /// What may be due for sending.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub(super) struct Due: u8 {
        const SYN = 0x01;
        /// Data, FIN or retransmissions: `transmit` finds out.
        const DATA = 0x02;
        const ACK = 0x04;
        /// A probe: an empty segment that the peer must answer.
        const PROBE = 0x08;
        const RST = 0x10;
        /// Partial segments may not wait any longer.
        const FORCE = 0x20;
        /// A tail loss probe (RFC 8985, 7).
        const TAIL = 0x40;
    }
}

bitflags::bitflags! {
    /// What has happened for good.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
    pub(super) struct Marks: u32 {
        /// `RCV_SHUTDOWN`.
        const SHUT_READ = 0x001;
        /// `SEND_SHUTDOWN`.
        const SHUT_WRITE = 0x002;
        /// The peer's FIN was taken in (`SOCK_DONE`).
        const DONE = 0x004;
        /// A FIN follows the queue.
        const FIN = 0x008;
        const ORPHAN = 0x010;
        /// Readiness may have changed.
        const READY = 0x020;
        /// RFC 7323 timestamps were agreed on.
        const TIMESTAMPS = 0x040;
        const WINDOW_SCALING = 0x080;
        /// `MSG_MORE`, until something else lets data go.
        const MORE = 0x100;
        /// The congestion window was what limited the sender in the last round trip.
        const CWND_LIMITED = 0x200;
        /// The connection came from a listener.
        const PASSIVE = 0x400;
        /// Urgent data was sent and is not acknowledged.
        const URGENT = 0x800;
        /// The SYN waits for data to go with it.
        const DEFERRED = 0x1000;
        /// A server's end that was given to the program with the SYN (RFC 7413).
        const FAST_OPEN = 0x2000;
        /// Data went with the SYN and was taken.
        const SYN_DATA = 0x4000;
        /// RFC 3168 was asked for; was agreed on.
        const ECN_ASKED = 0x8000;
        const ECN = 0x1_0000;
        /// A mark is echoed until the peer has reduced its window.
        const ECHOES = 0x2_0000;
        /// The next new data says that ours was reduced.
        const OWES_CWR = 0x4_0000;
        /// More was said to follow the end of the queue: no PSH there.
        const UNPUSHED = 0x8_0000;
        /// The program found no room, and is to hear of some.
        const NO_SPACE = 0x10_0000;
        /// The last sample of the delivery rate says what the program asked for.
        const RATE_APP_LIMITED = 0x20_0000;
    }
}

/// What is counted per connection, for `TCP_INFO`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    pub(super) bytes_sent: u64,
    pub(super) bytes_acked: u64,
    pub(super) bytes_retrans: u64,
    pub(super) segs_out: u32,
    pub(super) segs_in: u32,
    pub(super) data_segs_out: u32,
    pub(super) data_segs_in: u32,
    pub(super) retrans: u32,
    /// Segments of ours that have arrived, the SYN counted.
    pub(super) delivered: u32,
    pub(super) ooo: u32,
    /// Bytes a second, as last sampled (`rate`).
    pub(super) delivery_rate: u64,
}
