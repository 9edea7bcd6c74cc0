//! `std::net::TcpListener` of a lab.

use super::{Kind, Net, Socket, TcpStream, ToSocketAddrs, each};
use std::io;
use std::iter::FusedIterator;
use std::net::SocketAddr;

/// A TCP socket that listens, as [`std::net::TcpListener`].
pub struct TcpListener {
    pub(crate) socket: Socket,
}

/// The connections of a listener, without end; see [`TcpListener::incoming`].
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl TcpListener {
    /// Listens on the host of `net`; the first address that can be bound is taken. Port 0 is any free one, ports below
    /// 1024 are free to everyone.
    ///
    /// # Errors
    /// As std's: `AddrInUse`, `AddrNotAvailable`; `NotFound` for a name the lab lacks.
    pub fn bind<A: ToSocketAddrs>(net: &Net, addr: A) -> io::Result<Self> {
        each(net, addr, |addr| {
            let socket = Socket::for_addr(net, addr, Kind::Stream)?;
            // std sets it on Unix, so that a server can start again at once.
            socket.set_reuse_address(true)?;
            socket.bind(addr)?;
            socket.listen(BACKLOG)?;
            Ok(Self { socket })
        })
    }

    /// Its address; the port that was picked, where 0 was asked for.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Another handle of the same socket.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()? })
    }

    /// Waits for a connection.
    ///
    /// # Errors
    /// `WouldBlock` where it may not wait, or `SO_RCVTIMEO` is over.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, addr) = self.socket.accept()?;
        Ok((TcpStream { socket }, addr))
    }

    /// An iterator over connections, which never ends.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// `IP_TTL` of its connections.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }

    /// `IP_TTL`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.ttl()
    }

    /// `SO_ERROR`: the pending error, once.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    /// Whether `accept` answers `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedIterator for Incoming<'_> {}

super::options::socket_type!(TcpListener);

/// What std asks for.
pub(crate) const BACKLOG: i32 = 128;
