//! Round trips of one byte, and datagrams one by one and in batches.
//!
//! What is sent waits for nothing: each way is a call, a transmit, a deliver and a call, in smoltcp a poll of both
//! ends. A batch of round trips is long enough that the clock's reading does not show.

use crate::case::Pair;
use crate::kernel;
use crate::measure::{Plan, paired};
use crate::smol::Smol;
use crate::stack::{Side, Stack};
use anyhow::Result;
use smoltcp::iface::SocketHandle;
use smoltcp::wire::{IpAddress, IpEndpoint};
use sockeye_core::SocketId;
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::time::Duration;

pub(crate) fn tcp(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = RoundTrips::tcp(Stack::two(1500, 1))?;
    let mut peer = Smol::new(1500, true, 1);
    let ends = peer.connected(SMOL_BUFFER)?;
    paired(plan, &mut || ours.turn(), &mut || smol_tcp(&mut peer, ends))
}

/// Beside the kernel's, whose loopback makes no checksums either.
pub(crate) fn tcp_of_kernel(plan: &Plan) -> Result<Vec<Pair>> {
    of_streams(plan, kernel::tcp()?)
}

pub(crate) fn tcp_of_unix(plan: &Plan) -> Result<Vec<Pair>> {
    of_streams(plan, kernel::unix()?)
}

fn of_streams<S: Read + Write>(plan: &Plan, mut peer: kernel::Streams<S>) -> Result<Vec<Pair>> {
    let mut ours = RoundTrips::tcp(Stack::one(1))?;
    let mut turn = || {
        (0..TRIPS).for_each(|_| peer.round_trip().expect("the kernel carries"));
        f64::from(TRIPS)
    };
    paired(plan, &mut || ours.turn(), &mut turn)
}

pub(crate) fn udp(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = RoundTrips::udp(Stack::two(1500, 1))?;
    let mut peer = Smol::new(1500, true, 1);
    let ends = peer.datagrams(4)?;
    paired(plan, &mut || ours.turn(), &mut || smol_udp(&mut peer, ends))
}

pub(crate) fn udp_of_kernel(plan: &Plan) -> Result<Vec<Pair>> {
    let mut ours = RoundTrips::udp(Stack::one(1))?;
    let (client, server) = kernel_datagrams()?;
    let mut buf = [1; 2048];
    let mut trip = || -> Result<()> {
        for (from, to) in [(&client, &server), (&server, &client)] {
            from.send(&buf[..1])?;
            to.recv(&mut buf)?;
        }
        Ok(())
    };
    let mut turn = || {
        (0..TRIPS).for_each(|_| trip().expect("the kernel carries"));
        f64::from(TRIPS)
    };
    paired(plan, &mut || ours.turn(), &mut turn)
}

pub(crate) fn datagrams_64(plan: &Plan) -> Result<Vec<Pair>> {
    one_way(plan, 64, 1)
}

pub(crate) fn datagrams_1400(plan: &Plan) -> Result<Vec<Pair>> {
    one_way(plan, 1400, 1)
}

pub(crate) fn batches_64(plan: &Plan) -> Result<Vec<Pair>> {
    one_way(plan, 64, BATCH)
}

pub(crate) fn batches_1400(plan: &Plan) -> Result<Vec<Pair>> {
    one_way(plan, 1400, BATCH)
}

/// Datagrams of a size from the client to the server, so many before packets are moved.
fn one_way(plan: &Plan, bytes: usize, batch: usize) -> Result<Vec<Pair>> {
    let mut stack = Stack::two(1500, 1);
    let (client, server) = stack.datagrams()?;
    let (data, mut buf) = (vec![1; bytes], [0; 2048]);
    let mut ours = || {
        for _ in 0..TRIPS as usize / batch {
            for _ in 0..batch {
                stack.send(Side::Client, client, &data).expect("a datagram goes");
            }
            stack.exchange();
            for _ in 0..batch {
                assert_eq!(stack.recv(Side::Server, server, &mut buf), Ok(bytes), "a datagram comes");
            }
            stack.pass(STEP);
        }
        f64::from(TRIPS)
    };
    let mut smol = Smol::new(1500, true, 1);
    let (from, to) = smol.datagrams(batch)?;
    let (data, mut buf) = (vec![1; bytes], [0; 2048]);
    let mut peer = || {
        for _ in 0..TRIPS as usize / batch {
            for _ in 0..batch {
                smol.client.udp(from).send_slice(&data, SERVER).expect("a datagram goes");
            }
            smol.exchange();
            for _ in 0..batch {
                let (n, _) = smol.server.udp(to).recv_slice(&mut buf).expect("a datagram comes");
                assert_eq!(n, bytes);
            }
            smol.now += SMOL_STEP;
        }
        f64::from(TRIPS)
    };
    paired(plan, &mut ours, &mut peer)
}

