//! What the fuzzers run: each target takes bytes and panics where something is wrong.
//!
//! `calls` is a program: its bytes are calls on the sockets of two hosts, packets that are lost, doubled or changed on
//! the way (with their checksums mended, so that they get past them), packets from nowhere, and time. After each step both
//! hosts must be sound (`Host::check`), and after the last one, all sockets closed and time gone by, nothing may be left
//! of any connection. `control` feeds the parser of control messages.
//!
//! `cargo fuzz run calls` (in this directory) looks for inputs; `cargo test -p sockeye-core --test fuzzing` runs the
//! corpus and random programs.
#![allow(unreachable_pub)]

#[path = "../crates/sockeye-core/tests/world/mod.rs"]
mod world;

use bytes::Bytes;
use sockeye_core::filter::Instruction;
use sockeye_core::host::{Domain, Host, IfIndex, Kind, SendControl, Shutdown, SocketId};
use sockeye_core::netlink::diag::Owner;
use sockeye_core::wire::checksum::Checksum;
use sockeye_core::wire::control;
use sockeye_core::{Instant, Packet, Payload};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Reads a program; zeros follow its end.
struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> u16 {
        u16::from_le_bytes([self.byte(), self.byte()])
    }

    fn bytes(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::from(self.byte()) % of.len()]
    }

    /// Few addresses and ports, so that sockets meet; now and then of the other family.
    fn address(&mut self, domain: Domain) -> SocketAddr {
        let other = self.byte() & 15 == 0;
        let ip = if (domain == Domain::Inet) != other {
            self.pick::<IpAddr>(&[
                Ipv4Addr::new(10, 0, 0, 1).into(),
                Ipv4Addr::new(10, 0, 0, 2).into(),
                Ipv4Addr::LOCALHOST.into(),
                Ipv4Addr::UNSPECIFIED.into(),
                Ipv4Addr::BROADCAST.into(),
                Ipv4Addr::new(224, 0, 0, 7).into(),
                Ipv4Addr::new(10, 0, 0, 99).into(),
            ])
        } else {
            self.pick::<IpAddr>(&[
                Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 1).into(),
                Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, 2).into(),
                Ipv6Addr::LOCALHOST.into(),
                Ipv6Addr::UNSPECIFIED.into(),
                Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped().into(),
                Ipv4Addr::new(10, 0, 0, 2).to_ipv6_mapped().into(),
                Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 7).into(),
            ])
        };
        SocketAddr::new(ip, self.pick(&[80, 80, 80, 81, 82, 0, 40000]))
    }
}

/// Two hosts, their sockets, and what is on the way between them.
struct World {
    now: Instant,
    hosts: Vec<Host>,
    sockets: Vec<(usize, SocketId)>,
    /// The last packets that crossed, for being changed and sent again.
    seen: Vec<(usize, Vec<u8>)>,
}

const SOCKETS_MAX: usize = 24;
const SEEN_MAX: usize = 16;

impl World {
    fn new() -> Self {
        let world::World { now, hosts, .. } = world::World::two();
        Self { now, hosts, sockets: vec![], seen: vec![] }
    }

    /// One exchange: what both have to send arrives, but for what the mask loses; bit by bit, from the lowest.
    fn exchange(&mut self, mut lost: u16) -> bool {
        let mut moved = false;
        for from in 0..2 {
            let mut out = vec![];
            moved |= self.hosts[from].transmit(self.now, 64, &mut out);
            for (_, packet) in out {
                moved = true;
                let mut bytes = vec![];
                packet.write_to(&mut bytes);
                if self.seen.len() == SEEN_MAX {
                    self.seen.remove(0);
                }
                self.seen.push((1 - from, bytes.clone()));
                if lost & 1 == 0 {
                    self.arrive(1 - from, bytes);
                }
                lost >>= 1;
            }
        }
        moved
    }

