//! `std::net::TcpStream` of a lab.

use super::{Kind, Net, Socket, ToSocketAddrs, each};
use crate::running::wait::Way;
use sockeye_core::Errno;
use sockeye_core::host::Host;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

/// A TCP connection, as [`std::net::TcpStream`].
pub struct TcpStream {
    pub(crate) socket: Socket,
}

impl TcpStream {
    /// Connects from the host of `net`; each address is tried in turn.
    ///
    /// # Errors
    /// As std's: `ConnectionRefused`, `TimedOut`, `NetworkUnreachable`, ...; `NotFound` for a name the lab lacks.
    pub fn connect<A: ToSocketAddrs>(net: &Net, addr: A) -> io::Result<Self> {
        each(net, addr, |addr| {
            let socket = Socket::for_addr(net, addr, Kind::Stream)?;
            socket.connect(addr)?;
            Ok(Self { socket })
        })
    }

    /// Connects, waiting at most `timeout`.
    ///
    /// # Errors
    /// `TimedOut`, `InvalidInput` for a zero timeout, and those of [`TcpStream::connect`].
    pub fn connect_timeout(net: &Net, addr: &SocketAddr, timeout: Duration) -> io::Result<Self> {
        let socket = Socket::for_addr(net, *addr, Kind::Stream)?;
        socket.connect_timeout(*addr, timeout)?;
        Ok(Self { socket })
    }

    /// The peer's address. `ENOTCONN` when there is none any more.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// This end's address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Shuts one direction or both. `ENOTCONN` when it is not connected.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket.shutdown(how)
    }

    /// Another handle of the same connection.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()? })
    }

    /// How long a read waits; None is forever. `InvalidInput` for zero. Rounded up to a tick of 4 ms, as on Linux.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(dur)
    }

    /// How long a write waits; None is forever. `InvalidInput` for zero. Rounded up to a tick of 4 ms, as on Linux.
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(dur)
    }

    /// See [`TcpStream::set_read_timeout`].
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.read_timeout()
    }

    /// See [`TcpStream::set_write_timeout`].
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.write_timeout()
    }

    /// Reads without taking.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.block(Way::Read, None, |host, id, now| host.recv(id, buf, true, now))
    }

    /// `SO_LINGER`, in whole seconds. Zero makes the end a reset; a longer time does not make the last drop wait.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.socket.set_linger(linger)
    }

    /// `SO_LINGER`.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket.linger()
    }

    /// `TCP_NODELAY`.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.set_tcp_nodelay(nodelay)
    }

    /// `TCP_NODELAY`.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.tcp_nodelay()
    }

    /// `IP_TTL`, 1 to 255.
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

    /// Whether calls that would wait answer `WouldBlock` instead.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }
}

impl Socket {
    /// recv(2): waits for the first byte; 0 is the end.
    ///
    /// # Errors
    /// `EAGAIN`, `ECONNRESET`, `ENOTCONN`, ...
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.block(Way::Read, None, |host, id, now| host.recv(id, buf, false, now))
    }

    /// send(2): waits for room for the first byte.
    ///
    /// # Errors
    /// `EAGAIN`, `EPIPE`, `ECONNRESET`, ...
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.block(Way::Write, None, |host, id, now| host.send(id, buf, now))
    }
}

/// Several buffers in one call: what was moved before one of them would wait, or failed, counts.
pub(crate) fn vectored<B>(
    bufs: impl Iterator<Item = B>,
    len: impl Fn(&B) -> usize,
    mut one: impl FnMut(B) -> Result<usize, Errno>,
) -> Result<usize, Errno> {
    let mut total = 0;
    for buf in bufs {
        let room = len(&buf);
        if room == 0 {
            continue;
        }
        match one(buf) {
            Ok(n) if n == room => total += n,
            Ok(n) => return Ok(total + n),
            Err(_) if total > 0 => break,
            Err(errno) => return Err(errno),
        }
    }
    Ok(total)
}

impl Read for &TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket.block(Way::Read, None, |host: &mut Host, id, now| {
            vectored(bufs.iter_mut(), |buf| buf.len(), |buf| host.recv(id, buf, false, now))
        })
    }
}

impl Write for &TcpStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.block(Way::Write, None, |host: &mut Host, id, now| {
            vectored(bufs.iter(), |buf| buf.len(), |buf| host.send(id, buf, now))
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Read for TcpStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }
}

impl Write for TcpStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

super::options::socket_type!(TcpStream);
