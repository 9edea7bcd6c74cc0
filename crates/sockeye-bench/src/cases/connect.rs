//! Connections made and ended, alone and beside many that are idle, and what an idle one weighs.
//!
//! A connection is one handshake, one byte, the server's FIN and the client's; simulated time moves on by 1 ms with
//! each. With 60 s of TIME-WAIT the server soon holds tens of thousands of those; once the client's ports come round,
//! each new SYN takes the place of one, as on Linux. smoltcp, which cannot do that, is spared it: its sockets leave
//! TIME-WAIT at once and are used again.

use crate::allocator::bytes_taken;
use crate::case::{Pair, Sample};
use crate::measure::{Plan, by_turns, paired};
use crate::smol::Smol;
use crate::stack::{Side, Stack, wrong};
use anyhow::{Result, anyhow, ensure};
use smoltcp::iface::SocketHandle;
use smoltcp::socket::tcp::State;
use sockeye_core::SocketId;
use std::time::Duration;

pub(crate) fn alone(plan: &Plan) -> Result<Vec<Pair>> {
    against_smoltcp(plan, 0)
}

pub(crate) fn beside_1k(plan: &Plan) -> Result<Vec<Pair>> {
    against_smoltcp(plan, 1000)
}

/// smoltcp looks at every socket at every poll: to open 10,000 takes it seconds, more would take minutes.
pub(crate) fn beside_10k(plan: &Plan) -> Result<Vec<Pair>> {
    against_smoltcp(plan, 10_000)
}

/// How much ours loses by 10,000 idle connections.
pub(crate) fn kept_at_10k(plan: &Plan) -> Result<Vec<Pair>> {
    against_itself(plan, 10_000)
}

/// How much ours loses by 100,000 idle connections.
pub(crate) fn kept_at_100k(plan: &Plan) -> Result<Vec<Pair>> {
    against_itself(plan, 100_000)
}

fn against_smoltcp(plan: &Plan, idle: usize) -> Result<Vec<Pair>> {
    let mut ours = Connects::new(idle)?;
    let mut peer = SmolConnects::new(idle)?;
    let few = if idle > 1000 { 1 } else { TURN };
    paired(plan, &mut || ours.turn(), &mut || peer.turn(few))
}

fn against_itself(plan: &Plan, idle: usize) -> Result<Vec<Pair>> {
    let (mut beside, mut alone) = (Connects::new(idle)?, Connects::new(0)?);
    paired(plan, &mut || beside.turn(), &mut || alone.turn())
}

/// Bytes of one end of an idle connection, all tables counted; smoltcp's with the smallest buffers that take one
/// segment of Ethernet's size, since it gives none back.
pub(crate) fn memory(plan: &Plan) -> Result<Vec<Pair>> {
    let mut seed = 0;
    let ours = || {
        seed += 2;
        let mut failed = None;
        let bytes = bytes_taken(|| idle_stack(IDLE_MOST, seed).map_err(|error| failed = Some(error)).ok());
        match failed {
            Some(error) => Err(error),
            None => Ok(Sample::of(bytes as f64 / (2 * IDLE_MOST) as f64)),
        }
    };
    let peer = || {
        let mut smol = Smol::new(1500, true, 1);
        let mut handles = Vec::new();
        let bytes = bytes_taken(|| {
            handles.extend((0..SMOL_IDLE).map(|n| smol.connected_at(1460, 80, 10_000 + n as u16)));
        });
        ensure!(handles.iter().all(Result::is_ok), "smoltcp does not connect");
        Ok(Sample::of(bytes as f64 / (2 * SMOL_IDLE) as f64))
    };
    by_turns(plan.program_pairs, ours, peer)
}

/// A stack with so many connections on which nothing happens; each has carried a byte both ways, so that what is made
/// on first use has been made.
fn idle_stack(connections: usize, seed: u64) -> Result<Stack> {
    let mut stack = Stack::two(1500, seed);
    for n in 0..connections.div_ceil(PER_LISTENER) {
        let port = 1000 + n as u16;
        let listener = stack.listen(port)?;
        for _ in 0..PER_LISTENER.min(connections - n * PER_LISTENER) {
            let (client, server) = stack.connect(listener, port)?;
            for (from, sender, to, receiver) in
                [(Side::Client, client, Side::Server, server), (Side::Server, server, Side::Client, client)]
            {
                stack.send(from, sender, b"x").map_err(wrong)?;
                stack.exchange();
                stack.recv(to, receiver, &mut [0; 4]).map_err(wrong)?;
            }
        }
    }
    stack.pass(Duration::from_secs(1));
    stack.exchange();
    Ok(stack)
}