/// Two of our sockets between which a byte goes there and back.
pub(crate) struct RoundTrips {
    stack: Stack,
    ends: (SocketId, SocketId),
}

impl RoundTrips {
    pub(crate) fn tcp(mut stack: Stack) -> Result<Self> {
        let ends = stack.connected()?;
        Ok(Self { stack, ends })
    }

    pub(crate) fn udp(mut stack: Stack) -> Result<Self> {
        let ends = stack.datagrams()?;
        Ok(Self { stack, ends })
    }

    pub(crate) fn turn(&mut self) -> f64 {
        let mut buf = [0; 64];
        let ways = [
            (Side::Client, self.ends.0, Side::Server, self.ends.1),
            (Side::Server, self.ends.1, Side::Client, self.ends.0),
        ];
        for _ in 0..TRIPS {
            for (from, sender, to, receiver) in ways {
                assert_eq!(self.stack.send(from, sender, b"x"), Ok(1), "a byte goes");
                self.stack.exchange();
                assert_eq!(self.stack.recv(to, receiver, &mut buf), Ok(1), "a byte comes");
            }
            self.stack.pass(STEP);
        }
        f64::from(TRIPS)
    }
}

fn smol_tcp(smol: &mut Smol, (client, server): (SocketHandle, SocketHandle)) -> f64 {
    let mut buf = [0; 64];
    for _ in 0..TRIPS {
        assert_eq!(smol.client.tcp(client).send_slice(b"x"), Ok(1), "a byte goes");
        smol.exchange();
        assert_eq!(smol.server.tcp(server).recv_slice(&mut buf), Ok(1), "a byte comes");
        assert_eq!(smol.server.tcp(server).send_slice(b"x"), Ok(1), "a byte goes");
        smol.exchange();
        assert_eq!(smol.client.tcp(client).recv_slice(&mut buf), Ok(1), "a byte comes");
        smol.now += SMOL_STEP;
    }
    f64::from(TRIPS)
}

fn smol_udp(smol: &mut Smol, (client, server): (SocketHandle, SocketHandle)) -> f64 {
    let mut buf = [0; 64];
    for _ in 0..TRIPS {
        smol.client.udp(client).send_slice(b"x", SERVER).expect("a byte goes");
        smol.exchange();
        let (_, from) = smol.server.udp(server).recv_slice(&mut buf).expect("a byte comes");
        smol.server.udp(server).send_slice(b"x", from.endpoint).expect("a byte goes");
        smol.exchange();
        smol.client.udp(client).recv_slice(&mut buf).expect("a byte comes");
        smol.now += SMOL_STEP;
    }
    f64::from(TRIPS)
}

fn kernel_datagrams() -> Result<(UdpSocket, UdpSocket)> {
    let (client, server) = (UdpSocket::bind("127.0.0.1:0")?, UdpSocket::bind("127.0.0.1:0")?);
    client.connect(server.local_addr()?)?;
    server.connect(client.local_addr()?)?;
    Ok((client, server))
}

/// Round trips, or datagrams, of a turn.
const TRIPS: u32 = 128;
/// Datagrams that are sent before any is moved.
const BATCH: usize = 64;
const SMOL_BUFFER: usize = 64 << 10;
const SERVER: IpEndpoint = IpEndpoint { addr: IpAddress::v4(10, 0, 0, 2), port: 53 };
const STEP: Duration = Duration::from_micros(1);
const SMOL_STEP: smoltcp::time::Duration = smoltcp::time::Duration::from_micros(1);
