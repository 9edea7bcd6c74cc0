//! One seed, one scenario: two hosts and a bad link, or one host whose own traffic goes over one; a few connections
//! and datagrams, each with its own habits; every byte checked, every invariant after every step.

use sockeye_core::host::{Domain, Host, HostConfig, IfIndex, InterfaceConfig, Kind, Shutdown, SocketId};
use sockeye_core::rng::Rng;
use sockeye_core::tcp::{Congestion, Limits};
use sockeye_core::{Errno, Instant, Readiness};
use sockeye_lab::impair::{Burst, Impairment};
use sockeye_lab::link::Path;
use sockeye_lab::{HostId, Lab, LinkId, Port};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

/// Simulated time that a scenario may take: enough for the longest retransmission back-off, twice.
const TIME_MAX: Duration = Duration::from_secs(2000);
const PORT: u16 = 80;

/// One direction of a connection.
#[derive(Debug)]
struct Half {
    /// Bytes to be sent, in writes of at most so many.
    total: u64,
    write_max: usize,
    read_max: usize,
    sent: u64,
    received: u64,
    /// The reader takes nothing before this time.
    reads_from: Instant,
    shut: bool,
    ended: bool,
}

/// A connection: the client's halves and the server's are each other's.
#[derive(Debug)]
struct Stream {
    sockets: [Option<SocketId>; 2],
    /// What each side sends; the other receives.
    halves: [Half; 2],
    /// The client aborts once it has sent so much.
    abort_at: Option<u64>,
    failed: bool,
    starts: Instant,
}

/// A scenario under way.
pub(crate) struct Scenario {
    lab: Lab,
    hosts: [HostId; 2],
    link: LinkId,
    rng: Rng,
    now: Instant,
    listener: SocketId,
    streams: Vec<Stream>,
    /// The stream of a server's socket, by the client's port.
    by_port: HashMap<u16, usize>,
    partition: Option<(Instant, Instant)>,
    /// The path may let nothing through for so long that connections are given up.
    may_be_silent: bool,
    datagrams: Datagrams,
    address: SocketAddr,
    steps: u64,
    /// A fingerprint of everything that crossed the link.
    trace: u64,
}

#[derive(Debug)]
struct Datagrams {
    sockets: [SocketId; 2],
    left: u32,
    next_at: Instant,
    sent: u64,
    received: u64,
}

/// What a scenario came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) steps: u64,
    pub(crate) bytes: u64,
    pub(crate) trace: u64,
}

/// The byte of a stream at an offset: both sides reckon it.
fn pattern(stream: usize, side: usize, offset: u64) -> u8 {
    (offset ^ (offset >> 8).wrapping_mul(31) ^ (stream as u64 * 7 + side as u64 * 3)) as u8
}

/// A number from a range that spans magnitudes.
fn spread(rng: &mut Rng, from: u32, to: u32) -> u32 {
    let (low, high) = (f64::from(from).ln(), f64::from(to).ln());
    (low + (high - low) * f64::from(rng.below(1_000_000)) / 1e6).exp() as u32
}

fn one_in(rng: &mut Rng, n: u32) -> bool {
    rng.below(n) == 0
}

fn path(rng: &mut Rng) -> Path {
    let rate_bps = (!one_in(rng, 3)).then(|| u64::from(spread(rng, 200, 1_000_000)) * 1000);
    let impairment = Impairment {
        loss_ppm: if one_in(rng, 3) { 0 } else { spread(rng, 100, 80_000) },
        burst: one_in(rng, 6).then(|| Burst { begin_ppm: 2000, end_ppm: 200_000 + rng.below(400_000) }),
        duplicate_ppm: if one_in(rng, 3) { rng.below(50_000) } else { 0 },
        reorder_ppm: if one_in(rng, 3) { rng.below(100_000) } else { 0 },
        corrupt_ppm: if one_in(rng, 4) { rng.below(20_000) } else { 0 },
        jitter: Duration::from_micros(if one_in(rng, 2) { u64::from(rng.below(20_000)) } else { 0 }),
    };
    let queue_bytes = rate_bps.map(|bps| (bps / 8 / u64::from(2 + rng.below(60))).max(6000));
    Path {
        rate_bps,
        delay: Duration::from_micros(u64::from(spread(rng, 10, 200_000))),
        queue_bytes,
        impairment,
    }
}

