//! Hosts and the links between them, in simulated time.

use sockeye_core::host::{Domain, Host, HostConfig, IfIndex, InterfaceConfig, Kind, SendControl, SocketId};
use sockeye_core::{Errno, Instant, Payload};
use sockeye_lab::impair::Impairment;
use sockeye_lab::link::{Outcome, Path};
use sockeye_lab::view::View;
use sockeye_lab::{HostId, Lab, LinkId, Port};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

struct World {
    lab: Lab,
    now: Instant,
}

impl World {
    fn settle(&mut self) {
        while self.lab.settle(self.now) {}
    }

    /// Goes from deadline to deadline until `done` or the time is up; says whether it was done.
    fn until(&mut self, limit: Duration, mut done: impl FnMut(&mut Lab, Instant) -> bool) -> bool {
        let end = self.now + limit;
        loop {
            self.settle();
            if done(&mut self.lab, self.now) {
                return true;
            }
            match self.lab.next_deadline() {
                Some(at) if at <= end => self.now = at,
                _ => return false,
            }
        }
    }

    fn connect(&mut self, host: HostId, to: &str) -> SocketId {
        let now = self.now;
        let host = self.lab.host_mut(host);
        let client = host.socket(Domain::Inet, Kind::Stream, 0).unwrap();
        assert_eq!(host.connect(client, addr(to), now), Err(Errno::EINPROGRESS));
        client
    }

    fn listen(&mut self, host: HostId, at: &str) -> SocketId {
        let host = self.lab.host_mut(host);
        let listener = host.socket(Domain::Inet, Kind::Stream, 0).unwrap();
        host.bind(listener, addr(at)).unwrap();
        host.listen(listener, 16).unwrap();
        listener
    }
}

fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A host whose own traffic goes over a link like `path`.
fn own_link(path: Path, seed: u64) -> (World, HostId, LinkId) {
    let mut lab = Lab::with_seed(seed);
    let config = HostConfig { linked_loopback: Some(1500), ..HostConfig::default() };
    let host = lab.add(Host::new(config, seed));
    let link = lab.join_loop(Port { host, interface: IfIndex::LO }, path);
    lab.watch();
    (World { lab, now: Instant(1) }, host, link)
}

fn bad_path() -> Path {
    let impairment = Impairment {
        loss_ppm: 20_000,
        duplicate_ppm: 10_000,
        reorder_ppm: 20_000,
        corrupt_ppm: 5_000,
        jitter: Duration::from_millis(1),
        ..Impairment::default()
    };
    Path { delay: Duration::from_millis(5), impairment, ..Path::default() }
}

/// One line of a trace.
type Line = (u64, SocketAddr, u32, u32, u8, usize, Outcome);

/// A megabyte over a bad link of the host's own; what was received, and the packets.
fn transfer(seed: u64) -> (Vec<u8>, Vec<Line>) {
    let (mut w, host, _) = own_link(bad_path(), seed);
    let listener = w.listen(host, "127.0.0.1:80");
    let client = w.connect(host, "127.0.0.1:80");
    let data: Vec<u8> = (0..1_000_000u32).map(|n| (n / 7) as u8).collect();
    let (mut sent, mut received, mut server) = (0, Vec::new(), None);
    let done = w.until(Duration::from_secs(120), |lab, now| {
        let host = lab.host_mut(host);
        server = server.or_else(|| host.accept(listener).ok());
        while let Ok(n) = host.send(client, &data[sent..], now)
            && n > 0
        {
            sent += n;
        }
        let mut buffer = [0; 65536];
        while let Some(server) = server
            && let Ok(n) = host.recv(server, &mut buffer, false, now)
            && n > 0
        {
            received.extend_from_slice(&buffer[..n]);
        }
        received.len() == data.len()
    });
    assert!(done, "only {} bytes in two minutes", received.len());
    assert!(received == data, "bytes differ");
    let mut trace = Vec::new();
    while let Some(tap) = w.lab.next_tap() {
        let view = View::of(&tap.packet).unwrap();
        let tcp = view.tcp.unwrap();
        trace.push((
            tap.at.0,
            view.src,
            tcp.seq.0,
            tcp.ack.0,
            tcp.flags.bits(),
            view.payload_len,
            tap.outcome,
        ));
    }
    (received, trace)
}