    fn arrive(&mut self, at: usize, bytes: Vec<u8>) {
        self.hosts[at].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), self.now);
    }

    /// Time goes by, timer after timer, at most so many.
    fn pass(&mut self, ms: u64, timers: usize) {
        let end = Instant(self.now.0 + ms * 1_000_000);
        for _ in 0..timers {
            for _ in 0..1000 {
                if !self.exchange(0) {
                    break;
                }
            }
            let next = self.hosts.iter_mut().filter_map(Host::next_deadline).min();
            let Some(next) = next.filter(|at| *at <= end) else { break };
            self.now = self.now.max(next);
            let now = self.now;
            self.hosts.iter_mut().for_each(|host| host.advance(now));
        }
        self.now = end;
        self.hosts.iter_mut().for_each(|host| host.advance(end));
    }

    fn open(&mut self, script: &mut Script<'_>) {
        let host = usize::from(script.byte() & 1);
        let domain = script.pick(&[Domain::Inet, Domain::Inet6]);
        let (kind, protocol) = script.pick(&[
            (Kind::Stream, 0),
            (Kind::Stream, 0),
            (Kind::Datagram, 0),
            (Kind::Datagram, 1),
            (Kind::Datagram, 58),
            (Kind::Datagram, 136),
            (Kind::Raw, 1),
            (Kind::Raw, 6),
            (Kind::Raw, 17),
            (Kind::Raw, 58),
            (Kind::Raw, 255),
        ]);
        if self.sockets.len() < SOCKETS_MAX
            && let Ok(id) = self.hosts[host].socket(domain, kind, protocol)
        {
            self.sockets.push((host, id));
        }
    }

    /// A connection to one of the listeners, as far as it gets; the one who dials is the last of the sockets.
    fn dial(&mut self, script: &mut Script<'_>) {
        let from = usize::from(script.byte() & 1);
        let to = SocketAddr::new(Ipv4Addr::new(10, 0, 0, 2 - from as u8).into(), 80);
        if self.sockets.len() >= SOCKETS_MAX {
            return;
        }
        let id = self.hosts[from].socket(Domain::Inet, Kind::Stream, 0).expect("a socket");
        answered(self.hosts[from].connect(id, to, self.now));
        for _ in 0..3 {
            self.exchange(0);
        }
        // The listener is the first of its host's sockets.
        if let Some(listener) = self.sockets.iter().find(|(host, _)| *host == 1 - from)
            && let Ok(child) = self.hosts[1 - from].accept(listener.1)
        {
            self.sockets.push((1 - from, child));
        }
        self.sockets.push((from, id));
    }

    /// A call on one of the sockets, with arguments of the script's.
    fn call(&mut self, what: u8, script: &mut Script<'_>) {
        if self.sockets.is_empty() {
            return;
        }
        let at = usize::from(script.byte()) % self.sockets.len();
        let (which, id) = self.sockets[at];
        let (now, host) = (self.now, &mut self.hosts[which]);
        let domain = host.info(id, now).map_or(Domain::Inet, |info| info.domain);
        match what {
            0 => answered(host.bind(id, script.address(domain))),
            1 => answered(host.listen(id, i32::from(script.byte() as i8))),
            2 => answered(host.connect(id, script.address(domain), now)),
            3 => {
                if let Ok(child) = host.accept(id) {
                    self.sockets.push((which, child));
                }
            }
            4 => answered(host.send(id, &vec![script.byte(); usize::from(script.word())], now)),
            5 => {
                let mut room = vec![0; usize::from(script.word())];
                answered(host.recv(id, &mut room, script.byte() & 1 == 1, now));
            }
            6 => {
                let how = script.pick(&[Shutdown::Read, Shutdown::Write, Shutdown::Both]);
                answered(host.shutdown(id, how, now));
            }
            7 => {
                self.sockets.swap_remove(at);
                if script.byte() & 3 == 0 { host.abort(id, now) } else { host.close(id, now) }
            }
            8 => answered(host.disconnect(id, now)),
            9 => answered(host.send_urgent(id, &[script.byte(); 3], now)),
            10 => answered(host.recv_urgent(id, script.byte() & 1 == 1)),
            11 => {
                let max = usize::from(script.word());
                if let Ok(room) = host.send_reserve(id, max) {
                    let n = room.len().min(max);
                    host.send_commit(id, n, now);
                }
            }
            _ => {
                let n = host.recv_slices(id).map_or(0, |slices| slices.iter().map(|s| s.len()).sum());
                host.consume(id, n, now);
            }
        }
    }

    /// A call about datagrams, options or filters.
    fn other_call(&mut self, what: u8, script: &mut Script<'_>) {
        if self.sockets.is_empty() {
            return;
        }
        let (which, id) = self.sockets[usize::from(script.byte()) % self.sockets.len()];
        let (now, host) = (self.now, &mut self.hosts[which]);
        let domain = host.info(id, now).map_or(Domain::Inet, |info| info.domain);
        match what {
            0 => {
                let payload = Payload::from(Bytes::from(vec![7; usize::from(script.word())]));
                let to = (script.byte() & 1 == 0).then(|| script.address(domain));
                let control = SendControl {
                    segment: script.pick(&[None, Some(0), Some(1), Some(500), Some(u16::MAX)]),
                    more: script.byte() & 1 == 1,
                    ttl: script.pick(&[None, Some(1), Some(255)]),
                    ..SendControl::default()
                };
                answered(host.send_to(id, payload, to, &control, now));
            }
            1 => {
                if let Ok(datagram) = host.recv_from(id, script.byte() & 1 == 1, now) {
                    host.receive_controls(id, &datagram, || std::time::Duration::ZERO);
                }
                answered(host.recv_error(id));
            }
            2 => {
                let level = script.pick(&[0, 1, 6, 17, 41, 58, 136, 255, 263]);
                let name = i32::from(script.byte());
                let len = script.pick(&[4, 4, 4, 1, 8, 12, 16, 20, 132]);
                answered(host.setsockopt(id, level, name, script.bytes(len), now));
                answered(host.getsockopt(id, level, name, len, now));
            }
            _ => {
                let count = usize::from(script.byte() & 7);
                let (words, _) = script.bytes(count * 8).as_chunks();
                let program: Vec<_> = words.iter().map(Instruction::from_bytes).collect();
                answered(host.attach_filter(id, &program));
            }
        }
    }

    /// A packet that was seen arrives once more, changed.
    fn replay(&mut self, script: &mut Script<'_>) {
        if self.seen.is_empty() {
            return;
        }
        let (to, mut bytes) = self.seen[usize::from(script.byte()) % self.seen.len()].clone();
        for _ in 0..script.byte() % 8 {
            let at = usize::from(script.byte()) % bytes.len();
            bytes[at] = script.byte();
        }
        if script.byte() & 3 == 0 {
            bytes.truncate(usize::from(script.byte()));
        }
        mend(&mut bytes);
        self.arrive(to, bytes);
    }

    /// Everything that may be asked of a socket at any time; both hosts are sound.
    fn look(&mut self) {
        for (host, id) in &self.sockets {
            let host = &self.hosts[*host];
            host.readiness(*id);
            host.info(*id, self.now);
            let _ = (host.queued_in(*id), host.queued_out(*id), host.local_addr(*id), host.peer_addr(*id));
        }
        for host in &self.hosts {
            if let Err(what) = host.check() {
                panic!("{what}");
            }
        }
    }
}

