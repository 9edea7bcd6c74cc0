//! How much TCP gets through a path, in simulated time: bulk flows side by side over one link.
//!
//! `cargo run --release -p sockeye-lab --example goodput -- --rtt 10ms --loss 1% --cc cubic`
//! also: `--rate 1gbit --queue 1bdp --flows 2 --time 30s --seed 1 --plot out.svg`; `--cc cubic,reno` for a mixture.
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

/// The command line, in plain units.
struct Arguments {
    rtt: Duration,
    loss_ppm: u32,
    rate_bps: Option<u64>,
    queue: Option<String>,
    flows: usize,
    time: Duration,
    seed: u64,
    cc: Vec<Congestion>,
    plot: Option<String>,
}

fn parse() -> Result<Arguments, String> {
    let mut a = Arguments {
        rtt: Duration::from_millis(10),
        loss_ppm: 0,
        rate_bps: None,
        queue: None,
        flows: 1,
        time: Duration::from_secs(30),
        seed: 1,
        cc: vec![Congestion::Cubic],
        plot: None,
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let value = words.next().ok_or(format!("{word} needs a value"))?;
        let number = |suffix: &str| {
            value.strip_suffix(suffix).and_then(|n| n.parse::<f64>().ok()).filter(|n| *n >= 0.0)
        };
        let bad = || format!("{word} {value}: not understood");
        let time = || {
            let seconds = number("ms").map(|n| n / 1e3).or_else(|| number("us").map(|n| n / 1e6));
            seconds.or_else(|| number("s")).map(Duration::from_secs_f64).ok_or_else(bad)
        };
        match word.as_str() {
            "--rtt" => a.rtt = time()?,
            "--time" => a.time = time()?,
            "--loss" => a.loss_ppm = (number("%").ok_or_else(bad)? * 1e4) as u32,
            "--rate" => {
                let units = [("gbit", 1e9), ("mbit", 1e6), ("kbit", 1e3)];
                let rate = units.iter().find_map(|(suffix, unit)| number(suffix).map(|n| n * unit));
                a.rate_bps = Some(rate.ok_or_else(bad)? as u64);
            }
            "--queue" => a.queue = Some(value),
            "--flows" => a.flows = number("").ok_or_else(bad)? as usize,
            "--seed" => a.seed = number("").ok_or_else(bad)? as u64,
            "--cc" => {
                let names = value.split(',').map(|name| Congestion::from_name(name.as_bytes()));
                a.cc = names.collect::<Option<_>>().ok_or_else(bad)?;
            }
            "--plot" => a.plot = Some(value),
            _ => return Err(format!("{word} is no option")),
        }
    }
    Ok(a)
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
    fn new(seed: u64) -> Self {
        let wide = 256 << 20;
        let limits = Limits {
            send_buffer_max: wide,
            receive_buffer_max: wide,
            receive_window_initial: wide / 2,
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

/// What a flow has done, at each tenth of a second.
#[derive(Clone, Copy, Default)]
struct Sample {
    bytes: u64,
    window: u32,
    rtt: Duration,
}

struct Run {
    arguments: Arguments,
    now: Instant,
    ends: [End; 2],
    links: [Direction<(usize, Segment)>; 2],
    samples: Vec<Vec<Sample>>,
    /// Flows that have not begun, the next one last, and when they do.
    waiting: Vec<(Instant, usize)>,
}

impl Run {
    fn new(arguments: Arguments) -> Self {
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
        let ends = [End::new(seed + 2), End::new(seed + 3)];
        // Flows begin within the first round trip, as the seed says: phases that fit by chance would decide
        // how they share a queue that drops.
        let (mut rng, rtt_us) = (Rng::new(seed + 4), arguments.rtt.as_micros() as u32);
        let begin = |flow| (Instant(u64::from(rng.below(rtt_us.max(1))) * 1000), flow);
        let mut waiting: Vec<_> = (0..arguments.flows).map(begin).collect();
        waiting.sort_unstable_by(|a, b| b.cmp(a));
        let mut run = Self { arguments, now: Instant::ZERO, ends, links, samples, waiting };
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

    fn go(&mut self) {
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
                sample_at += TENTH;
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
            samples.push(Sample { bytes, window: sender.snd_cwnd, rtt: sender.rtt });
        }
    }

    /// Mbit/s of a flow between two times.
    fn goodput(&self, flow: usize, from: Duration, to: Duration) -> f64 {
        let at = |time: Duration| {
            let index = (time.as_millis() / TENTH.as_millis()) as usize;
            self.samples[flow][index.min(self.samples[flow].len() - 1)].bytes
        };
        (at(to) - at(from)) as f64 * 8.0 / (to - from).as_secs_f64() / 1e6
    }

    fn report(&self) {
        let counters = &self.ends[0].counters;
        println!(
            "{} retransmissions, {} fast recoveries, {} timeouts, {} probes, {} undone; {} packets lost, {} overflowed",
            counters.retrans_segs,
            counters.fast_retransmits,
            counters.timeouts,
            counters.loss_probes,
            counters.undos,
            self.links[0].counts().lost,
            self.links[0].counts().overflowed,
        );
        let (time, settled) = (self.arguments.time, Duration::from_secs(5));
        for flow in 0..self.arguments.flows {
            let name = self.arguments.cc[flow % self.arguments.cc.len()].name();
            let all = self.goodput(flow, Duration::ZERO, time);
            let late = if time > settled { self.goodput(flow, settled, time) } else { all };
            println!("flow {} {name}: {all:.1} Mbit/s, from second 5 on {late:.1} Mbit/s", flow + 1);
        }
    }

    /// Window and round trip of each flow over time.
    fn plot(&self, file: &str) -> std::io::Result<()> {
        let all = || self.samples.iter().flatten();
        let most_window = f64::from(all().map(|s| s.window).max().unwrap_or(1).max(1));
        let most_rtt = all().map(|s| s.rtt.as_secs_f64()).fold(1e-9, f64::max);
        let line = |samples: &[Sample], y: &dyn Fn(&Sample) -> f64, colour: &str| {
            let x = |i: usize| 1000.0 * i as f64 / samples.len() as f64;
            let points: Vec<_> = samples
                .iter()
                .enumerate()
                .map(|(i, s)| format!("{:.1},{:.1}", x(i), 400.0 - 390.0 * y(s)))
                .collect();
            format!("<polyline fill='none' stroke='{colour}' points='{}'/>\n", points.join(" "))
        };
        let mut svg = String::from("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 1000 430'>\n");
        for (samples, colour) in self.samples.iter().zip(["#1f77b4", "#d62728", "#2ca02c"].iter().cycle()) {
            svg += &line(samples, &|s| f64::from(s.window) / most_window, colour);
            svg += &line(samples, &|s| s.rtt.as_secs_f64() / most_rtt / 4.0, "#aaaaaa");
        }
        let (ms, segments) = (most_rtt * 1e3, most_window);
        svg += &format!(
            "<text x='5' y='425'>cwnd to {segments} segments; grey: srtt to {ms:.1} ms</text></svg>\n"
        );
        std::fs::write(file, svg)
    }
}

fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::new([10, 0, 0, host].into(), port)
}

fn main() {
    let arguments = parse().unwrap_or_else(|error| {
        eprintln!("goodput: {error}");
        std::process::exit(2)
    });
    let plot = arguments.plot.clone();
    let mut run = Run::new(arguments);
    run.go();
    if let Some(Err(error)) = plot.map(|file| run.plot(&file)) {
        eprintln!("goodput: {error}");
    }
    run.report();
}

const MSS: u16 = 1460;
const IP_HEADER: usize = 20;
const TENTH: Duration = Duration::from_millis(100);
