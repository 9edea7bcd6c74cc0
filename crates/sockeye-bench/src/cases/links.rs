//! Packets through simulated links, and how exact a delay in real time is.
//!
//! Each link joins two hosts of its own with one bulk connection at MTU 1500; the first link is impaired (1 ms
//! of delay, one packet of a thousand lost), the others are ideal. Simulated time jumps from deadline to deadline. A packet counts once, when its host
//! has sent it; who is compared is smoltcp, whose packets cross a bare queue.

use super::bulk;
use super::programs;
use crate::case::{Pair, Sample};
use crate::measure::{Plan, by_turns, paired};
use crate::stack::wrong;
use anyhow::{Result, anyhow, ensure};
use sockeye_core::host::{Domain, IfIndex, InterfaceConfig, Kind};
use sockeye_core::{Errno, Host, HostConfig, Instant, SocketId};
use sockeye_lab::impair::Impairment;
use sockeye_lab::link::Path;
use sockeye_lab::{HostId, Lab, Port};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant as Clock};

pub(crate) fn one(plan: &Plan) -> Result<Vec<Pair>> {
    packets(plan, 1, DELAY_AND_LOSS)
}

/// The one link has jitter as well: nearly every packet comes out of order.
pub(crate) fn one_with_jitter(plan: &Plan) -> Result<Vec<Pair>> {
    let impairment = Impairment { jitter: Duration::from_micros(50), ..DELAY_AND_LOSS.impairment };
    packets(plan, 1, Path { impairment, ..DELAY_AND_LOSS })
}

pub(crate) fn ten(plan: &Plan) -> Result<Vec<Pair>> {
    packets(plan, 10, DELAY_AND_LOSS)
}

pub(crate) fn hundred(plan: &Plan) -> Result<Vec<Pair>> {
    packets(plan, 100, DELAY_AND_LOSS)
}

fn packets(plan: &Plan, links: usize, first: Path) -> Result<Vec<Pair>> {
    let mut ours = Links::new(links, first)?;
    let mut peer = bulk::Peer::new(1500, true)?;
    let mut bare = || {
        let before = peer.packets();
        peer.turn();
        (peer.packets() - before) as f64
    };
    paired(plan, &mut || ours.turn(), &mut bare)
}

/// How much later than 10 ms a byte arrives under `sockeye run --delay 10ms`, each way; beside it how much later than
/// 10 ms the kernel wakes a thread that sleeps so long.
pub(crate) fn delay_error(plan: &Plan) -> Result<Vec<Pair>> {
    let (sockeye, own) = (programs::sockeye()?, std::env::current_exe()?);
    let delay_s = DELAY.as_secs_f64();
    let ours = || {
        let mut command = Command::new(&sockeye);
        command.args(["run", "--delay", "10ms", "--"]).arg(&own).args(["--trips", &TRIPS.to_string()]);
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        let trip_s: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
        Ok(Sample::of(trip_s / 2.0 - delay_s))
    };
    let peer = || {
        let begun = Clock::now();
        (0..2 * TRIPS).for_each(|_| std::thread::sleep(DELAY));
        Ok(Sample::of(begun.elapsed().as_secs_f64() / f64::from(2 * TRIPS) - delay_s))
    };
    by_turns(plan.program_pairs, ours, peer)
}

/// The mean time of a byte's way there and back over TCP to 127.0.0.1, in seconds: what is run under `--delay`.
pub(crate) fn timed_trips(trips: u32) -> Result<f64> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let echo = std::thread::spawn(move || {
        let mut byte = [0];
        while server.read_exact(&mut byte).is_ok() && server.write_all(&byte).is_ok() {}
    });
    let begun = Clock::now();
    for _ in 0..trips {
        client.write_all(b"x")?;
        client.read_exact(&mut [0])?;
    }
    let took = begun.elapsed();
    drop(client);
    echo.join().map_err(|_| anyhow!("the echo failed"))?;
    Ok(took.as_secs_f64() / f64::from(trips))
}

/// A lab of pairs of hosts.
pub(crate) struct Links {
    lab: Lab,
    pairs: Vec<Bulk>,
    now: Instant,
    data: Vec<u8>,
    buf: Vec<u8>,
}

