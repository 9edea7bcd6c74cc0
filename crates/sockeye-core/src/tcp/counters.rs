//! What TCP counts for its host, under the names of Linux's SNMP tables (`Tcp` and `TcpExt`).

/// Every silent discard and every notable turn has its counter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    pub active_opens: u64,
    pub passive_opens: u64,
    pub attempt_fails: u64,
    pub estab_resets: u64,
    pub in_segs: u64,
    pub out_segs: u64,
    pub retrans_segs: u64,
    pub out_rsts: u64,
    /// Dropped: older timestamp than seen (RFC 7323, 5.3).
    pub paws_estab: u64,
    pub challenge_acks: u64,
    pub syn_challenges: u64,
    /// A challenge or duplicate acknowledgement was due and the rate limit withheld it.
    pub ack_skipped: u64,
    pub delayed_acks: u64,
    pub timeouts: u64,
    pub fast_retransmits: u64,
    pub slow_start_retransmits: u64,
    pub partial_acks: u64,
    /// The peer reported duplicates (RFC 2883).
    pub dsack_recv: u64,
    /// Reductions of the window that were taken back.
    pub undos: u64,
    /// Timeouts that F-RTO found to be spurious (RFC 5682).
    pub spurious_timeouts: u64,
    /// Tail loss probes, and losses that they repaired (RFC 8985, 7).
    pub loss_probes: u64,
    pub loss_probe_recoveries: u64,
    pub window_probes: u64,
    pub keepalive_probes: u64,
    pub abort_on_data: u64,
    pub abort_on_close: u64,
    pub abort_on_linger: u64,
    pub abort_on_timeout: u64,
    pub time_waits: u64,
    /// Segments whose data waits out of order.
    pub ofo_queue: u64,
    /// Dropped: out of order and no room.
    pub ofo_drop: u64,
    /// Out-of-order bytes that were there already.
    pub ofo_merge: u64,
    /// Dropped: outside the window.
    pub out_of_window: u64,
    /// Dropped: no window was offered for it.
    pub zero_window_drop: u64,
    /// Dropped: copies of what was received.
    pub dup_segments: u64,
    /// Dropped: acknowledges what was never sent.
    pub ack_unsent: u64,
    /// Dropped: no ACK bit where one must be (RFC 9293, 3.10.7.4, fifth).
    pub no_ack: u64,
    /// Dropped: for a connection that is closed.
    pub closed: u64,
    /// Dropped: an ICMP error whose quoted sequence number is none in flight.
    pub out_of_window_icmps: u64,
    /// Dropped: the handshake's last segment found the accept queue full.
    pub listen_overflows: u64,
    /// Dropped: bare handshake acknowledgement while `TCP_DEFER_ACCEPT` waits for data.
    pub deferred_accepts: u64,
}
