//! Bulk: as many bytes as go, copied in and copied out, in one direction.
//!
//! One batch fills the send buffer with writes of 64 KiB, moves packets until all is quiet, and reads with 64 KiB
//! until nothing is left. The copy ceiling is two `memcpy` a byte through a buffer of 64 KiB: what a socket cannot do
//! without when its caller keeps his bytes.

use crate::case::Pair;
use crate::kernel;
use crate::kernel::Streams;
use crate::measure::{Plan, paired};
use crate::smol::Smol;
use crate::stack::{Side, Stack};
use anyhow::Result;
use sockeye_core::SocketId;
use sockeye_core::host::Kind;
use std::hint::black_box;
use std::io::{Read, Write};
use std::time::Duration;

/// One write, one read.
const BLOCK: usize = 64 << 10;
/// Writes of one batch; the peers' buffers are of a size with it.
const WRITES: usize = 4;
/// smoltcp's best of 64 KiB to 1 MiB with packets of 1500 bytes, and with 64 KiB.
const SMOL_BUFFER: usize = 256 << 10;

pub(crate) fn mtu_1500(plan: &Plan) -> Result<Vec<Pair>> {
    against_smoltcp(plan, Stack::two(1500, 1), 1500, true)
}

pub(crate) fn mtu_1500_of_copy(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = Ours::new(Stack::two(1500, 1))?;
    let mut copy = Copy::new();
    paired(plan, &mut || ours.turn(), &mut || copy.turn())
}

pub(crate) fn mtu_1500_of_tcp(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, Ours::new(Stack::two(1500, 1))?, kernel::tcp()?)
}

pub(crate) fn block_64k_summed(plan: &Plan) -> Result<Vec<Pair>> {
    against_smoltcp(plan, Stack::two(MTU_64K, 1), MTU_64K as usize, true)
}

pub(crate) fn block_64k(plan: &Plan) -> Result<Vec<Pair>> {
    against_smoltcp(plan, Stack::one(1), MTU_64K as usize, false)
}

pub(crate) fn block_64k_of_tcp(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, Ours::new(Stack::one(1))?, kernel::tcp()?)
}

pub(crate) fn block_64k_of_unix(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, Ours::new(Stack::one(1))?, kernel::unix()?)
}

pub(crate) fn block_64k_of_copy(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = Ours::new(Stack::one(1))?;
    let mut copy = Copy::new();
    paired(plan, &mut || ours.turn(), &mut || copy.turn())
}

/// The receiver reads in place; the sender still copies in.
pub(crate) fn borrowed(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = Ours::new(Stack::one(1))?;
    let mut peer = Peer::new(MTU_64K as usize, false)?;
    paired(plan, &mut || ours.turn_borrowed(), &mut || peer.turn_borrowed())
}

/// Both sides in place: the sender fills room in the send buffer, as serving programs does.
pub(crate) fn in_place(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = Ours::new(Stack::one(1))?;
    let mut peer = Peer::new(MTU_64K as usize, false)?;
    paired(plan, &mut || ours.turn_in_place(), &mut || peer.turn_borrowed())
}

/// A Unix-domain stream of ours beside our own TCP, both within one host.
pub(crate) fn unix_of_our_tcp(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = Ours::unix()?;
    let mut tcp = Ours::new(Stack::one(1))?;
    paired(plan, &mut || ours.turn(), &mut || tcp.turn())
}

pub(crate) fn unix_of_kernel(plan: &Plan) -> Result<Vec<Pair>> {
    against_kernel(plan, Ours::unix()?, kernel::unix()?)
}

fn against_smoltcp(plan: &Plan, stack: Stack, mtu: usize, checksums: bool) -> Result<Vec<Pair>> {
    let mut ours = Ours::new(stack)?;
    let mut peer = Peer::new(mtu, checksums)?;
    paired(plan, &mut || ours.turn(), &mut || peer.turn())
}

fn against_kernel<S: Read + Write>(plan: &Plan, mut ours: Ours, mut peer: Streams<S>) -> Result<Vec<Pair>> {
    let (data, mut buf) = (vec![1; BLOCK], vec![0; BLOCK]);
    let mut turn = || peer.bulk(&data, &mut buf).expect("the kernel carries") as f64;
    paired(plan, &mut || ours.turn(), &mut turn)
}

/// A connection of ours that is filled and emptied.
pub(crate) struct Ours {
    stack: Stack,
    ends: (SocketId, SocketId),
    data: Vec<u8>,
    buf: Vec<u8>,
}

impl Ours {
    pub(crate) fn new(mut stack: Stack) -> Result<Self> {
        let ends = stack.connected()?;
        Ok(Self { stack, ends, data: vec![1; BLOCK], buf: vec![0; BLOCK] })
    }

