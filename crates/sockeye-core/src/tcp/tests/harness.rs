//! Two ends and a path between them, in simulated time, from one seed.

use crate::rng::Rng;
use crate::tcp::{
    Connection, Counters, Ctx, Limits, Pool, Request, RequestOutcome, Segment, Settings, State, reset_reply,
};
use crate::time::Instant;
use crate::wire::tcp::{Flags, Seq};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::SocketAddr;
use core::time::Duration;

/// One end: at most one connection, one request, and a listener when `listens`.
pub(crate) struct End {
    pub(crate) connection: Option<Box<Connection>>,
    pub(crate) request: Option<Request>,
    pub(crate) listens: bool,
    pub(crate) room: bool,
    pub(crate) settings: Settings,
    pub(crate) mss_path: u16,
    pub(crate) limits: Limits,
    pub(crate) counters: Counters,
    pub(crate) pool: Pool,
    pub(crate) rng: Rng,
    pub(crate) address: SocketAddr,
}

/// What the path does, in percent, and how long it takes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Path {
    pub(crate) delay: Duration,
    pub(crate) jitter: Duration,
    pub(crate) loss: u32,
    pub(crate) duplicate: u32,
    pub(crate) cut: bool,
}

/// The two ends and what is under way.
pub(crate) struct World {
    pub(crate) now: Instant,
    pub(crate) ends: [End; 2],
    pub(crate) path: Path,
    /// By arrival, then by order of sending: to which end, and what.
    under_way: BTreeMap<(Instant, u64), (usize, Segment)>,
    sent: u64,
    pub(crate) rng: Rng,
    /// One line per segment sent.
    pub(crate) log: Vec<String>,
    /// Drops segments that it says true for.
    pub(crate) filter: fn(usize, &Segment, u64) -> bool,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let end = |address: &str, seed| End {
            connection: None,
            request: None,
            listens: false,
            room: true,
            settings: Settings::default(),
            mss_path: 1460,
            limits: Limits::default(),
            counters: Counters::default(),
            pool: Pool::default(),
            rng: Rng::new(seed),
            address: address.parse().unwrap(),
        };
        Self {
            now: Instant::from_millis(1000),
            ends: [end("10.0.0.1:1000", seed), end("10.0.0.2:80", seed + 1)],
            path: Path { delay: Duration::from_millis(5), ..Path::default() },
            under_way: BTreeMap::new(),
            sent: 0,
            rng: Rng::new(seed + 2),
            log: Vec::new(),
            filter: |_, _, _| false,
        }
    }

    /// A world in which end 0 has connected to end 1.
    pub(crate) fn connected(seed: u64) -> Self {
        let mut world = Self::new(seed);
        world.handshake();
        world
    }

    pub(crate) fn handshake(&mut self) {
        self.ends[1].listens = true;
        self.open(0);
        self.run(Duration::from_millis(100));
        assert_eq!(self.state(0), State::Established);
        assert_eq!(self.state(1), State::Established);
        self.ends.iter_mut().for_each(|end| {
            end.connection.as_mut().unwrap().take_ready();
        });
    }

    /// Active open of an end.
    pub(crate) fn open(&mut self, at: usize) {
        let (remote, iss) = (self.ends[1 - at].address, Seq(self.rng.next_u32()));
        let (local, mss, settings) =
            (self.ends[at].address, self.ends[at].mss_path, self.ends[at].settings.clone());
        let connection = self.ends[at].with_ctx(self.now, |_, ctx| {
            Box::new(Connection::connect(local, remote, iss, mss, &settings, ctx))
        });
        self.ends[at].connection = Some(connection);
        self.flush();
    }

    /// Does something with the connection of an end, then sends what came of it.
    pub(crate) fn at<T>(&mut self, at: usize, f: impl FnOnce(&mut Connection, &mut Ctx<'_>) -> T) -> T {
        let answer = self.ends[at].with_ctx(self.now, |connection, ctx| f(connection.unwrap(), ctx));
        self.flush();
        answer
    }

    pub(crate) fn connection(&self, at: usize) -> &Connection {
        self.ends[at].connection.as_ref().unwrap()
    }

    pub(crate) fn state(&self, at: usize) -> State {
        self.ends[at].connection.as_ref().map_or(State::Closed, |c| c.state())
    }

    /// A segment arrives at an end, now.
    pub(crate) fn inject(&mut self, at: usize, segment: Segment) {
        self.deliver(at, segment);
        self.flush();
    }

    /// Lets time pass.
    pub(crate) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
        self.now = until;
    }

    /// The next event up to `until`; false when there is none.
    pub(crate) fn step(&mut self, until: Instant) -> bool {
        let arrival = self.under_way.keys().next().map(|key| key.0);
        let timers = self.ends.iter().filter_map(End::deadline).min();
        let Some(next) = arrival.into_iter().chain(timers).min().filter(|&next| next <= until) else {
            return false;
        };
        self.now = self.now.max(next);
        while let Some(entry) = self.under_way.first_entry().filter(|entry| entry.key().0 <= self.now) {
            let (to, segment) = entry.remove();
            self.deliver(to, segment);
        }
        for end in &mut self.ends {
            end.expire(self.now);
        }
        self.flush();
        true
    }

    fn deliver(&mut self, to: usize, segment: Segment) {
        if let Some(reply) = self.ends[to].arrive(segment, self.now) {
            self.send(to, reply);
        }
    }

    /// Sends whatever is due at either end.
    pub(crate) fn flush(&mut self) {
        for from in 0..2 {
            for segment in self.ends[from].transmit(self.now) {
                self.send(from, segment);
            }
            if let Some(connection) = &self.ends[from].connection {
                connection.check_board();
            }
        }
    }

    fn send(&mut self, from: usize, segment: Segment) {
        self.sent += 1;
        let header = &segment.header;
        self.log.push(alloc::format!(
            "{} {from} {:?} seq {:?} ack {:?} win {} len {}",
            self.now.as_millis(),
            header.flags,
            header.seq,
            header.ack,
            header.window,
            segment.payload.len()
        ));
        if self.path.cut || self.rng.below(100) < self.path.loss || (self.filter)(from, &segment, self.sent) {
            return;
        }
        let copies = if self.rng.below(100) < self.path.duplicate { 2 } else { 1 };
        for _ in 0..copies {
            let jitter = self.path.jitter.mul_f64(f64::from(self.rng.below(1000)) / 1000.0);
            self.sent += 1;
            self.under_way
                .insert((self.now + self.path.delay + jitter, self.sent), (1 - from, segment.clone()));
        }
    }
}