/// A program of calls, packets and time.
pub fn calls(program: &[u8]) {
    let (mut world, mut script) = (World::new(), Script(program));
    // Both have something to talk to from the start.
    for (host, domain, address) in [
        (0, Domain::Inet, SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 80)),
        (1, Domain::Inet6, SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), 80)),
    ] {
        for kind in [Kind::Stream, Kind::Datagram] {
            let id = world.hosts[host].socket(domain, kind, 0).expect("a socket");
            world.hosts[host].bind(id, address).expect("a free port");
            if kind == Kind::Stream {
                world.hosts[host].listen(id, 4).expect("it is bound");
            }
            world.sockets.push((host, id));
        }
    }
    while !script.0.is_empty() {
        match script.byte() % 34 {
            call @ 0..=12 => world.call(call, &mut script),
            call @ (13..=15 | 32 | 33) => world.other_call(call & 3, &mut script),
            16 | 17 => world.open(&mut script),
            18 => world.dial(&mut script),
            19..=22 => answered(world.exchange(script.word())),
            23 | 24 => world.pass(u64::from(script.byte()), 50),
            25 => world.pass(u64::from(script.word()) * 10, 50),
            26..=29 => world.replay(&mut script),
            30 => {
                let (to, len) = (usize::from(script.byte() & 1), usize::from(script.byte() & 63));
                let mut bytes = script.bytes(len).to_vec();
                mend(&mut bytes);
                world.arrive(to, bytes);
            }
            _ => {
                let to = usize::from(script.byte() & 1);
                let (len, now) = (usize::from(script.byte() & 127), world.now);
                // A header that is right, mostly, before a body that need not be (struct nlmsghdr).
                let (kind, flags) = (script.pick(&[18u16, 20, 22, 26, 16, 24]), script.word());
                let body = script.bytes(len);
                let length = 16 + body.len() as u32 + u32::from(script.byte() == 1);
                let request = [
                    &length.to_ne_bytes()[..],
                    &kind.to_ne_bytes(),
                    &(flags | 1).to_ne_bytes(),
                    &[0; 8],
                    body,
                ]
                .concat();
                world.hosts[to].netlink_route(&request, 1);
                world.hosts[to].netlink_diag(&request, 1, &|_| Some(Owner::default()), now);
            }
        }
        world.look();
    }
    let now = world.now;
    for (host, id) in std::mem::take(&mut world.sockets) {
        world.hosts[host].close(id, now);
    }
    for _ in 0..100 {
        world.pass(600_000, 10_000);
        world.look();
    }
    assert!(world.hosts.iter().all(Host::is_quiet), "something is left after everything was closed");
}

