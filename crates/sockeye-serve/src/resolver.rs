//! The nameserver inside a host: port 53 of whatever address a program asks.
//!
//! A datagram socket and a listener of the host itself, both dual-stack, take what is sent to port 53 and no socket of a
//! program serves; the answers come from `sockeye::names`.

use crate::server::Server;
use sockeye::names::Resolver;
use sockeye_core::host::{Domain, Kind, SendControl, SocketId};
use sockeye_core::{Errno, Payload};
use std::collections::HashMap;
use std::net::{Ipv6Addr, SocketAddr};

const PORT: u16 = 53;
/// Pending connections, and longest question over TCP, in bytes.
const BACKLOG: i32 = 128;
const QUESTION_MAX: usize = 65_535;

/// The nameserver's sockets.
#[derive(Debug)]
pub(crate) struct Service {
    resolver: Resolver,
    datagrams: Option<SocketId>,
    listener: Option<SocketId>,
    /// What each connection has asked so far.
    connections: HashMap<SocketId, Vec<u8>, foldhash::fast::RandomState>,
}

impl Service {
    pub(crate) fn new(resolver: Resolver) -> Self {
        Self { resolver, datagrams: None, listener: None, connections: HashMap::default() }
    }
}

impl Server {
    pub(crate) fn start_resolver(&mut self) -> Result<(), Errno> {
        let udp = self.resolver_socket(Kind::Datagram)?;
        self.host().intercept(udp)?;
        self.resolver.datagrams = Some(udp);
        let tcp = self.resolver_socket(Kind::Stream)?;
        self.host().listen(tcp, BACKLOG)?;
        self.host().intercept(tcp)?;
        self.resolver.listener = Some(tcp);
        Ok(())
    }

    /// A dual-stack socket on the port: it hears both families.
    fn resolver_socket(&mut self, kind: Kind) -> Result<SocketId, Errno> {
        let host = self.host();
        let id = host.socket(Domain::Inet6, kind, 0)?;
        host.bind(id, SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), PORT))?;
        Ok(id)
    }

    /// Whether a socket is the nameserver's own: no program has it.
    pub(crate) fn is_resolver(&self, id: SocketId) -> bool {
        let service = &self.resolver;
        service.datagrams == Some(id) || service.listener == Some(id) || service.connections.contains_key(&id)
    }

    pub(crate) fn resolver_ready(&mut self, id: SocketId) -> bool {
        if self.resolver.datagrams == Some(id) {
            self.answer_datagrams(id);
            return true;
        }
        if self.resolver.connections.contains_key(&id) {
            self.answer_stream(id);
            return true;
        }
        self.resolver.listener == Some(id)
    }

    pub(crate) fn resolver_arrived(&mut self, listener: SocketId, child: SocketId) -> bool {
        if self.resolver.listener != Some(listener) {
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
