//! Hosts in simulated time, for the protocol tests: a clock, and packets carried at once between them.
#![allow(dead_code, unreachable_pub)]

use sockeye_core::host::{
    Domain, Event, Host, HostConfig, IfIndex, InterfaceConfig, Kind, RouteConfig, SocketId,
};
use sockeye_core::{Errno, Instant, Packet};
use std::net::SocketAddr;

/// One host, or two joined by their `eth0`.
pub struct World {
    pub now: Instant,
    pub hosts: Vec<Host>,
    /// How many packets crossed the link.
    pub carried: usize,
    /// Drops the nth packets on the link.
    pub lose: Vec<usize>,
}

impl World {
    pub fn one() -> Self {
        Self::of(vec![HostConfig::default()])
    }

    pub fn of(configs: Vec<HostConfig>) -> Self {
        let hosts = configs.into_iter().zip(7..).map(|(config, seed)| Host::new(config, seed)).collect();
        Self { now: Instant::from_millis(1000), hosts, carried: 0, lose: Vec::new() }
    }

    pub fn two() -> Self {
        Self::of(vec![eth("a", &["10.0.0.1/24", "fd00::1/64"]), eth("b", &["10.0.0.2/24", "fd00::2/64"])])
    }

    pub fn host(&mut self) -> &mut Host {
        &mut self.hosts[0]
    }

    /// Carries packets until nobody has any; time stands still.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut moved = false;
            for from in 0..self.hosts.len() {
                let mut out = Vec::new();
                moved |= self.hosts[from].transmit(self.now, 64, &mut out);
                for (_, packet) in out {
                    moved = true;
                    self.carry(from, packet);
                }
            }
            if !moved {
                return;
            }
        }
        panic!("the hosts never come to rest");
    }

    fn carry(&mut self, from: usize, packet: Packet) {
        self.carried += 1;
        if self.lose.contains(&self.carried) || self.hosts.len() == 1 {
            return;
        }
        let mut bytes = Vec::new();
        packet.write_to(&mut bytes);
        self.hosts[1 - from].deliver(IfIndex(2), Packet::from_bytes(bytes.into()), self.now);
    }

    /// Lets time pass, timer by timer.
    pub fn pass(&mut self, ms: u64) {
        let end = Instant(self.now.0 + ms * 1_000_000);
        self.settle();
        while let Some(next) =
            self.hosts.iter_mut().filter_map(Host::next_deadline).min().filter(|at| *at <= end)
        {
            self.now = self.now.max(next);
            let now = self.now;
            self.hosts.iter_mut().for_each(|host| host.advance(now));
            self.settle();
        }
        self.now = end;
    }

    pub fn tcp(&mut self, host: usize, domain: Domain) -> SocketId {
        self.hosts[host].socket(domain, Kind::Stream, 0).unwrap()
    }

    pub fn udp(&mut self, host: usize, domain: Domain) -> SocketId {
        self.hosts[host].socket(domain, Kind::Datagram, 0).unwrap()
    }

    /// A listener at an address.
    pub fn listen(&mut self, host: usize, at: &str, backlog: i32) -> SocketId {
        let id = self.tcp(host, family(at));
        self.hosts[host].bind(id, addr(at)).unwrap();
        self.hosts[host].listen(id, backlog).unwrap();
        id
    }

    /// A connect under way.
    pub fn connect(&mut self, host: usize, to: &str) -> SocketId {
        let id = self.tcp(host, family(to));
        let now = self.now;
        assert_eq!(self.hosts[host].connect(id, addr(to), now), Err(Errno::EINPROGRESS));
        id
    }

    /// A connection, both ends.
    pub fn pair(&mut self, listener: SocketId, from: usize, at: usize, to: &str) -> (SocketId, SocketId) {
        let client = self.connect(from, to);
        self.settle();
        let now = self.now;
        assert_eq!(self.hosts[from].connect(client, addr(to), now), Ok(()));
        (client, self.hosts[at].accept(listener).unwrap())
    }

    pub fn bound_udp(&mut self, host: usize, at: &str) -> SocketId {
        let id = self.udp(host, family(at));
        self.hosts[host].bind(id, addr(at)).unwrap();
        id
    }

    pub fn recv(&mut self, host: usize, id: SocketId) -> Result<Vec<u8>, Errno> {
        let mut buf = vec![0; 1 << 16];
        let now = self.now;
        let n = self.hosts[host].recv(id, &mut buf, false, now)?;
        buf.truncate(n);
        Ok(buf)
    }

    pub fn events(&mut self, host: usize) -> Vec<Event> {
        std::iter::from_fn(|| self.hosts[host].next_event()).collect()
    }
}

pub fn eth(name: &str, nets: &[&str]) -> HostConfig {
    let nets = nets.iter().map(|net| net.parse().unwrap()).collect();
    HostConfig {
        name: name.into(),
        interfaces: vec![InterfaceConfig::new("eth0", nets)],
        routes: vec![
            RouteConfig {
                destination: "0.0.0.0/0".parse().unwrap(),
                gateway: None,
                interface: "eth0".into(),
            },
            RouteConfig { destination: "::/0".parse().unwrap(), gateway: None, interface: "eth0".into() },
        ],
        ..HostConfig::default()
    }
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn family(text: &str) -> Domain {
    if addr(text).is_ipv4() { Domain::Inet } else { Domain::Inet6 }
}
