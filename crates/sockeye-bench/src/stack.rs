//! Sockeye's side in process: two hosts and the packets moved between them, or one host that talks to itself.
//!
//! Two hosts are joined by an interface each; what one transmits is delivered to the other as it is, with headers and
//! checksums made and checked. One host hands its own segments over without either, which is what offloads give to
//! others. Events are taken as an owner would take them, and timers run when they are due. Time is simulated.

use anyhow::{Result, anyhow, ensure};
use sockeye_core::host::{Domain, IfIndex, InterfaceConfig, Kind};
use sockeye_core::{Errno, Host, HostConfig, Instant, Packet, SocketId};
use std::net::SocketAddr;
use std::time::Duration;

/// The interface that joins the two.
const ETH: IfIndex = IfIndex(2);
/// Packets of one host before the other has its turn, as in a lab.
const BURST_PACKETS: usize = 256;

/// The client's host and the server's, which may be the same.
pub(crate) struct Stack {
    pub(crate) now: Instant,
    hosts: Vec<Host>,
    server_ip: &'static str,
    outbox: Vec<(IfIndex, Packet)>,
    /// Packets that went over.
    pub(crate) carried: u64,
}

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Side {
    Client,
    Server,
}

impl Stack {
    /// Two hosts whose packets have at most so many bytes.
    pub(crate) fn two(mtu: u32, seed: u64) -> Self {
        let host = |net: &str, seed| {
            let net = net.parse().expect("a network");
            let eth = InterfaceConfig { mtu, ..InterfaceConfig::new("eth0", vec![net]) };
            Host::new(HostConfig { interfaces: vec![eth], ..HostConfig::default() }, seed)
        };
        Self::of(vec![host("10.0.0.1/24", seed), host("10.0.0.2/24", seed + 1)], "10.0.0.2")
    }

    /// One host.
    pub(crate) fn one(seed: u64) -> Self {
        Self::of(vec![Host::new(HostConfig::default(), seed)], "127.0.0.1")
    }

    fn of(hosts: Vec<Host>, server_ip: &'static str) -> Self {
        Self { now: Instant::from_millis(1000), hosts, server_ip, outbox: Vec::new(), carried: 0 }
    }

    pub(crate) fn host(&mut self, side: Side) -> &mut Host {
        let last = self.hosts.len() - 1;
        &mut self.hosts[if side == Side::Client { 0 } else { last }]
    }

    /// The server's name.
    pub(crate) fn server(&self, port: u16) -> SocketAddr {
        SocketAddr::new(self.server_ip.parse().expect("an address"), port)
    }

    /// Lets time pass and runs what is due.
    pub(crate) fn pass(&mut self, time: Duration) {
        self.now += time;
        for host in &mut self.hosts {
            if host.next_deadline().is_some_and(|at| at <= self.now) {
                host.advance(self.now);
            }
        }
    }

    /// Moves packets until nobody has any.
    pub(crate) fn exchange(&mut self) {
        loop {
            let mut moved = false;
            for from in 0..self.hosts.len() {
                moved |= self.hosts[from].transmit(self.now, BURST_PACKETS, &mut self.outbox);
                moved |= !self.outbox.is_empty();
                let to = self.hosts.len() - 1 - from;
                self.carried += self.outbox.len() as u64;
                for (_, packet) in self.outbox.drain(..) {
                    self.hosts[to].deliver(ETH, packet, self.now);
                }
            }
            if !moved {
                break;
            }
        }
        for host in &mut self.hosts {
            while host.next_event().is_some() {}
        }
    }

    /// A listener of the server.
    pub(crate) fn listen(&mut self, port: u16) -> Result<SocketId> {
        let name = self.server(port);
        let host = self.host(Side::Server);
        let listener = host.socket(Domain::Inet, Kind::Stream, 0).map_err(wrong)?;
        host.bind(listener, name).map_err(wrong)?;
        host.listen(listener, 1024).map_err(wrong)?;
        Ok(listener)
    }

    /// A connection to a listener at `port`: the client's end and the server's.
    pub(crate) fn connect(&mut self, listener: SocketId, port: u16) -> Result<(SocketId, SocketId)> {
        let (name, now) = (self.server(port), self.now);
        let client = self.host(Side::Client).socket(Domain::Inet, Kind::Stream, 0).map_err(wrong)?;
        let begun = self.host(Side::Client).connect(client, name, now);
        ensure!(begun == Err(Errno::EINPROGRESS), "connect said {begun:?}");
        self.exchange();
        self.host(Side::Client).connect(client, name, now).map_err(wrong)?;
        Ok((client, self.host(Side::Server).accept(listener).map_err(wrong)?))
    }

    /// A connection of a listener of its own, without Nagle's algorithm.
    pub(crate) fn connected(&mut self) -> Result<(SocketId, SocketId)> {
        let listener = self.listen(80)?;
        let (client, server) = self.connect(listener, 80)?;
        self.set_option(client, server, (IPPROTO_TCP, TCP_NODELAY), &1_i32.to_ne_bytes())?;
        Ok((client, server))
    }

    /// Sets an option of both ends.
    pub(crate) fn set_option(
        &mut self,
        client: SocketId,
        server: SocketId,
        name: (i32, i32),
        value: &[u8],
    ) -> Result<()> {
        let now = self.now;
        for (side, id) in [(Side::Client, client), (Side::Server, server)] {
            self.host(side).setsockopt(id, name.0, name.1, value, now).map_err(wrong)?;
        }
        Ok(())
    }

    /// Two datagram sockets, each connected to the other.
    pub(crate) fn datagrams(&mut self) -> Result<(SocketId, SocketId)> {
        let name = self.server(53);
        let now = self.now;
        let server = self.host(Side::Server).socket(Domain::Inet, Kind::Datagram, 0).map_err(wrong)?;
        self.host(Side::Server).bind(server, name).map_err(wrong)?;
        let client = self.host(Side::Client).socket(Domain::Inet, Kind::Datagram, 0).map_err(wrong)?;
        self.host(Side::Client).connect(client, name, now).map_err(wrong)?;
        let back = self.host(Side::Client).local_addr(client).map_err(wrong)?;
        self.host(Side::Server).connect(server, back, now).map_err(wrong)?;
        Ok((client, server))
    }

    pub(crate) fn send(&mut self, side: Side, id: SocketId, data: &[u8]) -> Result<usize, Errno> {
        let now = self.now;
        self.host(side).send(id, data, now)
    }

    pub(crate) fn recv(&mut self, side: Side, id: SocketId, buf: &mut [u8]) -> Result<usize, Errno> {
        let now = self.now;
        self.host(side).recv(id, buf, false, now)
    }
}

/// An errno as an error of the benchmark.
pub(crate) fn wrong(errno: Errno) -> anyhow::Error {
    anyhow!("{errno:?}")
}

pub(crate) const IPPROTO_TCP: i32 = 6;
pub(crate) const TCP_CONGESTION: i32 = 13;
const TCP_NODELAY: i32 = 1;