/// A connection under load.
struct Bulk {
    client: (HostId, SocketId),
    server: (HostId, SocketId),
}

impl Links {
    pub(crate) fn new(links: usize, first: Path) -> Result<Self> {
        let mut lab = Lab::with_seed(1);
        let mut now = Instant::from_millis(1000);
        let mut pairs = vec![];
        for n in 0..links {
            let path = if n == 0 { first } else { Path::default() };
            pairs.push(Bulk::new(&mut lab, n as u64, path, &mut now)?);
        }
        Ok(Self { lab, pairs, now, data: vec![1; BLOCK], buf: vec![0; BLOCK] })
    }

    /// Packets that all hosts have sent.
    pub(crate) fn turn(&mut self) -> f64 {
        let before = self.sent();
        for Bulk { client, server } in &self.pairs {
            let host = self.lab.host_mut(client.0);
            for _ in 0..WRITES {
                if host.send(client.1, &self.data, self.now).is_err() {
                    break;
                }
            }
            let host = self.lab.host_mut(server.0);
            while let Ok(1..) = host.recv(server.1, &mut self.buf, false, self.now) {}
        }
        while self.lab.settle(self.now) {}
        for Bulk { client, server } in &self.pairs {
            for id in [client.0, server.0] {
                while self.lab.host_mut(id).next_event().is_some() {}
            }
        }
        // Whatever is next; where other links are ideal, their programs do not wait for the impaired one.
        let next = self.lab.next_deadline().unwrap_or(self.now);
        let step = if self.pairs.len() > 1 { self.now + STEP } else { next.max(self.now + STEP) };
        self.now = step;
        (self.sent() - before) as f64
    }

    fn sent(&self) -> u64 {
        let of = |id| self.lab.host(id).tcp_counters().out_segs;
        self.pairs.iter().map(|pair| of(pair.client.0) + of(pair.server.0)).sum()
    }
}

impl Bulk {
    fn new(lab: &mut Lab, n: u64, path: Path, now: &mut Instant) -> Result<Self> {
        let host = |net: &str, seed| {
            let eth = InterfaceConfig::new("eth0", vec![net.parse().expect("a network")]);
            Host::new(HostConfig { interfaces: vec![eth], ..HostConfig::default() }, seed)
        };
        let (client, server) = (lab.add(host("10.0.0.1/24", 2 * n)), lab.add(host("10.0.0.2/24", 2 * n + 1)));
        let port = |host| Port { host, interface: IfIndex(2) };
        lab.join_by(port(client), port(server), [path; 2]);
        let name: SocketAddr = "10.0.0.2:80".parse().expect("an address");
        let listener = lab.host_mut(server).socket(Domain::Inet, Kind::Stream, 0).map_err(wrong)?;
        lab.host_mut(server).bind(listener, name).map_err(wrong)?;
        lab.host_mut(server).listen(listener, 8).map_err(wrong)?;
        let from = lab.host_mut(client).socket(Domain::Inet, Kind::Stream, 0).map_err(wrong)?;
        let begun = lab.host_mut(client).connect(from, name, *now);
        ensure!(begun == Err(Errno::EINPROGRESS), "connect said {begun:?}");
        // As long as it takes over this link, lost packets included.
        for _ in 0..1000 {
            while lab.settle(*now) {}
            if let Ok(to) = lab.host_mut(server).accept(listener) {
                return Ok(Self { client: (client, from), server: (server, to) });
            }
            *now = lab.next_deadline().unwrap_or(*now).max(*now);
        }
        anyhow::bail!("no connection over the link")
    }
}

/// The impaired link.
pub(crate) const DELAY_AND_LOSS: Path = Path {
    rate_bps: None,
    delay: Duration::from_millis(1),
    queue_bytes: None,
    impairment: Impairment {
        loss_ppm: 1000,
        burst: None,
        duplicate_ppm: 0,
        reorder_ppm: 0,
        corrupt_ppm: 0,
        jitter: Duration::ZERO,
    },
};
const BLOCK: usize = 64 << 10;
const WRITES: usize = 4;
const STEP: Duration = Duration::from_micros(20);
const DELAY: Duration = Duration::from_millis(10);
const TRIPS: u32 = 15;
