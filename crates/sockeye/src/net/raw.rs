//! Raw sockets: IP packets of one protocol.

use super::{Domain, Kind, Net, Socket, ToSocketAddrs, each};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// A raw IP socket, raw(7). It gets a copy of each packet of its protocol; on IPv4 the IP header comes with it.
/// What it sends gets an IP header, unless `IP_HDRINCL` is set. Every program of a lab may have one.
pub struct RawSocket {
    pub(crate) socket: Socket,
}

impl RawSocket {
    /// A socket for a protocol (1 is ICMP, 58 ICMPv6; see IANA's protocol numbers).
    ///
    /// # Errors
    /// `EPROTONOSUPPORT` for protocol 0.
    pub fn new(net: &Net, domain: Domain, protocol: u8) -> io::Result<Self> {
        Ok(Self { socket: Socket::new(net, domain, Kind::Raw, protocol)? })
    }

    /// Takes only packets to this address; the port is passed over.
    pub fn bind<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each(self.socket.net(), addr, |addr| self.socket.bind(addr))
    }

    /// Names the peer of `send`, and takes only its packets.
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each(self.socket.net(), addr, |addr| self.socket.connect(addr))
    }

    /// Waits for a packet: its length, cut to the buffer, and who sent it (port 0).
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buf)
    }

    /// As [`RawSocket::recv_from`], and the packet stays.
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.peek_from(buf)
    }

    /// Sends a packet to the first of the addresses.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let addr = addr.to_socket_addrs(self.socket.net())?.next().ok_or_else(super::nothing)?;
        self.socket.send_to(buf, addr)
    }

    /// Sends to the peer. `EDESTADDRREQ` without one.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.send(buf)
    }

    /// Receives a packet.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket.recv(buf)
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

    /// See [`RawSocket::set_read_timeout`].
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.socket.read_timeout()
    }

    /// Whether calls that would wait answer `WouldBlock` instead.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.socket.set_nonblocking(nonblocking)
    }
}

super::options::socket_type!(RawSocket);
