//! Who holds which port, and who may not hold it beside others: the rules of Linux's `inet_csk_get_port` and
//! `udp_lib_get_port`.
//!
//! In: bindings that come, change and go. Out: whether one conflicts. A port's holders are counted by class
//! (equal address and flags), so that ten thousand connections of one server are one class and a question
//! costs the number of classes, not of sockets. It knows no sockets.

use core::net::IpAddr;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;

/// The address part of a binding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum BoundAddr {
    /// 0.0.0.0.
    Any4,
    /// `::` with `IPV6_V6ONLY`.
    Any6,
    /// `::`, which stands for v4 too.
    AnyDual,
    /// One address; v4-mapped ones are v4.
    One(IpAddr),
}

impl BoundAddr {
    pub(crate) fn new(addr: IpAddr, v6only: bool) -> Self {
        match addr {
            IpAddr::V4(v4) if v4.is_unspecified() => Self::Any4,
            IpAddr::V6(v6) if v6.is_unspecified() && v6only => Self::Any6,
            IpAddr::V6(v6) if v6.is_unspecified() => Self::AnyDual,
            addr => Self::One(addr),
        }
    }

    /// Whether a packet could be for both (`inet_rcv_saddr_equal`, wildcards matching).
    fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::AnyDual, _) | (_, Self::AnyDual) => true,
            (Self::Any4, Self::Any4) | (Self::Any6, Self::Any6) => true,
            (Self::Any4, Self::One(one)) | (Self::One(one), Self::Any4) => one.is_ipv4(),
            (Self::Any6, Self::One(one)) | (Self::One(one), Self::Any6) => one.is_ipv6(),
            (Self::One(a), Self::One(b)) => a == b,
            (Self::Any4, Self::Any6) | (Self::Any6, Self::Any4) => false,
        }
    }
}

/// What a socket's hold on a port looks like to others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Binding {
    pub addr: BoundAddr,
    /// `SO_REUSEADDR`.
    pub reuse: bool,
    /// `SO_REUSEPORT`. All sockets of a host are one user's.
    pub reuseport: bool,
    pub listening: bool,
    /// Bound to this interface (`SO_BINDTODEVICE`); 0 is none.
    pub device: u32,
    /// By bind, not by connect's choice of a port.
    pub explicit: bool,
    /// An IPv6 socket that may be IPv4's too: also one that a connection gave an IPv6 address.
    pub dual: bool,
}

/// How strictly a question is asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// TCP, a port that the program named.
    TcpNamed,
    /// TCP, a port that bind chooses: nobody shares.
    TcpChosen,
    /// UDP, either way.
    Udp,
}

impl Binding {
    /// ipv4_rcv_saddr_equal: 0.0.0.0 is in the way of every socket that is not IPv6's alone, whatever its address.
    fn hides(self, other: Self) -> bool {
        self.addr == BoundAddr::Any4 && other.dual
    }

    fn conflicts(self, other: Self, rule: Rule) -> bool {
        if self.device != 0 && other.device != 0 && self.device != other.device {
            return false;
        }
        if !self.addr.overlaps(other.addr) && !self.hides(other) && !other.hides(self) {
            return false;
        }
        let both_reuse = self.reuse && other.reuse;
        let both_reuseport = self.reuseport && other.reuseport;
        match rule {
            // inet_bind_conflict with relax and reuseport_ok.
            Rule::TcpNamed => !(both_reuse && !other.listening || both_reuseport),
            // With neither: even two that would share do not get a port by chance that is in use.
            Rule::TcpChosen => true,
            Rule::Udp => !(both_reuse || both_reuseport),
        }
    }
}

#[derive(Debug, Default)]
struct Bucket {
    classes: SmallVec<[(Binding, u32); 2]>,
}

/// A hold on a port, to be given back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Hold {
    pub port: u16,
    pub binding: Binding,
}

/// The ports of one protocol.
#[derive(Debug, Default)]
pub(crate) struct Ports {
    buckets: HashMap<u16, Bucket, FixedState>,
}

