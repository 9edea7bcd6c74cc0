//! The table: every option that Linux has at these levels and that programs are seen to set, and what it is
//! here. Numbers are those of Linux on x86-64 and arm64.

use crate::errno::Errno;

/// `SOL_SOCKET`.
pub const SOL_SOCKET: i32 = 1;
/// `IPPROTO_IP`.
pub const IPPROTO_IP: i32 = 0;
/// `IPPROTO_TCP`.
pub const IPPROTO_TCP: i32 = 6;
/// `IPPROTO_IPV6`.
pub const IPPROTO_IPV6: i32 = 41;
/// `IPPROTO_UDP`.
pub const IPPROTO_UDP: i32 = 17;
/// `IPPROTO_UDPLITE`.
pub const IPPROTO_UDPLITE: i32 = 136;
/// `IPPROTO_ICMPV6`.
pub const IPPROTO_ICMPV6: i32 = 58;
/// `SOL_RAW`.
pub const SOL_RAW: i32 = 255;

/// Where an option's code is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Group {
    /// `SOL_SOCKET`.
    Socket,
    /// `IPPROTO_IP`.
    Ip,
    /// `IPPROTO_IPV6`.
    Ipv6,
    /// `IPPROTO_TCP`.
    Tcp,
    /// `IPPROTO_UDP` and `IPPROTO_UDPLITE`.
    Udp,
    /// `SOL_RAW` and `IPPROTO_ICMPV6`, and what raw sockets alone have elsewhere.
    Raw,
}

/// What an option is here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// It does what Linux's does.
    Effective,
    /// It can be asked for only.
    ReadOnly,
    /// Kept and given back: its length in bytes, and its first value.
    Stored {
        /// Bytes.
        len: usize,
        /// The int that it starts with.
        default: i32,
    },
    /// A flag, which anything but 0 sets; kept and given back.
    Flag {
        /// Whether what keeps it acts on it: control messages of receives are made by the layer above.
        acts: bool,
        /// What it starts with.
        default: bool,
    },
    /// Not accepted.
    Refused(Errno),
}

/// An option.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The level it belongs to.
    pub group: Group,
    /// Its number.
    pub number: i32,
    /// Its name in C.
    pub name: &'static str,
    /// What it is here.
    pub support: Support,
}

/// The entry of an option.
pub fn find(level: i32, number: i32) -> Option<&'static Entry> {
    let entries = match level {
        SOL_SOCKET => SOCKET,
        IPPROTO_IP => IP,
        IPPROTO_TCP => TCP,
        IPPROTO_IPV6 => IPV6,
        IPPROTO_ICMPV6 => ICMPV6,
        IPPROTO_UDP => UDP,
        IPPROTO_UDPLITE => LITE,
        SOL_RAW => RAW,
        _ => return None,
    };
    entries.iter().find(|entry| entry.number == number)
}

/// All of them with their level and its name, for documents.
pub fn all() -> impl Iterator<Item = (i32, &'static str, &'static Entry)> {
    let levels = [
        (SOL_SOCKET, "SOL_SOCKET", SOCKET),
        (IPPROTO_IP, "IPPROTO_IP", IP),
        (IPPROTO_TCP, "IPPROTO_TCP", TCP),
        (IPPROTO_UDP, "IPPROTO_UDP", UDP),
        (IPPROTO_UDPLITE, "IPPROTO_UDPLITE", LITE),
        (IPPROTO_IPV6, "IPPROTO_IPV6", IPV6),
        (IPPROTO_ICMPV6, "IPPROTO_ICMPV6", ICMPV6),
        (SOL_RAW, "SOL_RAW", RAW),
    ];
    levels
        .into_iter()
        .flat_map(|(level, name, entries)| entries.iter().map(move |entry| (level, name, entry)))
}

const fn flag(default: i32) -> Support {
    Support::Stored { len: 4, default }
}

