//! How much gets through a path that loses packets, in simulated time: one bulk connection for each algorithm.
//!
//! Both stacks' packets meet the same link: 100 Mbit/s, 5 ms each way, a queue of one bandwidth-delay product, and
//! losses on the data's side drawn from the pair's seed. Each stack has buffers that hold several such products. The
//! figures are bytes read per simulated second and the same in every run of a seed; only the seeds differ.

use crate::case::{Pair, Sample};
use crate::measure::{Plan, by_turns};
use crate::smol::{End, Frame};
use crate::stack::{IPPROTO_TCP, Side, Stack, TCP_CONGESTION};
use anyhow::{Result, anyhow};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::CongestionControl;
use sockeye_core::{Instant, Packet, SocketId};
use sockeye_lab::impair::Impairment;
use sockeye_lab::link::{Direction, Path};
use std::time::Duration;

pub(crate) fn reno_1(plan: &Plan) -> Result<Vec<Pair>> {
    run(plan, Algorithm::Reno, 10_000)
}

pub(crate) fn cubic_1(plan: &Plan) -> Result<Vec<Pair>> {
    run(plan, Algorithm::Cubic, 10_000)
}

pub(crate) fn reno_01(plan: &Plan) -> Result<Vec<Pair>> {
    run(plan, Algorithm::Reno, 1000)
}

pub(crate) fn cubic_01(plan: &Plan) -> Result<Vec<Pair>> {
    run(plan, Algorithm::Cubic, 1000)
}

#[derive(Clone, Copy, PartialEq)]
enum Algorithm {
    Reno,
    Cubic,
}

fn run(plan: &Plan, algorithm: Algorithm, loss_ppm: u32) -> Result<Vec<Pair>> {
    let time = Duration::from_secs(if plan.quick { 3 } else { 10 });
    let (mut ours_seed, mut peer_seed) = (0, 0);
    let ours = || {
        ours_seed += 1;
        let bytes = transfer(&mut Ours::new(algorithm, ours_seed)?, loss_ppm, ours_seed, time);
        Ok(Sample::of(bytes as f64 / time.as_secs_f64()))
    };
    let peer = || {
        peer_seed += 1;
        let bytes = transfer(&mut Peer::new(algorithm, peer_seed)?, loss_ppm, peer_seed, time);
        Ok(Sample::of(bytes as f64 / time.as_secs_f64()))
    };
    by_turns(plan.pairs.min(11), ours, peer)
}

/// Two hosts of some stack with one connection, and the programs at its ends.
trait Ends {
    type Packet: Clone;
    /// Runs timers, sends what there is room for, reads what there is; says how much that was.
    fn work(&mut self, now: Instant) -> usize;
    /// What the client (0) or the server (1) puts on the link, with sizes.
    fn transmit(&mut self, from: usize, now: Instant, put: &mut dyn FnMut(Self::Packet, usize));
    fn deliver(&mut self, to: usize, packet: Self::Packet, now: Instant);
    fn next_deadline(&mut self, now: Instant) -> Option<Instant>;
}

/// Bytes read within `time`.
fn transfer<E: Ends>(ends: &mut E, loss_ppm: u32, seed: u64, time: Duration) -> usize {
    let path = |loss_ppm, seed| {
        let impairment = Impairment { loss_ppm, ..Impairment::default() };
        let delay = Duration::from_millis(5);
        Direction::new(
            Path { rate_bps: Some(RATE_BPS), delay, queue_bytes: Some(QUEUE_BYTES), impairment },
            seed,
        )
    };
    let mut links = [path(loss_ppm, seed), path(0, !seed)];
    let (mut now, mut read) = (START, 0);
    let end = START + time;
    while now < end {
        read += ends.work(now);
        for (from, link) in links.iter_mut().enumerate() {
            ends.transmit(from, now, &mut |packet, bytes| {
                link.send(packet, bytes, now);
            });
        }
        let arrivals = links.iter().filter_map(Direction::next_deadline);
        let next = arrivals.chain(ends.next_deadline(now)).min().unwrap_or(end);
        // A stack that asks to be called again at once is.
        now = next.max(now + Duration::from_nanos(1));
        for (from, link) in links.iter_mut().enumerate() {
            while let Some(packet) = link.receive(now) {
                ends.deliver(1 - from, packet, now);
            }
        }
    }
    read
}

struct Ours {
    stack: Stack,
    ends: (SocketId, SocketId),
    data: Vec<u8>,
    buf: Vec<u8>,
    out: Vec<(sockeye_core::host::IfIndex, Packet)>,
}

