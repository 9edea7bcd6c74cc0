//! The nameserver inside a host: port 53 of whatever address a program asks.
//!
//! Two datagram sockets and two listeners of the host itself take what is sent to port 53 and no socket of a
//! program serves; the answers come from `sockeye::names`.

use crate::server::Server;
use sockeye::names::Resolver;
use sockeye_core::host::{Domain, Kind, SendControl, SocketId};
use sockeye_core::{Errno, Payload};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const PORT: u16 = 53;
/// Pending connections of either family, and longest question over TCP, in bytes.
const BACKLOG: i32 = 128;
const QUESTION_MAX: usize = 65_535;

/// The nameserver's sockets.
#[derive(Debug)]
pub(crate) struct Service {
    resolver: Resolver,
    datagrams: Vec<SocketId>,
    listeners: Vec<SocketId>,
    /// What each connection has asked so far.
    connections: HashMap<SocketId, Vec<u8>, foldhash::fast::RandomState>,
}

impl Service {
    pub(crate) fn new(resolver: Resolver) -> Self {
        Self { resolver, datagrams: vec![], listeners: vec![], connections: HashMap::default() }
    }
}

impl Server {
    pub(crate) fn start_resolver(&mut self) -> Result<(), Errno> {
        let families: [(Domain, IpAddr); 2] =
            [(Domain::Inet, Ipv4Addr::UNSPECIFIED.into()), (Domain::Inet6, Ipv6Addr::UNSPECIFIED.into())];
        for (domain, any) in families {
            let udp = self.resolver_socket(domain, Kind::Datagram, any)?;
            self.resolver.datagrams.push(udp);
            let tcp = self.resolver_socket(domain, Kind::Stream, any)?;
            self.host().listen(tcp, BACKLOG)?;
            self.host().intercept(tcp)?;
            self.resolver.listeners.push(tcp);
        }
        Ok(())
    }

    fn resolver_socket(&mut self, domain: Domain, kind: Kind, any: IpAddr) -> Result<SocketId, Errno> {
        let now = self.now;
        let host = self.host();
        let id = host.socket(domain, kind, 0)?;
        if domain == Domain::Inet6 {
            host.setsockopt(id, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, &1i32.to_ne_bytes(), now)?;
        }
        host.bind(id, SocketAddr::new(any, PORT))?;
        if kind == Kind::Datagram {
            host.intercept(id)?;
        }
        Ok(id)
    }

    /// Whether a socket is the nameserver's own: no program has it.
    pub(crate) fn is_resolver(&self, id: SocketId) -> bool {
        let service = &self.resolver;
        service.datagrams.contains(&id)
            || service.listeners.contains(&id)
            || service.connections.contains_key(&id)
    }

    pub(crate) fn resolver_ready(&mut self, id: SocketId) -> bool {
        if self.resolver.datagrams.contains(&id) {
            self.answer_datagrams(id);
            return true;
        }
        if self.resolver.connections.contains_key(&id) {
            self.answer_stream(id);
            return true;
        }
        self.resolver.listeners.contains(&id)
    }

    pub(crate) fn resolver_arrived(&mut self, listener: SocketId, child: SocketId) -> bool {
        if !self.resolver.listeners.contains(&listener) {
            return false;
        }
        while let Ok(accepted) = self.host().accept(listener) {
            self.resolver.connections.insert(accepted, vec![]);
            self.answer_stream(accepted);
        }
        let _ = child;
        true
    }

    fn answer_datagrams(&mut self, id: SocketId) {
        let now = self.now;
        while let Ok(question) = self.host().recv_from(id, false, now) {
            if let Some(answer) = self.resolver.resolver.answer(&question.payload.to_vec()) {
                let control = SendControl { source: Some(question.to), ..SendControl::default() };
                let payload = Payload::from(bytes::Bytes::from(answer));
                let _ = self.host().send_to(id, payload, Some(question.from), &control, now);
            }
        }
    }

    fn answer_stream(&mut self, id: SocketId) {
        let now = self.now;
        let mut buffer = [0; 2048];
        loop {
            match self.host().recv(id, &mut buffer, false, now) {
                Ok(n) if n > 0 => {
                    let Some(asked) = self.resolver.connections.get_mut(&id) else { return };
                    asked.extend(&buffer[..n]);
                }
                Err(Errno::EAGAIN) => break,
                _ => {
                    self.resolver.connections.remove(&id);
                    self.host().close(id, now);
                    return;
                }
            }
        }
        while let Some(question) = self.next_question(id) {
            if let Some(answer) = self.resolver.resolver.answer(&question) {
                let framed = [&(answer.len() as u16).to_be_bytes()[..], &answer].concat();
                let _ = self.host().send(id, &framed, now);
            }
        }
    }

    /// One question out of what a connection has sent: two bytes of length, then the message (RFC 1035, 4.2.2).
    fn next_question(&mut self, id: SocketId) -> Option<Vec<u8>> {
        let asked = self.resolver.connections.get_mut(&id)?;
        let len = usize::from(u16::from_be_bytes([*asked.first()?, *asked.get(1)?])).min(QUESTION_MAX);
        (asked.len() >= 2 + len).then(|| asked.drain(..2 + len).skip(2).collect())
    }
}