/// What a call answers is not judged here, only what it does.
fn answered<T>(_: T) {}

/// The control messages of sendmsg(2).
pub fn control(area: &[u8]) {
    if let Ok(controls) = control::parse(area) {
        let (again, cut) = control::lay_out(&controls, usize::MAX >> 1);
        assert!(!cut);
        assert_eq!(control::parse(&again).as_ref(), Ok(&controls), "what was laid out is read the same");
        let _ = SendControl::read(&controls);
    }
}

/// Makes the checksums right, as far as the headers are there.
fn mend(bytes: &mut [u8]) {
    let (at, protocol, src, dst) = match bytes.first().map(|byte| byte >> 4) {
        Some(4) if bytes.len() >= 20 => {
            let at = usize::from(bytes[0] & 15) * 4;
            if at < 20 || at > bytes.len() {
                return;
            }
            put_checksum(&mut bytes[..at], 10, Checksum::default());
            (at, bytes[9], ip::<4>(&bytes[12..]), ip::<4>(&bytes[16..]))
        }
        Some(6) if bytes.len() >= 40 => (40, bytes[6], ip::<16>(&bytes[8..]), ip::<16>(&bytes[24..])),
        _ => return,
    };
    let pseudo = Checksum::pseudo(src, dst, protocol, bytes.len() - at);
    let (place, pseudo) = match protocol {
        1 => (2, Checksum::default()),
        6 => (16, pseudo),
        17 | 136 => (6, pseudo),
        58 => (2, pseudo),
        _ => return,
    };
    put_checksum(&mut bytes[at..], place, pseudo);
}

fn ip<const N: usize>(bytes: &[u8]) -> IpAddr
where
    IpAddr: From<[u8; N]>,
{
    IpAddr::from(*bytes.first_chunk().expect("the header was measured"))
}

/// Over all of `bytes`, to the place in them, where there is one.
fn put_checksum(bytes: &mut [u8], place: usize, mut sum: Checksum) {
    if bytes.len() >= place + 2 {
        bytes[place..place + 2].fill(0);
        sum.add(bytes);
        bytes[place..place + 2].copy_from_slice(&sum.finish().to_be_bytes());
    }
}