#[test]
fn a_stream_survives_a_bad_link_of_its_own_host() {
    let (_, trace) = transfer(7);
    let lost = trace.iter().filter(|line| line.6 == Outcome::Lost).count();
    let share = lost as f64 / trace.len() as f64;
    assert!((0.01..0.03).contains(&share), "{lost} of {} lost", trace.len());
    assert!(trace.iter().all(|line| line.5 <= 1460), "no packet is longer than the MTU");
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let first = transfer(11).1;
    assert_eq!(first, transfer(11).1);
    assert_ne!(first, transfer(12).1);
}

#[test]
fn datagrams_are_refused_over_the_link_of_their_own_host() {
    let path = Path { delay: Duration::from_millis(10), ..Path::default() };
    let (mut w, id, _) = own_link(path, 1);
    let now = w.now;
    let host = w.lab.host_mut(id);
    let socket = host.socket(Domain::Inet, Kind::Datagram, 0).unwrap();
    host.connect(socket, addr("127.0.0.1:9"), now).unwrap();
    assert_eq!(host.send(socket, b"anybody?", now), Ok(8));
    assert_eq!(host.take_error(socket), None, "the answer is on its way");
    assert!(w.until(Duration::from_secs(1), |lab, _| lab.host_mut(id).take_error(socket)
        == Some(Errno::ECONNREFUSED)));
    assert_eq!(w.now, now + Duration::from_millis(20));
}

#[test]
fn what_is_sent_to_a_group_returns_once() {
    let (mut w, id, _) = own_link(Path { delay: Duration::from_millis(1), ..Path::default() }, 1);
    let now = w.now;
    let host = w.lab.host_mut(id);
    let hearer = host.socket(Domain::Inet, Kind::Datagram, 0).unwrap();
    host.bind(hearer, addr("0.0.0.0:5353")).unwrap();
    // struct ip_mreqn: 224.0.0.251 on interface 1; IP_ADD_MEMBERSHIP.
    let request = [224, 0, 0, 251, 0, 0, 0, 0, 1, 0, 0, 0];
    host.setsockopt(hearer, 0, 35, &request, now).unwrap();
    let sender = host.socket(Domain::Inet, Kind::Datagram, 0).unwrap();
    let control = SendControl { interface: Some(IfIndex::LO), ..SendControl::default() };
    host.send_to(
        sender,
        Payload::from(bytes::Bytes::from_static(b"hello")),
        Some(addr("224.0.0.251:5353")),
        &control,
        now,
    )
    .unwrap();
    let mut heard = 0;
    w.until(Duration::from_secs(1), |lab, now| {
        while lab.host_mut(id).recv_from(hearer, false, now).is_ok() {
            heard += 1;
        }
        false
    });
    assert_eq!(heard, 1);
}

#[test]
fn a_partition_stops_a_stream_and_its_end_lets_it_go_on() {
    let mut lab = Lab::with_seed(3);
    let [a, b] = ["10.0.0.1/24", "10.0.0.2/24"].map(|network| {
        let eth0 = InterfaceConfig::new("eth0", vec![network.parse().unwrap()]);
        lab.add(Host::new(HostConfig { interfaces: vec![eth0], ..HostConfig::default() }, 3))
    });
    let path = Path { rate_bps: Some(100_000_000), delay: Duration::from_millis(2), ..Path::default() };
    let port = |host| Port { host, interface: IfIndex(2) };
    let link = lab.join_by(port(a), port(b), [path; 2]);
    let mut w = World { lab, now: Instant(1) };
    let listener = w.listen(b, "10.0.0.2:80");
    let client = w.connect(a, "10.0.0.2:80");
    let mut server = None;
    assert!(w.until(Duration::from_secs(1), |lab, _| {
        server = server.or_else(|| lab.host_mut(b).accept(listener).ok());
        server.is_some()
    }));
    w.lab.set_partitioned(link, 0, true);
    let now = w.now;
    assert_eq!(w.lab.host_mut(a).send(client, b"late", now), Ok(4));
    let heard = |lab: &mut Lab, now| lab.host_mut(b).recv(server.unwrap(), &mut [0; 8], false, now) == Ok(4);
    assert!(!w.until(Duration::from_secs(5), heard));
    assert!(w.lab.counts(link, 0).partitioned >= 4, "it was sent again and again");
    w.lab.set_partitioned(link, 0, false);
    assert!(w.until(Duration::from_secs(10), heard));
}