/// Our hosts with a listener.
pub(crate) struct Connects {
    stack: Stack,
    listener: SocketId,
}

impl Connects {
    /// Beside so many idle connections, and with as much TIME-WAIT as there will ever be.
    pub(crate) fn new(idle: usize) -> Result<Self> {
        let mut connects = Self::fresh(idle)?;
        for _ in 0..TIME_WAITS / TURN {
            connects.turn();
        }
        Ok(connects)
    }

    /// The same without any TIME-WAIT yet.
    pub(crate) fn fresh(idle: usize) -> Result<Self> {
        let mut stack = idle_stack(idle, 1)?;
        let listener = stack.listen(80)?;
        Ok(Self { stack, listener })
    }

    pub(crate) fn turn(&mut self) -> f64 {
        (0..TURN).for_each(|_| self.once().expect("a connection"));
        TURN as f64
    }

    fn once(&mut self) -> Result<()> {
        let (stack, mut buf) = (&mut self.stack, [0; 4]);
        stack.pass(Duration::from_millis(1));
        let (client, server) = stack.connect(self.listener, 80)?;
        stack.send(Side::Client, client, b"x").map_err(wrong)?;
        stack.exchange();
        ensure!(stack.recv(Side::Server, server, &mut buf) == Ok(1), "the byte comes");
        let now = stack.now;
        stack.host(Side::Server).close(server, now);
        stack.exchange();
        ensure!(stack.recv(Side::Client, client, &mut buf) == Ok(0), "the end comes");
        stack.host(Side::Client).close(client, now);
        stack.exchange();
        Ok(())
    }
}

/// smoltcp's hosts with one socket each that is used again and again.
struct SmolConnects {
    smol: Smol,
    client: SocketHandle,
    server: SocketHandle,
    port_last: u16,
}

impl SmolConnects {
    fn new(idle: usize) -> Result<Self> {
        let mut smol = Smol::new(1500, true, 1);
        for n in 0..idle {
            smol.connected_at(SMOL_IDLE_BUFFER, 1000, 10_000 + n as u16)?;
        }
        let (client, server) = (smol.client.add_tcp(SMOL_BUFFER), smol.server.add_tcp(SMOL_BUFFER));
        Ok(Self { smol, client, server, port_last: FIRST_PORT })
    }

    fn turn(&mut self, connections: usize) -> f64 {
        (0..connections).for_each(|_| self.once().expect("a connection"));
        connections as f64
    }

    fn once(&mut self) -> Result<()> {
        let Self { smol, client, server, port_last } = self;
        let (client, server) = (*client, *server);
        *port_last = if *port_last == u16::MAX { FIRST_PORT } else { *port_last + 1 };
        smol.now += smoltcp::time::Duration::from_millis(1);
        smol.server.tcp(server).listen(80).map_err(|error| anyhow!("{error:?}"))?;
        smol.client.open(client, 80, *port_last)?;
        smol.exchange();
        ensure!(smol.client.tcp(client).send_slice(b"x") == Ok(1), "the byte goes");
        smol.exchange();
        ensure!(smol.server.tcp(server).recv_slice(&mut [0; 4]) == Ok(1), "the byte comes");
        smol.server.tcp(server).close();
        smol.exchange();
        ensure!(!smol.client.tcp(client).may_recv(), "the end comes");
        smol.client.tcp(client).close();
        smol.exchange();
        let states = (smol.client.tcp(client).state(), smol.server.tcp(server).state());
        ensure!(states == (State::Closed, State::TimeWait), "closed: {states:?}");
        smol.server.tcp(server).abort();
        Ok(())
    }
}

/// Connections of a turn.
const TURN: usize = 16;
const IDLE_MOST: usize = 100_000;
const PER_LISTENER: usize = 10_000;
/// Longer than TIME-WAIT lasts, at 1 ms each.
const TIME_WAITS: usize = 61_000;
const SMOL_IDLE: usize = 1000;
const SMOL_IDLE_BUFFER: usize = 64;
const SMOL_BUFFER: usize = 4096;
const FIRST_PORT: u16 = 30_000;
