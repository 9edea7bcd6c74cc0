//! `tokio::net::TcpStream` of a lab.

use super::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::net::{self, Kind, Net, Socket, ToSocketAddrs, connect_or_wait, nothing, socket_type, vectored};
use crate::running::wait::Way;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::task::{Context, Poll};
use std::time::Duration;

/// A TCP connection, for tasks.
pub struct TcpStream {
    pub(crate) socket: Socket,
}

impl TcpStream {
    /// Connects from the host of `net`; each address is tried in turn. A future that is dropped gives the attempt up.
    ///
    /// # Errors
    /// As tokio's: `ConnectionRefused`, `TimedOut`, `NetworkUnreachable`, ...; `NotFound` for a name the lab lacks.
    pub async fn connect<A: ToSocketAddrs>(net: &Net, addr: A) -> io::Result<Self> {
        let addrs: Vec<SocketAddr> = addr.to_socket_addrs(net)?.collect();
        let mut error = nothing();
        for addr in addrs {
            match Self::connect_one(net, addr).await {
                Ok(stream) => return Ok(stream),
                Err(other) => error = other,
            }
        }
        Err(error)
    }

    async fn connect_one(net: &Net, addr: SocketAddr) -> io::Result<Self> {
        let socket = Socket::for_addr(net, addr, Kind::Stream)?;
        socket.answer(Way::Write, |host, id, now| connect_or_wait(host, id, addr, now)).await?;
        Ok(Self { socket })
    }

    /// The same connection for tasks.
    pub fn from_std(stream: net::TcpStream) -> io::Result<Self> {
        Ok(Self { socket: stream.socket })
    }

    /// The same connection for threads.
    pub fn into_std(self) -> io::Result<net::TcpStream> {
        Ok(net::TcpStream { socket: self.socket })
    }

    /// Waits for bytes and takes what fits; 0 is the end. Cancel safe.
    pub async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_some(buf).await
    }

    /// Takes exactly so many bytes as the buffer has. Not cancel safe: some may have been taken.
    ///
    /// # Errors
    /// `UnexpectedEof` where the stream ends before.
    pub async fn read_exact(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.read_exactly(buf).await
    }

    /// Takes everything up to the end. Not cancel safe.
    pub async fn read_to_end(&self, out: &mut Vec<u8>) -> io::Result<usize> {
        self.socket.read_all(out).await
    }

    /// Waits for room and sends what fits. Cancel safe.
    pub async fn write(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.write_some(buf).await
    }

    /// Sends all of it. Not cancel safe: some may have been sent.
    pub async fn write_all(&self, buf: &[u8]) -> io::Result<()> {
        self.socket.write_whole(buf).await
    }

    /// Shuts one direction or both, at once. (`AsyncWriteExt::shutdown` shuts sending.)
    pub fn shut(&self, how: Shutdown) -> io::Result<()> {
        self.socket.shutdown(how)
    }

    /// Reads without taking.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.answer(Way::Read, |host, id, now| host.recv(id, buf, true, now)).await
    }

    /// Waits until a read would not. Cancel safe.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.until_readable().await
    }

    /// Waits until a write would not. Cancel safe.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.until_writable().await
    }

    /// As [`TcpStream::readable`]; the last task that polled for reading is woken.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_readable(cx)
    }

    /// As [`TcpStream::writable`]; the last task that polled for writing is woken.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_writable(cx)
    }

    /// Reads what is there. `WouldBlock` where nothing is.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.call(|host, id, now| host.recv(id, buf, false, now))
    }

    /// Reads what is there into several buffers. `WouldBlock` where nothing is.
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.call(|host, id, now| {
            vectored(bufs.iter_mut(), |buf| buf.len(), |buf| host.recv(id, buf, false, now))
        })
    }

    /// Sends what fits. `WouldBlock` where nothing does.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.call(|host, id, now| host.send(id, buf, now))
    }

    /// Sends what fits of several buffers. `WouldBlock` where nothing does.
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket
            .call(|host, id, now| vectored(bufs.iter(), |buf| buf.len(), |buf| host.send(id, buf, now)))
    }

    /// The peer's address.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// This end's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// `SO_ERROR`: the pending error, once.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    /// `TCP_NODELAY`.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.tcp_nodelay()
    }

    /// `TCP_NODELAY`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.set_tcp_nodelay(nodelay)
    }

    /// `TCP_QUICKACK`.
    pub fn quickack(&self) -> io::Result<bool> {
        self.socket.tcp_quickack()
    }

    /// `TCP_QUICKACK`.
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        self.socket.set_tcp_quickack(quickack)
    }

    /// `SO_LINGER`, in whole seconds.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket.linger()
    }

    /// `SO_LINGER`, in whole seconds.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.socket.set_linger(linger)
    }

    /// `SO_LINGER` of zero: the end will be a reset.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.socket.set_linger(Some(Duration::ZERO))
    }

    /// `IP_TTL`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.ttl()
    }

    /// `IP_TTL`, 1 to 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }

    /// Two halves that borrow the stream.
    pub fn split(&mut self) -> (ReadHalf<'_>, WriteHalf<'_>) {
        split::borrowed(self)
    }

    /// Two halves that can go to different tasks; when the writing one is dropped, sending is shut.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        split::owned(self)
    }
}

impl From<net::TcpStream> for TcpStream {
    fn from(stream: net::TcpStream) -> Self {
        Self { socket: stream.socket }
    }
}

socket_type!(TcpStream);