/// What an owner may choose for a host, each in turn.
fn set_habits(host: &mut Host, seed: u64) {
    let congestion = [Congestion::Cubic, Congestion::Bbr, Congestion::Reno][(seed % 3) as usize];
    host.set_tcp_limits(Limits {
        congestion,
        pacing: seed.is_multiple_of(5),
        mtu_probing: (seed / 3 % 3) as u8,
        // Whom a cookie answered may be reset, when his first segments overtake each other (as on Linux): no byte may
        // be lost here.
        syn_cookies: 0,
        ..host.tcp_limits().clone()
    });
}

impl Scenario {
    /// The scenario of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut lab = Lab::with_seed(seed);
        let paths = [path(&mut rng), path(&mut rng)];
        let (hosts, link, address) = if one_in(&mut rng, 4) {
            let config = HostConfig { linked_loopback: Some(1500), ..HostConfig::default() };
            let host = lab.add(Host::new(config, seed));
            let link = lab.join_loop(Port { host, interface: IfIndex::LO }, paths[0]);
            ([host; 2], link, SocketAddr::from(([127, 0, 0, 1], PORT)))
        } else {
            let mtu = 1280 + rng.below(8000);
            let hosts = ["10.0.0.1/24", "10.0.0.2/24"].map(|network| {
                let mut eth0 = InterfaceConfig::new("eth0", vec![network.parse().expect("a network")]);
                eth0.mtu = mtu;
                let config = HostConfig { interfaces: vec![eth0], ..HostConfig::default() };
                lab.add(Host::new(config, rng.next_u64()))
            });
            let [a, b] = hosts.map(|host| Port { host, interface: IfIndex(2) });
            (hosts, lab.join_by(a, b, paths), SocketAddr::from(([10, 0, 0, 2], PORT)))
        };
        lab.watch();
        let now = Instant(1_000_000_000);
        for host in hosts {
            set_habits(lab.host_mut(host), seed);
        }
        let server = lab.host_mut(hosts[1]);
        let listener = server.socket(Domain::Inet, Kind::Stream, 0).expect("a socket");
        server.bind(listener, SocketAddr::from(([0, 0, 0, 0], PORT))).expect("a free port");
        server.listen(listener, 1 + rng.below(8) as i32).expect("it listens");
        let streams = (0..=rng.below(5)).map(|_| Stream::new(&mut rng, now)).collect();
        let partition = one_in(&mut rng, 5).then(|| {
            let start = now + Duration::from_millis(u64::from(rng.below(3000)));
            (start, start + Duration::from_millis(u64::from(rng.below(20_000))))
        });
        let may_be_silent = partition.is_some() || paths.iter().any(|path| path.impairment.burst.is_some());
        let datagrams = Datagrams::new(&mut lab, hosts, address, &mut rng, now);
        let by_port = HashMap::new();
        let (steps, trace) = (0, 0);
        Self {
            lab,
            hosts,
            link,
            rng,
            now,
            listener,
            streams,
            by_port,
            partition,
            may_be_silent,
            datagrams,
            address,
            steps,
            trace,
        }
    }

    /// Runs it to its end, and looks that nothing is left.
    ///
    /// # Errors
    /// What went wrong, and when.
    pub(crate) fn run(mut self) -> Result<Summary, String> {
        let end = self.now + TIME_MAX;
        while !self.is_done() {
            self.step().map_err(|what| format!("after {} steps, at {:?}: {what}", self.steps, self.now))?;
            match self.next_time() {
                Some(at) if at <= end => self.now = at,
                _ if self.is_done() => break,
                other => {
                    return Err(format!(
                        "stands still at {:?}, next {other:?}: {}",
                        self.now,
                        self.standing()
                    ));
                }
            }
        }
        self.close()?;
        let bytes = self.streams.iter().flat_map(|s| &s.halves).map(|h| h.received).sum();
        Ok(Summary { steps: self.steps, bytes, trace: self.trace })
    }

    fn is_done(&self) -> bool {
        self.datagrams.left == 0 && self.streams.iter().all(|s| s.failed || s.halves.iter().all(|h| h.ended))
    }

    fn standing(&self) -> String {
        let open =
            self.streams.iter().enumerate().filter(|(_, s)| !s.failed && !s.halves.iter().all(|h| h.ended));
        open.map(|(n, s)| format!("stream {n}: {:?}", s.halves)).collect::<Vec<_>>().join("; ")
    }

    fn step(&mut self) -> Result<(), String> {
        self.steps += 1;
        self.cut();
        self.settle()?;
        self.accept();
        for number in 0..self.streams.len() {
            self.drive(number)?;
        }
        self.talk()?;
        self.settle()
    }

    fn settle(&mut self) -> Result<(), String> {
        loop {
            let more = self.lab.settle(self.now);
            while let Some(tap) = self.lab.next_tap() {
                let mut bytes = Vec::new();
                tap.packet.write_to(&mut bytes);
                let sum =
                    bytes.iter().fold(tap.at.0, |sum, b| (sum ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3));
                self.trace = self.trace.rotate_left(7) ^ sum;
            }
            for host in self.hosts {
                let host = self.lab.host_mut(host);
                host.check()?;
                while host.next_event().is_some() {}
            }
            if !more {
                return Ok(());
            }
        }
    }

    fn cut(&mut self) {
        if let Some((start, end)) = self.partition {
            let within = (start..end).contains(&self.now);
            for way in [0, 1] {
                self.lab.set_partitioned(self.link, way, within);
            }
        }
    }

    fn next_time(&mut self) -> Option<Instant> {
        let starts = self.streams.iter().filter(|s| s.sockets[0].is_none() && !s.failed).map(|s| s.starts);
        let reads = self.streams.iter().flat_map(|s| &s.halves).map(|h| h.reads_from);
        let cuts = self.partition.into_iter().flat_map(|(start, end)| [start, end]);
        let talk = (self.datagrams.left > 0).then_some(self.datagrams.next_at);
        let own = starts.chain(reads).chain(cuts).chain(talk).filter(|at| *at > self.now).min();
        self.lab.next_deadline().into_iter().chain(own).min().map(|at| at.max(self.now))
    }

    fn accept(&mut self) {
        let host = self.lab.host_mut(self.hosts[1]);
        while let Ok(child) = host.accept(self.listener) {
            let number = host.peer_addr(child).ok().and_then(|peer| self.by_port.get(&peer.port()).copied());
            match number {
                Some(number) if self.streams[number].sockets[1].is_none() => {
                    self.streams[number].sockets[1] = Some(child);
                }
                // Its client is gone already.
                _ => host.close(child, self.now),
            }
        }
    }

    fn drive(&mut self, number: usize) -> Result<(), String> {
        let (now, stream) = (self.now, &mut self.streams[number]);
        if stream.failed || now < stream.starts {
            return Ok(());
        }
        if stream.sockets[0].is_none() {
            let host = self.lab.host_mut(self.hosts[0]);
            let socket = host.socket(Domain::Inet, Kind::Stream, 0).map_err(|e| e.to_string())?;
            let congestion = [&b"reno"[..], b"cubic"][number % 2];
            host.setsockopt(socket, libc_tcp::IPPROTO_TCP, libc_tcp::CONGESTION, congestion, now)
                .map_err(|e| e.to_string())?;
            match host.connect(socket, self.address, now) {
                Err(Errno::EINPROGRESS) => {}
                other => return Err(format!("connect said {other:?}")),
            }
            let port = host.local_addr(socket).map_err(|e| e.to_string())?.port();
            self.by_port.insert(port, number);
            stream.sockets[0] = Some(socket);
        }
        for side in 0..2 {
            if let Some(socket) = self.streams[number].sockets[side] {
                self.drive_side(number, side, socket)?;
            }
        }
        Ok(())
    }

    fn drive_side(&mut self, number: usize, side: usize, socket: SocketId) -> Result<(), String> {
        let (now, host) = (self.now, self.lab.host_mut(self.hosts[side]));
        let stream = &mut self.streams[number];
        if let Some(error) = host.take_error(socket) {
            // A connection may be reset by an abort, or given up where the path lets nothing through for long: cut, or
            // in a burst of losses, which lasts as long as nobody sends.
            let given_up = matches!(error, Errno::ETIMEDOUT | Errno::ECONNRESET);
            let fair = stream.abort_at.is_some() || given_up && self.may_be_silent;
            stream.failed = true;
            return if fair { Ok(()) } else { Err(format!("stream {number}, side {side}: {error}")) };
        }
        if !host.readiness(socket).intersects(Readiness::OUT | Readiness::IN) {
            // Connecting, or nothing to do: shutdown(2) would give a connect up.
            return Ok(());
        }
        let outgoing = &mut stream.halves[side];
        while outgoing.sent < outgoing.total {
            let n = (outgoing.total - outgoing.sent)
                .min(1 + u64::from(self.rng.below(outgoing.write_max as u32)));
            let data: Vec<u8> =
                (outgoing.sent..outgoing.sent + n).map(|at| pattern(number, side, at)).collect();
            match host.send(socket, &data, now) {
                Ok(n) => outgoing.sent += n as u64,
                Err(Errno::EAGAIN) => break,
                Err(error) if stream.abort_at.is_some() => {
                    let _ = error;
                    stream.failed = true;
                    return Ok(());
                }
                Err(error) => return Err(format!("stream {number}, side {side}: send: {error}")),
            }
            if side == 0 && stream.abort_at.is_some_and(|at| outgoing.sent >= at) {
                host.abort(socket, now);
                stream.failed = true;
                return Ok(());
            }
        }
        if outgoing.sent == outgoing.total && !outgoing.shut {
            outgoing.shut = host.shutdown(socket, Shutdown::Write, now).is_ok();
        }
        self.read_side(number, side, socket)
    }

    fn read_side(&mut self, number: usize, side: usize, socket: SocketId) -> Result<(), String> {
        let (now, host) = (self.now, self.lab.host_mut(self.hosts[side]));
        let stream = &mut self.streams[number];
        let incoming = &mut stream.halves[1 - side];
        let mut buffer = vec![0; incoming.read_max];
        while now >= incoming.reads_from && !incoming.ended {
            match host.recv(socket, &mut buffer, false, now) {
                Ok(0) => {
                    incoming.ended = true;
                    if incoming.received != incoming.total {
                        return Err(format!(
                            "stream {number}: {} of {} bytes",
                            incoming.received, incoming.total
                        ));
                    }
                }
                Ok(n) => {
                    for (at, byte) in (incoming.received..).zip(&buffer[..n]) {
                        if *byte != pattern(number, 1 - side, at) {
                            return Err(format!("stream {number}: the byte at {at} is wrong"));
                        }
                    }
                    incoming.received += n as u64;
                    if one_in(&mut self.rng, 50) {
                        incoming.reads_from = now + Duration::from_millis(u64::from(self.rng.below(500)));
                    }
                }
                Err(Errno::EAGAIN | Errno::ENOTCONN) => break,
                Err(_) if stream.abort_at.is_some() => break,
                Err(error) => return Err(format!("stream {number}, side {side}: recv: {error}")),
            }
        }
        Ok(())
    }

    /// Datagrams of one size each; what comes is what was sent.
    fn talk(&mut self) -> Result<(), String> {
        let d = &mut self.datagrams;
        if d.left > 0 && self.now >= d.next_at {
            d.left -= 1;
            d.next_at = self.now + Duration::from_millis(1 + u64::from(self.rng.below(100)));
            let len = 8 + self.rng.below(5000) as usize;
            let mut data = vec![len as u8; len];
            data[..8].copy_from_slice(&(len as u64).to_be_bytes());
            let host = self.lab.host_mut(self.hosts[0]);
            if host.send(d.sockets[0], &data, self.now).is_ok() {
                d.sent += 1;
            }
        }
        let host = self.lab.host_mut(self.hosts[1]);
        while let Ok(datagram) = host.recv_from(d.sockets[1], false, self.now) {
            let data = datagram.payload.to_vec();
            let len = data.first_chunk().map_or(0, |b| u64::from_be_bytes(*b));
            if len != data.len() as u64 || data[8..].iter().any(|b| *b != len as u8) {
                return Err(format!("a datagram of {} bytes says {len}", data.len()));
            }
            d.received += 1;
        }
        Ok(())
    }

    /// Everything is closed; after the longest time that anything may take, nothing is left.
    fn close(&mut self) -> Result<(), String> {
        let now = self.now;
        for (side, host) in self.hosts.into_iter().enumerate() {
            let sockets: Vec<SocketId> = if side == 0 || self.hosts[0] != self.hosts[1] {
                self.lab.host(host).sockets().collect()
            } else {
                vec![]
            };
            sockets.into_iter().for_each(|socket| self.lab.host_mut(host).close(socket, now));
        }
        self.partition = None;
        for way in [0, 1] {
            self.lab.set_partitioned(self.link, way, false);
        }
        let end = now + TIME_MAX;
        loop {
            self.settle().map_err(|what| format!("closing: {what}"))?;
            match self.lab.next_deadline() {
                Some(at) if at <= end => self.now = at.max(self.now),
                _ => break,
            }
        }
        for host in self.hosts {
            let host = self.lab.host(host);
            if !host.is_quiet() || host.sockets().next().is_some() {
                return Err(format!("closed, and not quiet: {:?}", host.unowned(self.now)));
            }
        }
        Ok(())
    }
}