impl Ours {
    /// The handshake is over and costs no time.
    fn new(algorithm: Algorithm, seed: u64) -> Result<Self> {
        let mut stack = Stack::two(1500, seed);
        let ends = stack.connected()?;
        let name: &[u8] = if algorithm == Algorithm::Reno { b"reno" } else { b"cubic" };
        stack.set_option(ends.0, ends.1, (IPPROTO_TCP, TCP_CONGESTION), name)?;
        Ok(Self { stack, ends, data: vec![1; BLOCK], buf: vec![0; BLOCK], out: vec![] })
    }
}

impl Ends for Ours {
    type Packet = Packet;

    fn work(&mut self, now: Instant) -> usize {
        self.stack.pass(now.since(self.stack.now));
        while self.stack.send(Side::Client, self.ends.0, &self.data).is_ok() {}
        let mut read = 0;
        while let Ok(n @ 1..) = self.stack.recv(Side::Server, self.ends.1, &mut self.buf) {
            read += n;
        }
        read
    }

    fn transmit(&mut self, from: usize, now: Instant, put: &mut dyn FnMut(Packet, usize)) {
        let host = self.stack.host([Side::Client, Side::Server][from]);
        while host.transmit(now, 64, &mut self.out) {}
        while host.next_event().is_some() {}
        for (_, packet) in self.out.drain(..) {
            let bytes = packet.len();
            put(packet, bytes);
        }
    }

    fn deliver(&mut self, to: usize, packet: Packet, now: Instant) {
        let host = self.stack.host([Side::Client, Side::Server][to]);
        host.deliver(sockeye_core::host::IfIndex(2), packet, now);
    }

    fn next_deadline(&mut self, _: Instant) -> Option<Instant> {
        [Side::Client, Side::Server]
            .into_iter()
            .filter_map(|side| self.stack.host(side).next_deadline())
            .min()
    }
}

struct Peer {
    ends: [End; 2],
    sockets: [SocketHandle; 2],
    data: Vec<u8>,
    buf: Vec<u8>,
}

impl Peer {
    fn new(algorithm: Algorithm, seed: u64) -> Result<Self> {
        let mut smol = crate::smol::Smol::new(1500, true, seed);
        smol.now = smol_time(START);
        let (client, server) = smol.connected(SMOL_BUFFER)?;
        let control = match algorithm {
            Algorithm::Reno => CongestionControl::Reno,
            Algorithm::Cubic => CongestionControl::Cubic,
        };
        smol.client.tcp(client).set_congestion_control(control);
        if smol.client.tcp(client).congestion_control() != control {
            return Err(anyhow!("smoltcp has no {control:?}"));
        }
        let ends = [smol.client, smol.server];
        Ok(Self { ends, sockets: [client, server], data: vec![1; BLOCK], buf: vec![0; BLOCK] })
    }
}

impl Ends for Peer {
    type Packet = Frame;

    fn work(&mut self, now: Instant) -> usize {
        while matches!(self.ends[0].tcp(self.sockets[0]).send_slice(&self.data), Ok(1..)) {}
        self.ends[1].poll(smol_time(now));
        let mut read = 0;
        while let Ok(n @ 1..) = self.ends[1].tcp(self.sockets[1]).recv_slice(&mut self.buf) {
            read += n;
        }
        read
    }

    fn transmit(&mut self, from: usize, now: Instant, put: &mut dyn FnMut(Frame, usize)) {
        self.ends[from].poll(smol_time(now));
        for (bytes, len) in self.ends[from].card.sent.drain(..) {
            put((bytes, len), len);
        }
    }

    fn deliver(&mut self, to: usize, frame: Frame, _: Instant) {
        self.ends[to].card.arrived.push_back(frame);
    }

    /// smoltcp counts whole microseconds: what is due within one is due at its end.
    fn next_deadline(&mut self, now: Instant) -> Option<Instant> {
        let at = |end: &mut End| end.interface.poll_at(smol_time(now), &end.sockets);
        let next = self.ends.iter_mut().filter_map(at).min()?;
        let next = Instant(next.total_micros().max(0) as u64 * 1000);
        Some(next.max(now + Duration::from_micros(1)))
    }
}

fn smol_time(now: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros((now.0 / 1000) as i64)
}

const START: Instant = Instant::from_millis(1000);
const RATE_BPS: u64 = 100_000_000;
/// 100 Mbit/s for 10 ms.
const QUEUE_BYTES: u64 = 125_000;
const BLOCK: usize = 64 << 10;
const SMOL_BUFFER: usize = 1 << 20;