impl End {
    pub(crate) fn with_ctx<T>(
        &mut self,
        now: Instant,
        f: impl FnOnce(Option<&mut Connection>, &mut Ctx<'_>) -> T,
    ) -> T {
        let Self { connection, rng, limits, counters, pool, .. } = self;
        f(connection.as_deref_mut(), &mut Ctx { now, rng, limits, counters, pool })
    }

    fn deadline(&self) -> Option<Instant> {
        let connection = self.connection.as_ref().and_then(|c| c.deadline());
        connection.into_iter().chain(self.request.as_ref().and_then(|r| r.deadline())).min()
    }

    fn expire(&mut self, now: Instant) {
        let Self { connection, request, rng, limits, counters, pool, .. } = self;
        let mut ctx = Ctx { now, rng, limits, counters, pool };
        if let Some(connection) = connection {
            connection.expire(&mut ctx);
        }
        if request.as_mut().is_some_and(|request| !request.expire(&mut ctx)) {
            *request = None;
        }
    }

    fn transmit(&mut self, now: Instant) -> Vec<Segment> {
        let Self { connection, request, rng, limits, counters, pool, .. } = self;
        let mut ctx = Ctx { now, rng, limits, counters, pool };
        let mut out = Vec::new();
        while let Some(segment) = connection.as_mut().and_then(|c| c.transmit(&mut ctx)) {
            out.push(segment);
        }
        while let Some(segment) = request.as_mut().and_then(|r| r.transmit(&mut ctx)) {
            out.push(segment);
        }
        out
    }

    /// As a host's demultiplexer would.
    fn arrive(&mut self, segment: Segment, now: Instant) -> Option<Segment> {
        let Self { connection, request, rng, limits, counters, pool, settings, .. } = self;
        let mut ctx = Ctx { now, rng, limits, counters, pool };
        if let Some(connection) = connection.as_mut().filter(|c| !c.is_finished()) {
            connection.arrive(segment, &mut ctx);
            return None;
        }
        if let Some(waiting) = request {
            match waiting.arrive(segment, self.room, settings, &mut ctx) {
                RequestOutcome::Keep => return None,
                RequestOutcome::Established(established) => *connection = Some(established),
                RequestOutcome::Dropped => {}
                RequestOutcome::Reset(reply) => {
                    *request = None;
                    return Some(reply);
                }
            }
            *request = None;
            return None;
        }
        if self.listens && segment.header.flags == Flags::SYN {
            let remote = SocketAddr::new([10, 0, 0, 1].into(), segment.header.src_port);
            let iss = Seq(ctx.rng.next_u32());
            *request =
                Some(Request::new(&segment, self.address, remote, iss, self.mss_path, settings, &mut ctx));
            return None;
        }
        reset_reply(&segment)
    }
}