const fn entry(group: Group, (number, name, support): (i32, &'static str, Support)) -> Entry {
    Entry { group, number, name, support }
}

macro_rules! entries {
    ($group:ident: $($entry:expr,)*) => { &[$(entry(Group::$group, $entry)),*] };
}

const ON: Support = Support::Effective;
const KEPT: Support = Support::Flag { acts: false, default: false };
const TOLD: Support = Support::Flag { acts: true, default: false };
const READ: Support = Support::ReadOnly;
const REFUSED: Support = Support::Refused(Errno::ENOPROTOOPT);

static SOCKET: &[Entry] = entries![Socket:
    (1, "SO_DEBUG", KEPT),
    (2, "SO_REUSEADDR", ON),
    (3, "SO_TYPE", READ),
    (4, "SO_ERROR", READ),
    (5, "SO_DONTROUTE", KEPT),
    (6, "SO_BROADCAST", ON),
    (7, "SO_SNDBUF", ON),
    (8, "SO_RCVBUF", ON),
    (9, "SO_KEEPALIVE", ON),
    (10, "SO_OOBINLINE", ON),
    (11, "SO_NO_CHECK", KEPT),
    (12, "SO_PRIORITY", flag(0)),
    (13, "SO_LINGER", ON),
    (14, "SO_BSDCOMPAT", flag(0)),
    (15, "SO_REUSEPORT", ON),
    (16, "SO_PASSCRED", Support::Refused(Errno::EOPNOTSUPP)),
    (17, "SO_PEERCRED", REFUSED),
    (18, "SO_RCVLOWAT", ON),
    (19, "SO_SNDLOWAT", READ),
    (20, "SO_RCVTIMEO", ON),
    (21, "SO_SNDTIMEO", ON),
    (25, "SO_BINDTODEVICE", ON),
    (26, "SO_ATTACH_FILTER", ON),
    (27, "SO_DETACH_FILTER", ON),
    (28, "SO_PEERNAME", REFUSED),
    (29, "SO_TIMESTAMP", TOLD),
    (30, "SO_ACCEPTCONN", READ),
    (32, "SO_SNDBUFFORCE", ON),
    (33, "SO_RCVBUFFORCE", ON),
    (35, "SO_TIMESTAMPNS", TOLD),
    (36, "SO_MARK", flag(0)),
    (37, "SO_TIMESTAMPING", REFUSED),
    (38, "SO_PROTOCOL", READ),
    (39, "SO_DOMAIN", READ),
    (40, "SO_RXQ_OVFL", TOLD),
    (42, "SO_PEEK_OFF", ON),
    (44, "SO_LOCK_FILTER", ON),
    (45, "SO_SELECT_ERR_QUEUE", KEPT),
    (46, "SO_BUSY_POLL", flag(0)),
    (47, "SO_MAX_PACING_RATE", ON),
    (49, "SO_INCOMING_CPU", flag(-1)),
    (50, "SO_ATTACH_BPF", REFUSED),
    (51, "SO_ATTACH_REUSEPORT_CBPF", REFUSED),
    (52, "SO_ATTACH_REUSEPORT_EBPF", REFUSED),
    (55, "SO_MEMINFO", READ),
    (56, "SO_INCOMING_NAPI_ID", READ),
    (57, "SO_COOKIE", READ),
    (60, "SO_ZEROCOPY", ON),
    (61, "SO_TXTIME", REFUSED),
    (62, "SO_BINDTOIFINDEX", ON),
    (63, "SO_TIMESTAMP_NEW", KEPT),
    (64, "SO_TIMESTAMPNS_NEW", KEPT),
    (66, "SO_RCVTIMEO_NEW", ON),
    (67, "SO_SNDTIMEO_NEW", ON),
    (69, "SO_PREFER_BUSY_POLL", KEPT),
    (70, "SO_BUSY_POLL_BUDGET", REFUSED),
];

static IP: &[Entry] = entries![Ip:
    (1, "IP_TOS", ON),
    (2, "IP_TTL", ON),
    (3, "IP_HDRINCL", ON),
    (4, "IP_OPTIONS", REFUSED),
    (6, "IP_RECVOPTS", KEPT),
    (7, "IP_RETOPTS", KEPT),
    (8, "IP_PKTINFO", TOLD),
    (10, "IP_MTU_DISCOVER", ON),
    (11, "IP_RECVERR", ON),
    (12, "IP_RECVTTL", TOLD),
    (13, "IP_RECVTOS", TOLD),
    (14, "IP_MTU", READ),
    (15, "IP_FREEBIND", ON),
    (19, "IP_TRANSPARENT", ON),
    (20, "IP_RECVORIGDSTADDR", TOLD),
    (21, "IP_MINTTL", ON),
    (23, "IP_CHECKSUM", REFUSED),
    (24, "IP_BIND_ADDRESS_NO_PORT", ON),
    (25, "IP_RECVFRAGSIZE", KEPT),
    (26, "IP_RECVERR_RFC4884", flag(0)),
    (32, "IP_MULTICAST_IF", ON),
    (33, "IP_MULTICAST_TTL", ON),
    (34, "IP_MULTICAST_LOOP", ON),
    (35, "IP_ADD_MEMBERSHIP", ON),
    (36, "IP_DROP_MEMBERSHIP", ON),
    (37, "IP_UNBLOCK_SOURCE", ON),
    (38, "IP_BLOCK_SOURCE", ON),
    (39, "IP_ADD_SOURCE_MEMBERSHIP", ON),
    (40, "IP_DROP_SOURCE_MEMBERSHIP", ON),
    (41, "IP_MSFILTER", ON),
    (42, "MCAST_JOIN_GROUP", ON),
    (43, "MCAST_BLOCK_SOURCE", ON),
    (44, "MCAST_UNBLOCK_SOURCE", ON),
    (45, "MCAST_LEAVE_GROUP", ON),
    (46, "MCAST_JOIN_SOURCE_GROUP", ON),
    (47, "MCAST_LEAVE_SOURCE_GROUP", ON),
    (48, "MCAST_MSFILTER", ON),
    (49, "IP_MULTICAST_ALL", ON),
    (50, "IP_UNICAST_IF", ON),
    (51, "IP_LOCAL_PORT_RANGE", ON),
];

static IPV6: &[Entry] = entries![Ipv6:
    (7, "IPV6_CHECKSUM", ON),
    (16, "IPV6_UNICAST_HOPS", ON),
    (17, "IPV6_MULTICAST_IF", ON),
    (18, "IPV6_MULTICAST_HOPS", ON),
    (19, "IPV6_MULTICAST_LOOP", ON),
    (20, "IPV6_ADD_MEMBERSHIP", ON),
    (21, "IPV6_DROP_MEMBERSHIP", ON),
    (23, "IPV6_MTU_DISCOVER", ON),
    (24, "IPV6_MTU", READ),
    (25, "IPV6_RECVERR", ON),
    (26, "IPV6_V6ONLY", ON),
    (29, "IPV6_MULTICAST_ALL", ON),
    (36, "IPV6_HDRINCL", ON),
    (42, "MCAST_JOIN_GROUP", ON),
    (43, "MCAST_BLOCK_SOURCE", ON),
    (44, "MCAST_UNBLOCK_SOURCE", ON),
    (45, "MCAST_LEAVE_GROUP", ON),
    (46, "MCAST_JOIN_SOURCE_GROUP", ON),
    (47, "MCAST_LEAVE_SOURCE_GROUP", ON),
    (48, "MCAST_MSFILTER", ON),
    (49, "IPV6_RECVPKTINFO", TOLD),
    (51, "IPV6_RECVHOPLIMIT", TOLD),
    (53, "IPV6_RECVHOPOPTS", KEPT),
    (56, "IPV6_RECVRTHDR", KEPT),
    (58, "IPV6_RECVDSTOPTS", KEPT),
    (60, "IPV6_RECVPATHMTU", KEPT),
    (62, "IPV6_DONTFRAG", KEPT),
    (66, "IPV6_RECVTCLASS", TOLD),
    (67, "IPV6_TCLASS", ON),
    (70, "IPV6_AUTOFLOWLABEL", Support::Flag { acts: false, default: true }),
    (72, "IPV6_ADDR_PREFERENCES", flag(2)),
    (73, "IPV6_MINHOPCOUNT", ON),
    (74, "IPV6_RECVORIGDSTADDR", TOLD),
    (75, "IPV6_TRANSPARENT", ON),
    (76, "IPV6_UNICAST_IF", ON),
    (78, "IPV6_FREEBIND", ON),
];

static UDP: &[Entry] = entries![Udp:
    (1, "UDP_CORK", ON),
    (100, "UDP_ENCAP", REFUSED),
    (101, "UDP_NO_CHECK6_TX", KEPT),
    (102, "UDP_NO_CHECK6_RX", KEPT),
    (103, "UDP_SEGMENT", ON),
    (104, "UDP_GRO", ON),
];

static LITE: &[Entry] = entries![Udp:
    (10, "UDPLITE_SEND_CSCOV", ON),
    (11, "UDPLITE_RECV_CSCOV", ON),
];

static ICMPV6: &[Entry] = entries![Raw:
    (1, "ICMPV6_FILTER", ON),
];

static RAW: &[Entry] = entries![Raw:
    (1, "ICMP_FILTER", ON),
    (7, "IPV6_CHECKSUM", ON),
    (36, "IPV6_HDRINCL", ON),
];

static TCP: &[Entry] = entries![Tcp:
    (1, "TCP_NODELAY", ON),
    (2, "TCP_MAXSEG", ON),
    (3, "TCP_CORK", ON),
    (4, "TCP_KEEPIDLE", ON),
    (5, "TCP_KEEPINTVL", ON),
    (6, "TCP_KEEPCNT", ON),
    (7, "TCP_SYNCNT", ON),
    (8, "TCP_LINGER2", ON),
    (9, "TCP_DEFER_ACCEPT", ON),
    (10, "TCP_WINDOW_CLAMP", ON),
    (11, "TCP_INFO", READ),
    (12, "TCP_QUICKACK", ON),
    (13, "TCP_CONGESTION", ON),
    (14, "TCP_MD5SIG", REFUSED),
    (16, "TCP_THIN_LINEAR_TIMEOUTS", flag(0)),
    (17, "TCP_THIN_DUPACK", flag(0)),
    (18, "TCP_USER_TIMEOUT", ON),
    (19, "TCP_REPAIR", Support::Refused(Errno::EPERM)),
    (23, "TCP_FASTOPEN", ON),
    (25, "TCP_NOTSENT_LOWAT", ON),
    (26, "TCP_CC_INFO", READ),
    (27, "TCP_SAVE_SYN", ON),
    (28, "TCP_SAVED_SYN", READ),
    (30, "TCP_FASTOPEN_CONNECT", ON),
    (31, "TCP_ULP", Support::Refused(Errno::ENOENT)),
    (33, "TCP_FASTOPEN_KEY", ON),
    (34, "TCP_FASTOPEN_NO_COOKIE", ON),
    (35, "TCP_ZEROCOPY_RECEIVE", REFUSED),
    (36, "TCP_INQ", TOLD),
    (37, "TCP_TX_DELAY", REFUSED),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_and_none_is_there_twice() {
        for entries in [SOCKET, IP, IPV6, TCP, UDP, LITE, ICMPV6, RAW] {
            assert!(entries.windows(2).all(|pair| pair[0].number < pair[1].number));
        }
    }
}