/// Datagrams a, b, c, ... to a link of its own that loses half of all; which came.
fn half_lost(losses: Option<BTreeSet<(usize, u64)>>) -> (Vec<u8>, BTreeSet<(usize, u64)>) {
    let impairment = Impairment { loss_ppm: 500_000, ..Impairment::default() };
    let path = Path { delay: Duration::from_millis(1), impairment, ..Path::default() };
    let (mut w, id, _) = own_link(path, 9);
    w.lab.set_losses(losses);
    let now = w.now;
    let host = w.lab.host_mut(id);
    let [from, to] = [(); 2].map(|()| host.socket(Domain::Inet, Kind::Datagram, 0).unwrap());
    host.bind(to, addr("127.0.0.1:9")).unwrap();
    host.bind(from, addr("127.0.0.1:10")).unwrap();
    host.connect(from, addr("127.0.0.1:9"), now).unwrap();
    (0..20).for_each(|n| _ = host.send(from, &[n], now));
    let mut came = Vec::new();
    w.until(Duration::from_secs(1), |lab, now| {
        while let Ok(datagram) = lab.host_mut(id).recv_from(to, false, now) {
            came.extend(datagram.payload.to_vec());
        }
        false
    });
    let lost = std::iter::from_fn(|| w.lab.next_tap()).filter(|tap| tap.outcome == Outcome::Lost);
    let lost = lost.map(|tap| (tap.link.number(), tap.identity)).collect();
    (came, lost)
}

#[test]
fn losses_can_be_given_by_name_instead_of_drawn() {
    let (came, lost) = half_lost(None);
    assert_eq!(came.len() + lost.len(), 20);
    assert!(lost.len() > 4 && came.len() > 4);
    assert_eq!(half_lost(Some(lost.clone())), (came, lost.clone()), "the same names, the same run");
    assert_eq!(half_lost(Some(BTreeSet::new())).0.len(), 20);
    let one: BTreeSet<_> = lost.into_iter().take(1).collect();
    let (came, lost) = half_lost(Some(one.clone()));
    assert_eq!((came.len(), lost), (19, one));
}

#[test]
fn a_host_that_is_off_is_silent_and_what_leads_out_is_given_to_the_owner() {
    let mut lab = Lab::new();
    let mut host = |network: &str| {
        let eth0 = InterfaceConfig::new("eth0", vec![network.parse().unwrap()]);
        lab.add(Host::new(HostConfig { interfaces: vec![eth0], ..HostConfig::default() }, 3))
    };
    let [a, b] = ["10.0.0.1/24", "10.0.0.2/24"].map(&mut host);
    let [at_a, at_b] = [a, b].map(|host| Port { host, interface: IfIndex(2) });
    lab.join(at_a, at_b);
    let mut w = World { lab, now: Instant(1) };
    w.lab.set_down(b, true);
    let client = w.connect(a, "10.0.0.2:80");
    assert!(!w.until(Duration::from_secs(10), |lab, _| lab.host_mut(a).take_error(client).is_some()));
    w.lab.set_down(b, false);
    let refused = |lab: &mut Lab, _| lab.host_mut(a).take_error(client) == Some(Errno::ECONNREFUSED);
    assert!(w.until(Duration::from_secs(60), refused), "a SYN that is sent again is answered");

    w.lab.join_outside(at_a);
    w.connect(a, "10.0.0.7:80");
    w.settle();
    let (port, packet) = w.lab.next_outside().expect("a SYN leaves");
    assert_eq!((port, View::of(&packet).unwrap().dst), (at_a, addr("10.0.0.7:80")));
    assert!(w.lab.next_outside().is_none());
}
