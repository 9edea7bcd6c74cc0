//! `std::net::UdpSocket` of a lab.

use super::{Kind, Net, Socket, ToSocketAddrs, each};
use crate::running::wait::Way;
use bytes::Bytes;
use sockeye_core::host::{Host, SendControl};
use sockeye_core::{Errno, Instant, Payload, SocketId};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A UDP socket, as [`std::net::UdpSocket`].
pub struct UdpSocket {
    pub(crate) socket: Socket,
}

/// recvfrom(2): what does not fit into `buf` is lost.
pub(crate) fn receive(
    host: &mut Host,
    id: SocketId,
    buf: &mut [u8],
    peek: bool,
    now: Instant,
) -> Result<(usize, SocketAddr), Errno> {
    let datagram = host.recv_from(id, peek, now)?;
    let mut len = 0;
    for slice in datagram.payload.slices() {
        let n = slice.len().min(buf.len() - len);
        buf[len..len + n].copy_from_slice(&slice[..n]);
        len += n;
    }
    Ok((len, datagram.from))
}

/// sendto(2).
pub(crate) fn send(
    host: &mut Host,
    id: SocketId,
    buf: &[u8],
    to: Option<SocketAddr>,
    now: Instant,
) -> Result<usize, Errno> {
    let payload = Payload::from(Bytes::copy_from_slice(buf));
    host.send_to(id, payload, to, &SendControl::default(), now)
}

impl Socket {
    /// recvfrom(2) of a datagram: its length, cut to the buffer, and who sent it.
    ///
    /// # Errors
    /// `EAGAIN`; the pending error, once; `ENOTCONN` on a stream.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.block(Way::Read, None, |host, id, now| receive(host, id, buf, false, now))
    }

    /// As [`Socket::recv_from`], and the datagram stays.
    ///
    /// # Errors
    /// The same.
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.block(Way::Read, None, |host, id, now| receive(host, id, buf, true, now))
    }

    /// sendto(2) of a datagram.
    ///
    /// # Errors
    /// `EMSGSIZE`, `ENETUNREACH`, `EACCES` for a broadcast that was not allowed, the pending error, once.
    pub fn send_to(&self, buf: &[u8], addr: SocketAddr) -> io::Result<usize> {
        self.block(Way::Write, None, |host, id, now| send(host, id, buf, Some(addr), now))
    }
}

impl UdpSocket {
    /// A socket of the host of `net`, bound to the first address that can be bound. Port 0 is any free one.
    ///
    /// # Errors
    /// As std's: `AddrInUse`, `AddrNotAvailable`; `NotFound` for a name the lab lacks.
    pub fn bind<A: ToSocketAddrs>(net: &Net, addr: A) -> io::Result<Self> {
        each(net, addr, |addr| {
            let socket = Socket::for_addr(net, addr, Kind::Datagram)?;
            socket.bind(addr)?;
            Ok(Self { socket })
        })
    }

    /// Waits for a datagram: its length, cut to the buffer, and who sent it.
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buf)
    }

    /// As [`UdpSocket::recv_from`], and the datagram stays.
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.peek_from(buf)
    }

    /// Sends a datagram to the first of the addresses.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let addr = addr.to_socket_addrs(self.socket.net())?.next().ok_or_else(super::nothing)?;
        self.socket.send_to(buf, addr)
    }

    /// The peer that `connect` named. `ENOTCONN` without one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Its address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Another handle of the same socket.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { socket: self.socket.try_clone()? })
    }

    /// How long a receive waits; None is forever. `InvalidInput` for zero.
    pub fn set_read_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(dur)
    }

    /// How long a send waits; None is forever. `InvalidInput` for zero.
    pub fn set_write_timeout(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(dur)
    }

    /// See [`UdpSocket::set_read_timeout`].
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.read_timeout()
    }

    /// See [`UdpSocket::set_write_timeout`].
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.write_timeout()
    }

    /// `SO_BROADCAST`.
    pub fn set_broadcast(&self, broadcast: bool) -> io::Result<()> {
        self.socket.set_broadcast(broadcast)
    }

    /// `SO_BROADCAST`.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.socket.broadcast()
    }

    /// `IP_MULTICAST_LOOP`.
    pub fn set_multicast_loop_v4(&self, multicast_loop_v4: bool) -> io::Result<()> {
        self.socket.set_multicast_loop_v4(multicast_loop_v4)
    }

    /// `IP_MULTICAST_LOOP`.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.socket.multicast_loop_v4()
    }

    /// `IP_MULTICAST_TTL`.
    pub fn set_multicast_ttl_v4(&self, multicast_ttl_v4: u32) -> io::Result<()> {
        self.socket.set_multicast_ttl_v4(multicast_ttl_v4)
    }

    /// `IP_MULTICAST_TTL`.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.socket.multicast_ttl_v4()
    }

    /// `IPV6_MULTICAST_LOOP`.
    pub fn set_multicast_loop_v6(&self, multicast_loop_v6: bool) -> io::Result<()> {
        self.socket.set_multicast_loop_v6(multicast_loop_v6)
    }

    /// `IPV6_MULTICAST_LOOP`.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.socket.multicast_loop_v6()
    }

    /// `IP_TTL`, 1 to 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }

    /// `IP_TTL`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.ttl()
    }

    /// `IP_ADD_MEMBERSHIP`, by the interface with that address; unspecified is the one that the host chooses.
    pub fn join_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.socket.join_multicast_v4(multiaddr, interface)
    }

    /// `IPV6_ADD_MEMBERSHIP`, by the interface of that index.
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.join_multicast_v6(multiaddr, interface)
    }

    /// `IP_DROP_MEMBERSHIP`.
    pub fn leave_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.socket.leave_multicast_v4(multiaddr, interface)
    }

    /// `IPV6_DROP_MEMBERSHIP`.
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.leave_multicast_v6(multiaddr, interface)
    }

    /// `SO_ERROR`: the pending error, once.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    /// Names the peer of `send` and `recv`; the first address that has a route is taken.
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each(self.socket.net(), addr, |addr| self.socket.connect(addr))
    }

    /// Sends to the peer. `EDESTADDRREQ` without one.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(buf)
    }

    /// Receives from the peer.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buf)
    }

    /// As [`UdpSocket::recv`], and the datagram stays.
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.block(Way::Read, None, |host, id, now| host.recv(id, buf, true, now))
    }

    /// Whether calls that would wait answer `WouldBlock` instead.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }
}

super::options::socket_type!(UdpSocket);