    /// The same of a pair of Unix-domain streams.
    fn unix() -> Result<Self> {
        let mut stack = Stack::one(1);
        let ends = stack.host(Side::Client).unix_pair(Kind::Stream, 0)?;
        Ok(Self { stack, ends, data: vec![1; BLOCK], buf: vec![0; BLOCK] })
    }

    /// Bytes read.
    pub(crate) fn turn(&mut self) -> f64 {
        for _ in 0..WRITES {
            if self.stack.send(Side::Client, self.ends.0, &self.data).is_err() {
                break;
            }
        }
        self.stack.exchange();
        let mut moved = 0;
        while let Ok(n @ 1..) = self.stack.recv(Side::Server, self.ends.1, &mut self.buf) {
            moved += n;
        }
        self.stack.exchange();
        self.stack.pass(STEP);
        moved as f64
    }

    fn turn_borrowed(&mut self) -> f64 {
        for _ in 0..WRITES {
            if self.stack.send(Side::Client, self.ends.0, &self.data).is_err() {
                break;
            }
        }
        self.take_in_place()
    }

    fn turn_in_place(&mut self) -> f64 {
        let now = self.stack.now;
        for _ in 0..WRITES {
            let host = self.stack.host(Side::Client);
            let Ok(room) = host.send_reserve(self.ends.0, BLOCK) else { break };
            let n = room.len();
            room[0] = 1;
            host.send_commit(self.ends.0, n, now);
        }
        self.take_in_place()
    }

    /// Moves packets; the server looks at what came and takes it.
    fn take_in_place(&mut self) -> f64 {
        self.stack.exchange();
        let (mut moved, now) = (0, self.stack.now);
        let host = self.stack.host(Side::Server);
        let lengths = |slices: &[&[u8]]| slices.iter().map(|slice| black_box(*slice).len()).sum::<usize>();
        while let Ok(n @ 1..) = host.recv_slices(self.ends.1).map(|slices| lengths(&slices)) {
            moved += n;
            host.consume(self.ends.1, n, now);
        }
        self.stack.exchange();
        self.stack.pass(STEP);
        moved as f64
    }
}

/// The same of smoltcp.
pub(crate) struct Peer {
    smol: Smol,
    ends: (smoltcp::iface::SocketHandle, smoltcp::iface::SocketHandle),
    data: Vec<u8>,
    buf: Vec<u8>,
}

impl Peer {
    pub(crate) fn new(mtu: usize, checksums: bool) -> Result<Self> {
        let mut smol = Smol::new(mtu, checksums, 1);
        let ends = smol.connected(SMOL_BUFFER)?;
        Ok(Self { smol, ends, data: vec![1; BLOCK], buf: vec![0; BLOCK] })
    }

    /// Bytes read.
    pub(crate) fn turn(&mut self) -> f64 {
        self.fill();
        let mut moved = 0;
        while let Ok(n @ 1..) = self.smol.server.tcp(self.ends.1).recv_slice(&mut self.buf) {
            moved += n;
        }
        self.rest();
        moved as f64
    }

    pub(crate) fn packets(&self) -> u64 {
        self.smol.carried
    }

    fn turn_borrowed(&mut self) -> f64 {
        self.fill();
        let mut moved = 0;
        let socket = self.smol.server.tcp(self.ends.1);
        while let Ok(n @ 1..) = socket.recv(|slice| (black_box(&*slice).len(), slice.len())) {
            moved += n;
        }
        self.rest();
        moved as f64
    }

    fn fill(&mut self) {
        for _ in 0..WRITES {
            match self.smol.client.tcp(self.ends.0).send_slice(&self.data) {
                Ok(1..) => {}
                _ => break,
            }
        }
        self.smol.exchange();
    }

    /// The window that the read has opened is told.
    fn rest(&mut self) {
        self.smol.exchange();
        self.smol.now += smoltcp::time::Duration::from_micros(STEP.as_micros() as u64);
    }
}

/// Two copies a byte.
struct Copy {
    from: Vec<u8>,
    between: Vec<u8>,
    to: Vec<u8>,
}

impl Copy {
    fn new() -> Self {
        Self { from: vec![1; BLOCK], between: vec![0; BLOCK], to: vec![0; BLOCK] }
    }

    fn turn(&mut self) -> f64 {
        for _ in 0..WRITES {
            black_box(&mut self.between).copy_from_slice(black_box(&self.from));
            black_box(&mut self.to).copy_from_slice(black_box(&self.between));
        }
        (WRITES * BLOCK) as f64
    }
}

/// Simulated time of a batch.
const STEP: Duration = Duration::from_micros(20);
const MTU_64K: u32 = 65535;
