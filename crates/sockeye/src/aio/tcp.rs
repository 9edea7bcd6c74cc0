//! `tokio::net::TcpListener` of a lab.

use super::TcpStream;
use crate::net::{self, Net, ToSocketAddrs};
use crate::net::{accept_one, socket_type};
use crate::running::wait::Way;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

/// A TCP socket that listens, for tasks.
pub struct TcpListener {
    pub(crate) socket: net::Socket,
}

impl TcpListener {
    /// Listens on the host of `net`; see [`net::TcpListener::bind`].
    ///
    /// # Errors
    /// The same.
    pub async fn bind<A: ToSocketAddrs>(net: &Net, addr: A) -> io::Result<Self> {
        net::TcpListener::bind(net, addr).map(Self::from)
    }

    /// Waits for a connection. Cancel safe: a connection is taken only when it is given.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (id, peer) = self.socket.answer(Way::Read, accept_one).await?;
        Ok((TcpStream { socket: self.socket.adopt(id) }, peer))
    }

    /// As [`TcpListener::accept`]; the last task that polled is woken.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let answer = self.socket.poll_call(Way::Read, cx, accept_one);
        answer.map_ok(|(id, peer)| (TcpStream { socket: self.socket.adopt(id) }, peer))
    }

    /// The same socket for tasks.
    pub fn from_std(listener: net::TcpListener) -> io::Result<Self> {
        Ok(Self::from(listener))
    }

    /// The same socket for threads.
    pub fn into_std(self) -> io::Result<net::TcpListener> {
        Ok(net::TcpListener { socket: self.socket })
    }

    /// Its address; the port that was picked, where 0 was asked for.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// `IP_TTL`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.ttl()
    }

    /// `IP_TTL` of its connections.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }
}

impl From<net::TcpListener> for TcpListener {
    fn from(listener: net::TcpListener) -> Self {
        Self { socket: listener.socket }
    }
}

socket_type!(TcpListener);
