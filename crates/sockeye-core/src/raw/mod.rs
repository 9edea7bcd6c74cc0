//! Raw sockets (raw(7), RFC 3542) and ping sockets (icmp(7)): IP and ICMP in the hands of programs.
//!
//! A raw socket has a protocol instead of a port. [`arrive`] gives it a copy of every packet of its protocol that
//! reaches the host, before the protocol itself sees it; [`send`] puts an IP header in front of what it sends,
//! or takes the program's own (`IP_HDRINCL`). A ping socket ([`ping`]) sends echo requests and has their
//! identifier for a port. Both keep what arrives in the same inbox as UDP's sockets. A host belongs to its user,
//! so nobody is asked for a privilege. Packets inside the host are made into bytes for raw sockets only when
//! there are some.

mod arrive;
mod ping;
mod send;

use crate::host::{Domain, SocketId};
use crate::wire::protocol;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// Which raw and ping sockets there are. For lookup only, never iterated.
#[derive(Debug, Default)]
pub(crate) struct Raws {
    raw: HashMap<(bool, u8), Holders, FixedState>,
    ping: HashMap<(bool, u16), Holders, FixedState>,
}

type Holders = SmallVec<[SocketId; 2]>;

impl Raws {
    /// The raw sockets of a family (IPv6 or not) and a protocol, the oldest first.
    pub(crate) fn of(&self, is_ipv6: bool, protocol: u8) -> &[SocketId] {
        // Most hosts have none, and this is asked for with each packet.
        if self.raw.is_empty() {
            return &[];
        }
        self.raw.get(&(is_ipv6, protocol)).map_or(&[], |holders| holders)
    }

    pub(crate) fn insert(&mut self, domain: Domain, protocol: u8, id: SocketId) {
        self.raw.entry((domain == Domain::Inet6, protocol)).or_default().push(id);
    }

    pub(crate) fn remove(&mut self, domain: Domain, protocol: u8, id: SocketId) {
        remove(&mut self.raw, (domain == Domain::Inet6, protocol), id);
    }

    /// The ping sockets that have an identifier.
    pub(crate) fn pings(&self, is_ipv6: bool, identifier: u16) -> &[SocketId] {
        self.ping.get(&(is_ipv6, identifier)).map_or(&[], |holders| holders)
    }

    pub(crate) fn insert_ping(&mut self, domain: Domain, identifier: u16, id: SocketId) {
        self.ping.entry((domain == Domain::Inet6, identifier)).or_default().push(id);
    }

    pub(crate) fn remove_ping(&mut self, domain: Domain, identifier: u16, id: SocketId) {
        remove(&mut self.ping, (domain == Domain::Inet6, identifier), id);
    }
}

fn remove<K: core::hash::Hash + Eq>(map: &mut HashMap<K, Holders, FixedState>, key: K, id: SocketId) {
    let Some(holders) = map.get_mut(&key) else { return };
    holders.retain(|other| *other != id);
    if holders.is_empty() {
        map.remove(&key);
    }
}

/// The options of a raw socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct RawOptions {
    /// `IP_HDRINCL`, `IPV6_HDRINCL`.
    pub header_included: bool,
    /// `ICMP_FILTER`: types below 32 whose bit is set do not arrive.
    pub icmp_filter: u32,
    /// `ICMP6_FILTER`, the same of all types.
    pub icmp6_filter: [u32; 8],
    /// `IPV6_CHECKSUM`: where in a packet the sum stands that the host makes and checks.
    pub checksum_at: Option<u32>,
}

impl RawOptions {
    /// As inet_create and rawv6_init_sk make them.
    pub(crate) fn new(domain: Domain, protocol: u8) -> Self {
        let sums = domain == Domain::Inet6 && protocol == protocol::ICMPV6;
        Self {
            header_included: protocol == PROTOCOL_RAW,
            checksum_at: sums.then_some(ICMPV6_CHECKSUM_AT),
            ..Self::default()
        }
    }

    fn blocks(&self, is_ipv6: bool, icmp_type: u8) -> bool {
        let bit = u32::from(icmp_type & 31);
        match is_ipv6 {
            true => self.icmp6_filter[usize::from(icmp_type >> 5)] >> bit & 1 == 1,
            false => icmp_type < 32 && self.icmp_filter >> bit & 1 == 1,
        }
    }
}

/// `IPPROTO_RAW`: sends whole packets, receives none.
pub(crate) const PROTOCOL_RAW: u8 = 255;
const ICMPV6_CHECKSUM_AT: u32 = 2;