impl Half {
    fn new(rng: &mut Rng, now: Instant) -> Self {
        let total = if one_in(rng, 6) { 0 } else { u64::from(spread(rng, 1, 300_000)) };
        let [write_max, read_max] = [(); 2].map(|()| spread(rng, 1, 60_000) as usize);
        let late = if one_in(rng, 4) { u64::from(rng.below(3000)) } else { 0 };
        let reads_from = now + Duration::from_millis(late);
        let (write_max, read_max) =
            (write_max.max(total as usize / 2000 + 1), read_max.max(total as usize / 2000 + 1));
        Self { total, write_max, read_max, sent: 0, received: 0, reads_from, shut: false, ended: false }
    }
}

impl Stream {
    fn new(rng: &mut Rng, now: Instant) -> Self {
        let halves = [Half::new(rng, now), Half::new(rng, now)];
        let abort_at = one_in(rng, 6).then(|| u64::from(rng.below(halves[0].total as u32 + 1)));
        let starts = now + Duration::from_millis(u64::from(rng.below(500)));
        Self { sockets: [None; 2], halves, abort_at: abort_at.filter(|at| *at > 0), failed: false, starts }
    }
}

impl Datagrams {
    fn new(lab: &mut Lab, hosts: [HostId; 2], address: SocketAddr, rng: &mut Rng, now: Instant) -> Self {
        let sockets =
            hosts.map(|h| lab.host_mut(h).socket(Domain::Inet, Kind::Datagram, 0).expect("a socket"));
        lab.host_mut(hosts[1]).bind(sockets[1], address).expect("a free port");
        lab.host_mut(hosts[0]).connect(sockets[0], address, now).expect("a route");
        Self { sockets, left: rng.below(30), next_at: now, sent: 0, received: 0 }
    }
}

/// Linux's numbers.
mod libc_tcp {
    pub(crate) const IPPROTO_TCP: i32 = 6;
    pub(crate) const CONGESTION: i32 = 13;
}
