//! Bulk flows side by side over one link, in simulated time.
//!
//! The ends are TCP connections without a host around them, with buffers that never limit: what is measured is
//! recovery and congestion control. Loss is one way, on the data's side; packets are those of MTU 1500.

use sockeye_core::Instant;
use sockeye_core::rng::Rng;
use sockeye_core::tcp::{
    Congestion, Connection, Counters, Ctx, Limits, Pool, Request, RequestOutcome, Segment, Settings,
};
use sockeye_core::wire::tcp::Seq;
use sockeye_lab::impair::Impairment;
use sockeye_lab::link::{Direction, Path};
use std::net::SocketAddr;
use std::time::Duration;

/// What is measured, in plain units.
#[derive(Clone)]
pub(crate) struct Arguments {
    pub(crate) rtt: Duration,
    pub(crate) loss_ppm: u32,
    pub(crate) rate_bps: Option<u64>,
    pub(crate) queue: Option<String>,
    pub(crate) flows: usize,
    pub(crate) time: Duration,
    pub(crate) seed: u64,
    pub(crate) cc: Vec<Congestion>,
    /// The greatest window of either end, in bytes.
    pub(crate) buffer: u32,
}

/// By flow.
type Slots<T> = Vec<Option<T>>;

/// One of the two ends of a flow, or of all of them: what a host would give its connections.
struct End {
    connections: Slots<Box<Connection>>,
    requests: Slots<Request>,
    limits: Limits,
    counters: Counters,
    pool: Pool,
    rng: Rng,
}

impl End {
    fn new(seed: u64, buffer: u32) -> Self {
        let limits = Limits {
            send_buffer_max: buffer,
            receive_buffer_max: buffer,
            receive_window_initial: buffer / 2,
            reassembly_pieces_max: u16::MAX,
            ..Limits::default()
        };
        let (counters, pool) = (Counters::default(), Pool::default());
        Self { connections: vec![], requests: vec![], limits, counters, pool, rng: Rng::new(seed) }
    }

    fn ctx(&mut self, now: Instant) -> (&mut Slots<Box<Connection>>, &mut Slots<Request>, Ctx<'_>) {
        let Self { connections, requests, limits, counters, pool, rng } = self;
        (connections, requests, Ctx { now, rng, limits, counters, pool })
    }

    fn deadline(&self) -> Option<Instant> {
        let timers = self.connections.iter().flatten().filter_map(|c| c.deadline());
        timers.chain(self.requests.iter().flatten().filter_map(Request::deadline)).min()
    }
}

/// What a flow has done by some time.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sample {
    /// Taken in by the receiver; sent, retransmissions not counted; sent again, in segments.
    pub(crate) bytes: u64,
    pub(crate) sent: u64,
    pub(crate) again: u32,
    /// The congestion window, in segments.
    pub(crate) window: u32,
    pub(crate) rtt: Duration,
}

pub(crate) struct Run {
    pub(crate) arguments: Arguments,
    now: Instant,
    ends: [End; 2],
    links: [Direction<(usize, Segment)>; 2],
    /// By flow, one each `every`.
    pub(crate) samples: Vec<Vec<Sample>>,
    pub(crate) every: Duration,
    /// Flows that have not begun, the next one last, and when they do.
    waiting: Vec<(Instant, usize)>,
}

impl Run {
    pub(crate) fn new(arguments: Arguments) -> Self {
        let bdp = arguments.rate_bps.map_or(0.0, |rate| rate as f64 / 8.0 * arguments.rtt.as_secs_f64());
        let queue_bytes = arguments.queue.as_deref().map(|queue| match queue.strip_suffix("bdp") {
            Some(n) => (n.parse::<f64>().unwrap_or(1.0) * bdp) as u64,
            None => queue.parse().unwrap_or(u64::MAX),
        });
        let seed = arguments.seed;
        let path = |loss_ppm, seed| {
            let impairment = Impairment { loss_ppm, ..Impairment::default() };
            let delay = arguments.rtt / 2;
            Direction::new(Path { rate_bps: arguments.rate_bps, delay, queue_bytes, impairment }, seed)
        };
        let links = [path(arguments.loss_ppm, seed), path(0, seed + 1)];
        let samples = vec![Vec::new(); arguments.flows];
        let ends = [2, 3].map(|n| End::new(seed + n, arguments.buffer));
        // Flows begin within the first round trip, as the seed says: phases that fit by chance would decide
        // how they share a queue that drops.
        let (mut rng, rtt_us) = (Rng::new(seed + 4), arguments.rtt.as_micros() as u32);
        let begin = |flow| (Instant(u64::from(rng.below(rtt_us.max(1))) * 1000), flow);
        let mut waiting: Vec<_> = (0..arguments.flows).map(begin).collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        let every = (arguments.time / 1000).clamp(Duration::from_millis(1), Duration::from_millis(100));
        let mut run = Self { arguments, now: Instant::ZERO, ends, links, samples, every, waiting };
        for end in &mut run.ends {
            end.connections.resize_with(run.arguments.flows, || None);
            end.requests.resize_with(run.arguments.flows, || None);
        }
        run
    }