impl Ports {
    /// Whether `binding` may not have `port`.
    pub(crate) fn conflicts(&self, port: u16, binding: Binding, rule: Rule) -> bool {
        self.buckets
            .get(&port)
            .is_some_and(|b| b.classes.iter().any(|(other, _)| binding.conflicts(*other, rule)))
    }

    /// Whether connect may choose `port` if the four values are free: nobody bound it.
    pub(crate) fn free_for_connect(&self, port: u16) -> bool {
        self.buckets.get(&port).is_none_or(|b| b.classes.iter().all(|(other, _)| !other.explicit))
    }

    pub(crate) fn take(&mut self, port: u16, binding: Binding) -> Hold {
        let classes = &mut self.buckets.entry(port).or_default().classes;
        match classes.iter_mut().find(|(other, _)| *other == binding) {
            Some((_, count)) => *count += 1,
            None => classes.push((binding, 1)),
        }
        Hold { port, binding }
    }

    pub(crate) fn give_back(&mut self, hold: Hold) {
        let bucket = self.buckets.get_mut(&hold.port).expect("a hold has its bucket");
        let at = bucket.classes.iter().position(|(b, _)| *b == hold.binding).expect("a hold has its class");
        bucket.classes[at].1 -= 1;
        if bucket.classes[at].1 == 0 {
            bucket.classes.swap_remove(at);
        }
        if bucket.classes.is_empty() {
            self.buckets.remove(&hold.port);
        }
    }

    /// A hold whose flags or address have changed.
    pub(crate) fn change(&mut self, hold: Hold, binding: Binding) -> Hold {
        self.give_back(hold);
        self.take(hold.port, binding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(addr: &str, v6only: bool) -> Binding {
        let addr = BoundAddr::new(addr.parse().unwrap(), v6only);
        Binding {
            addr,
            reuse: false,
            reuseport: false,
            listening: false,
            device: 0,
            explicit: true,
            dual: false,
        }
    }

    #[test]
    fn addresses_overlap_as_on_linux() {
        for (a, b, overlap) in [
            (binding("0.0.0.0", false), binding("127.0.0.1", false), true),
            (binding("127.0.0.1", false), binding("127.0.0.2", false), false),
            (binding("::", false), binding("0.0.0.0", false), true),
            (binding("::", true), binding("0.0.0.0", false), false),
            (binding("::", false), binding("127.0.0.1", false), true),
            (binding("::", true), binding("::1", false), true),
            (binding("0.0.0.0", false), binding("::1", false), false),
        ] {
            let mut ports = Ports::default();
            ports.take(80, a);
            assert_eq!(ports.conflicts(80, b, Rule::TcpNamed), overlap, "{a:?} {b:?}");
            assert!(!ports.conflicts(81, b, Rule::TcpNamed));
        }
    }

    #[test]
    fn a_connection_of_a_dual_socket_keeps_the_v4_wildcard_away() {
        let mut ports = Ports::default();
        ports.take(80, Binding { dual: true, ..binding("::1", false) });
        assert!(ports.conflicts(80, binding("0.0.0.0", false), Rule::TcpNamed));
        assert!(!ports.conflicts(80, binding("127.0.0.1", false), Rule::TcpNamed));
    }

    #[test]
    fn reuse_shares_unless_someone_listens() {
        let mut ports = Ports::default();
        let one = Binding { reuse: true, ..binding("0.0.0.0", false) };
        let hold = ports.take(80, one);
        assert!(!ports.conflicts(80, one, Rule::TcpNamed));
        let hold = ports.change(hold, Binding { listening: true, ..one });
        assert!(ports.conflicts(80, one, Rule::TcpNamed));
        ports.give_back(hold);
        assert!(ports.buckets.is_empty());
    }

    #[test]
    fn reuseport_shares_though_others_listen() {
        let mut ports = Ports::default();
        let one = Binding { reuseport: true, listening: true, ..binding("0.0.0.0", false) };
        ports.take(80, one);
        assert!(!ports.conflicts(80, one, Rule::TcpNamed));
        assert!(ports.conflicts(80, binding("0.0.0.0", false), Rule::TcpNamed));
    }
}
