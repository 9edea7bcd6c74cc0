//! Connections that open with data (RFC 7413): `MSG_FASTOPEN` and `TCP_FASTOPEN_CONNECT`.

use crate::errno::{Errno, Result};
use crate::host::{Host, SocketId};
use crate::socket::flow::FlowId;
use crate::socket::table::{Body, Phase, Role};
use crate::tcp::Limits;
use crate::time::Instant;
use core::net::SocketAddr;

impl Host {
    /// sendto(2) with `MSG_FASTOPEN`: connects, and sends with the SYN what may go with it; says how much that is.
    /// `waits` when the program will wait to write the rest.
    ///
    /// # Errors
    /// EINPROGRESS when nothing could go; EOPNOTSUPP where Fast Open is off ([`Limits::fast_open`]); as connect.
    pub fn send_opening(
        &mut self,
        id: SocketId,
        data: &[u8],
        to: Option<SocketAddr>,
        waits: bool,
        now: Instant,
    ) -> Result<usize> {
        let Body::Stream { role, .. } = &self.socket_ref(id)?.body else { return Err(Errno::EOPNOTSUPP) };
        if !self.engine.limits.allows(Limits::FAST_OPEN_CLIENT) {
            return Err(Errno::EOPNOTSUPP);
        }
        match role {
            Role::Listener(_) | Role::Connection { phase: Phase::Connected, .. } => Err(Errno::EISCONN),
            Role::Connection { flow, .. } => {
                let flow = *flow;
                if self.is_deferred(flow) {
                    return self.open_flow(flow, data, waits, now);
                }
                self.connect(id, to.ok_or(Errno::EALREADY)?, now)?;
                self.send(id, data, now)
            }
            Role::Idle => {
                let to = to.ok_or(Errno::EDESTADDRREQ)?;
                match self.connect_stream(id, to, now) {
                    Err(Errno::EINPROGRESS) => {}
                    other => return other.map(|()| 0),
                }
                let flow = self.sockets[id].flow().expect("a connection is under way");
                self.open_flow(flow, data, waits, now)
            }
        }
    }

    /// Whether a connect has returned although its SYN waits for data (`TCP_FASTOPEN_CONNECT`): the first write goes by
    /// [`Host::send_opening`].
    pub fn awaits_opening(&self, id: SocketId) -> bool {
        let flow = self.sockets.get(id).and_then(|socket| socket.flow());
        flow.is_some_and(|flow| self.is_deferred(flow))
    }

    /// `TCP_FASTOPEN_CONNECT`: a connect whose peer's cookie is known waits for data; another asks for a cookie.
    pub(super) fn connect_to_open(&mut self, id: SocketId, now: Instant) -> Result<()> {
        let flow = self.sockets[id].flow().expect("a connection is under way");
        let connection = self.flows[flow].connection().expect("a socket's flow is a connection");
        let wanted = connection.settings().fast_open_connect;
        if !wanted || !self.engine.limits.allows(Limits::FAST_OPEN_CLIENT) {
            return Err(Errno::EINPROGRESS);
        }
        let opening = self.opening_to(connection.remote().ip(), connection.settings());
        let connection = self.flows[flow].connection_mut().expect("a socket's flow is a connection");
        if opening.with_data {
            connection.defer();
            self.settle(flow, now);
            return Ok(());
        }
        connection.open(&opening, &[], &mut self.engine.ctx(now));
        self.settle(flow, now);
        Err(Errno::EINPROGRESS)
    }

    fn open_flow(&mut self, flow: FlowId, data: &[u8], waits: bool, now: Instant) -> Result<usize> {
        let connection = self.flows[flow].connection().expect("a socket's flow is a connection");
        let mut opening = self.opening_to(connection.remote().ip(), connection.settings());
        opening.writer_waits = waits;
        let connection = self.flows[flow].connection_mut().expect("a socket's flow is a connection");
        let sent = connection.open(&opening, data, &mut self.engine.ctx(now));
        self.settle(flow, now);
        if sent > 0 { Ok(sent) } else { Err(Errno::EINPROGRESS) }
    }

    fn is_deferred(&self, flow: FlowId) -> bool {
        self.flows[flow].connection().is_some_and(|connection| connection.is_deferred())
    }
}