    fn open(&mut self) {
        while let Some((_, flow)) = self.waiting.pop_if(|(at, _)| *at <= self.now) {
            let (local, remote) = (address(1, 1000 + flow as u16), address(2, 80));
            let congestion = self.arguments.cc[flow % self.arguments.cc.len()];
            let settings = Settings { congestion, ..Settings::default() };
            let (connections, _, mut ctx) = self.ends[0].ctx(self.now);
            let iss = Seq(ctx.rng.next_u32());
            let connection = Connection::connect(local, remote, iss, MSS, &settings, &mut ctx);
            connections[flow] = Some(Box::new(connection));
        }
    }

    /// From the first packet to the end of the time.
    pub(crate) fn go(&mut self) {
        let end = Instant::ZERO + self.arguments.time;
        let mut sample_at = Instant::ZERO;
        while self.now < end {
            self.open();
            for end in 0..2 {
                self.serve(end);
            }
            let links = self.links.iter().filter_map(Direction::next_deadline);
            let begins = self.waiting.last().map(|(at, _)| *at);
            let timers = self.ends.iter().filter_map(End::deadline);
            let next = links.chain(timers).chain(begins).min().unwrap_or(end);
            while sample_at <= next.min(end) {
                self.sample();
                sample_at += self.every;
            }
            self.now = next.max(self.now);
            for link in 0..2 {
                while let Some((flow, segment)) = self.links[link].receive(self.now) {
                    self.arrive(1 - link, flow, segment);
                    // As a host would: what an arrival causes goes out before the next one.
                    self.transmit(1 - link, flow);
                }
            }
        }
    }

    /// Timers, the program, and what comes of them.
    fn serve(&mut self, end: usize) {
        for flow in 0..self.arguments.flows {
            let (connections, requests, mut ctx) = self.ends[end].ctx(self.now);
            if let Some(connection) = &mut connections[flow] {
                if connection.deadline().is_some_and(|at| at <= ctx.now) {
                    connection.expire(&mut ctx);
                }
                let data = bytes::Bytes::from_static(&[0; 65536]);
                while end == 0 && matches!(connection.send_chunk(data.clone(), &mut ctx), Ok(1..)) {}
                let received = connection.received();
                if received > 0 {
                    connection.consume(received, &mut ctx);
                }
            }
            if let Some(request) = &mut requests[flow] {
                request.expire(&mut ctx);
            }
            self.transmit(end, flow);
        }
    }

    fn transmit(&mut self, end: usize, flow: usize) {
        let (connections, requests, mut ctx) = self.ends[end].ctx(self.now);
        let link = &mut self.links[end];
        let mut put = |segment: Segment| {
            let bytes = IP_HEADER + segment.header.len() + segment.payload.len();
            let _ = link.send((flow, segment), bytes, self.now);
        };
        if let Some(connection) = &mut connections[flow] {
            std::iter::from_fn(|| connection.transmit(&mut ctx)).for_each(&mut put);
        }
        if let Some(request) = &mut requests[flow] {
            std::iter::from_fn(|| request.transmit(&mut ctx)).for_each(&mut put);
        }
    }

    fn arrive(&mut self, end: usize, flow: usize, segment: Segment) {
        let (connections, requests, mut ctx) = self.ends[end].ctx(self.now);
        let settings = Settings::default();
        if let Some(connection) = &mut connections[flow] {
            connection.arrive(segment, &mut ctx);
        } else if let Some(request) = &mut requests[flow] {
            if let RequestOutcome::Established(c) = request.arrive(segment, true, &settings, &mut ctx) {
                (connections[flow], requests[flow]) = (Some(c), None);
            }
        } else {
            let (local, remote) = (address(2, 80), address(1, segment.header.src_port));
            let iss = Seq(ctx.rng.next_u32());
            requests[flow] = Some(Request::new(&segment, local, remote, iss, MSS, &settings, &mut ctx));
        }
    }

    fn sample(&mut self) {
        for (flow, samples) in self.samples.iter_mut().enumerate() {
            let info =
                |end: &End| end.connections[flow].as_ref().map(|c| c.info(self.now)).unwrap_or_default();
            let sender = info(&self.ends[0]);
            let bytes = info(&self.ends[1]).bytes_received;
            samples.push(Sample {
                bytes,
                sent: sender.bytes_sent - sender.bytes_retrans,
                again: sender.total_retrans,
                window: sender.snd_cwnd,
                rtt: sender.rtt,
            });
        }
    }

    /// What the sending end has counted, and how many packets the link has lost and had no room for.
    pub(crate) fn counts(&self) -> (&Counters, u64, u64) {
        let link = self.links[0].counts();
        (&self.ends[0].counters, link.lost, link.overflowed)
    }

    /// Mbit/s of a flow between two times.
    pub(crate) fn goodput(&self, flow: usize, from: Duration, to: Duration) -> f64 {
        let at = |time: Duration| {
            let index = (time.as_nanos() / self.every.as_nanos()) as usize;
            self.samples[flow][index.min(self.samples[flow].len() - 1)].bytes
        };
        (at(to) - at(from)) as f64 * 8.0 / (to - from).as_secs_f64() / 1e6
    }
}

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::new([10, 0, 0, host].into(), port)
}

const MSS: u16 = 1460;
const IP_HEADER: usize = 20;
