//! Every count that a host keeps, by the names of Linux's SNMP tables (`/proc/net/snmp`, `netstat`) where they
//! have one. Every silent discard has its reason here, or, when a connection makes it, in [`crate::tcp::Counters`].

macro_rules! counters {
    ($($(#[$doc:meta])* $field:ident = $name:literal,)*) => {
        /// The counts of a host since its birth.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Counters {
            $($(#[$doc])* pub $field: u64,)*
        }

        impl Counters {
            /// Names and values, in a fixed order.
            pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
                [$(($name, self.$field)),*].into_iter()
            }
        }
    };
}

counters! {
    /// IP packets that came in, loopback's among them.
    ip_in_receives = "IpInReceives",
    /// Packets whose IP header is none.
    ip_in_hdr_errors = "IpInHdrErrors",
    /// Packets for an address that is not the host's.
    ip_in_addr_errors = "IpInAddrErrors",
    /// Packets from a source that must not arrive by that interface (a loopback one, say).
    ip_martian_source = "IpExtMartianSource",
    /// Packets of a protocol without a receiver.
    ip_in_unknown_protos = "IpInUnknownProtos",
    /// Packets cut short.
    ip_in_truncated = "IpExtInTruncatedPkts",
    /// Packets sent.
    ip_out_requests = "IpOutRequests",
    /// Packets that no route leads to.
    ip_out_no_routes = "IpOutNoRoutes",
    /// Packets dropped because the output queue is full.
    ip_out_discards = "IpOutDiscards",
    /// Fragments that came in.
    ip_reasm_reqds = "IpReasmReqds",
    /// Datagrams put together.
    ip_reasm_oks = "IpReasmOKs",
    /// Reassemblies given up.
    ip_reasm_fails = "IpReasmFails",
    /// Fragments made.
    ip_frag_creates = "IpFragCreates",
    /// ICMP messages that came in.
    icmp_in_msgs = "IcmpInMsgs",
    /// ICMP messages that are none.
    icmp_in_errors = "IcmpInErrors",
    /// ICMP checksums that were wrong.
    icmp_in_csum_errors = "IcmpInCsumErrors",
    /// ICMP messages sent.
    icmp_out_msgs = "IcmpOutMsgs",
    /// ICMP errors not sent because of their rate (`icmp_ratelimit`).
    icmp_out_rate_limited = "IcmpOutRateLimitGlobal",
    /// Segments that are none.
    tcp_in_errs = "TcpInErrs",
    /// Segments that had come farther than `IP_MINTTL` or `IPV6_MINHOPCOUNT` allows.
    tcp_min_ttl_drops = "TcpExtTCPMinTTLDrop",
    /// TCP checksums that were wrong.
    tcp_in_csum_errors = "TcpInCsumErrors",
    /// SYNs or last ACKs of handshakes dropped because the accept queue was full.
    listen_overflows = "TcpExtListenOverflows",
    /// SYNs dropped at a listener, for that or another reason.
    listen_drops = "TcpExtListenDrops",
    /// SYNs answered by a cookie; acknowledgements that brought one back; those that did not, while some were expected.
    syncookies_sent = "TcpExtSyncookiesSent",
    syncookies_recv = "TcpExtSyncookiesRecv",
    syncookies_failed = "TcpExtSyncookiesFailed",
    /// TIME-WAITs used again by connect.
    tcp_time_waits_recycled = "TcpExtTWRecycled",
    /// TIME-WAITs not kept because there are too many.
    tcp_time_wait_overflow = "TcpExtTCPTimeWaitOverflow",
    /// Orphans killed because there are too many.
    tcp_abort_on_memory = "TcpExtTCPAbortOnMemory",
    /// Datagrams given to sockets.
    udp_in_datagrams = "UdpInDatagrams",
    /// Datagrams to a port that nobody has.
    udp_no_ports = "UdpNoPorts",
    /// Datagrams that are none.
    udp_in_errors = "UdpInErrors",
    /// Datagrams dropped because the socket's receive buffer was full.
    udp_rcvbuf_errors = "UdpRcvbufErrors",
    /// UDP checksums that were wrong.
    udp_in_csum_errors = "UdpInCsumErrors",
    /// Datagrams sent.
    udp_out_datagrams = "UdpOutDatagrams",
    /// Packets that a socket's own filter dropped.
    socket_filter_drops = "SockeyeSocketFilterDrops",
    /// Packets dropped because a raw or ping socket's receive buffer was full.
    raw_rcvbuf_errors = "SockeyeRawRcvbufErrors",
    /// Events that found no room in a socket's error queue.
    error_queue_drops = "SockeyeErrorQueueDrops",
}
