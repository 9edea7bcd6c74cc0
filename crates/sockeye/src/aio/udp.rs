//! `tokio::net::UdpSocket` of a lab.

use crate::net::{self, Net, Socket, ToSocketAddrs, nothing, receive, send, socket_type};
use crate::running::wait::Way;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

/// A UDP socket, for tasks. Every method may be used by several tasks at once.
pub struct UdpSocket {
    pub(crate) socket: Socket,
}

impl UdpSocket {
    /// A socket of the host of `net`; see [`net::UdpSocket::bind`].
    ///
    /// # Errors
    /// The same.
    pub async fn bind<A: ToSocketAddrs>(net: &Net, addr: A) -> io::Result<Self> {
        net::UdpSocket::bind(net, addr).map(Self::from)
    }

    /// The same socket for tasks.
    pub fn from_std(socket: net::UdpSocket) -> io::Result<Self> {
        Ok(Self::from(socket))
    }

    /// The same socket for threads.
    pub fn into_std(self) -> io::Result<net::UdpSocket> {
        Ok(net::UdpSocket { socket: self.socket })
    }

    /// Its address.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The peer that `connect` named. `ENOTCONN` without one.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket.peer_addr()
    }

    /// Names the peer of `send` and `recv`; the first address that has a route is taken.
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        net::each(self.socket.net(), addr, |addr| {
            self.socket.call(|host, id, now| host.connect(id, addr, now))
        })
    }

    /// Waits until a receive would not. Cancel safe.
    pub async fn readable(&self) -> io::Result<()> {
        self.socket.until_readable().await
    }

    /// Waits until a send would not. Cancel safe.
    pub async fn writable(&self) -> io::Result<()> {
        self.socket.until_writable().await
    }

    /// As [`UdpSocket::readable`]; the last task that polled for receiving is woken.
    pub fn poll_recv_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_readable(cx)
    }

    /// As [`UdpSocket::writable`]; the last task that polled for sending is woken.
    pub fn poll_send_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.socket.poll_writable(cx)
    }

    /// Sends to the peer. Cancel safe.
    pub async fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.answer(Way::Write, |host, id, now| send(host, id, buf, None, now)).await
    }

    /// As [`UdpSocket::send`]; the last task that polled for sending is woken.
    pub fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.socket.poll_call(Way::Write, cx, |host, id, now| send(host, id, buf, None, now))
    }

    /// Sends to the peer at once.
    pub fn try_send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket.call(|host, id, now| send(host, id, buf, None, now))
    }

    /// Sends to the first of the addresses. Cancel safe.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let to = addr.to_socket_addrs(self.socket.net())?.next().ok_or_else(nothing)?;
        self.socket.answer(Way::Write, |host, id, now| send(host, id, buf, Some(to), now)).await
    }

    /// As [`UdpSocket::send_to`]; the last task that polled for sending is woken.
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_call(Way::Write, cx, |host, id, now| send(host, id, buf, Some(target), now))
    }

    /// Sends to an address at once.
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.socket.call(|host, id, now| send(host, id, buf, Some(target), now))
    }

    /// Waits for a datagram from the peer: its length, cut to the buffer. Cancel safe.
    pub async fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.recv_from(buf).await.map(|(len, _)| len)
    }

    /// Receives at once. `WouldBlock` where nothing is there.
    pub fn try_recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_recv_from(buf).map(|(len, _)| len)
    }

    /// Waits for a datagram: its length, cut to the buffer, and who sent it. Cancel safe.
    pub async fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.answer(Way::Read, |host, id, now| receive(host, id, buf, false, now)).await
    }

    /// Receives at once. `WouldBlock` where nothing is there.
    pub fn try_recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.call(|host, id, now| receive(host, id, buf, false, now))
    }

    /// As [`UdpSocket::recv`], and the datagram stays.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.peek_from(buf).await.map(|(len, _)| len)
    }

    /// Looks at once. `WouldBlock` where nothing is there.
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.try_peek_from(buf).map(|(len, _)| len)
    }

    /// As [`UdpSocket::recv_from`], and the datagram stays.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.answer(Way::Read, |host, id, now| receive(host, id, buf, true, now)).await
    }

    /// Looks at once. `WouldBlock` where nothing is there.
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.call(|host, id, now| receive(host, id, buf, true, now))
    }

    /// Who sent the next datagram, which stays. Cancel safe.
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        self.peek_from(&mut []).await.map(|(_, from)| from)
    }

    /// Who sent the next datagram, which stays; the last task that polled for receiving is woken.
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        let answer =
            self.socket.poll_call(Way::Read, cx, |host, id, now| receive(host, id, &mut [], true, now));
        answer.map_ok(|(_, from)| from)
    }

    /// Who sent the datagram that is there and stays. `WouldBlock` where there is none.
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.try_peek_from(&mut []).map(|(_, from)| from)
    }

    /// `IP_TOS`, the whole byte.
    pub fn tos_v4(&self) -> io::Result<u32> {
        self.socket.tos_v4()
    }

    /// `IP_TOS`, the whole byte.
    pub fn set_tos_v4(&self, tos: u32) -> io::Result<()> {
        self.socket.set_tos_v4(tos)
    }

    /// `IPV6_TCLASS`, the whole byte.
    pub fn tclass_v6(&self) -> io::Result<u32> {
        self.socket.tclass_v6()
    }

    /// `IPV6_TCLASS`, the whole byte.
    pub fn set_tclass_v6(&self, tclass: u32) -> io::Result<()> {
        self.socket.set_tclass_v6(tclass)
    }

    /// `SO_BINDTODEVICE`: the name of the interface it is bound to, if it is.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.socket.device()
    }

    /// `SO_BINDTODEVICE`: only this interface; None is any.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.socket.bind_device(interface)
    }

    /// `SO_BROADCAST`.
    pub fn broadcast(&self) -> io::Result<bool> {
        self.socket.broadcast()
    }

    /// `SO_BROADCAST`.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.socket.set_broadcast(on)
    }

    /// `IP_MULTICAST_LOOP`.
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.socket.multicast_loop_v4()
    }

    /// `IP_MULTICAST_LOOP`.
    pub fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()> {
        self.socket.set_multicast_loop_v4(on)
    }

    /// `IP_MULTICAST_TTL`.
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.socket.multicast_ttl_v4()
    }

    /// `IP_MULTICAST_TTL`.
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_multicast_ttl_v4(ttl)
    }

    /// `IPV6_MULTICAST_LOOP`.
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.socket.multicast_loop_v6()
    }

    /// `IPV6_MULTICAST_LOOP`.
    pub fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()> {
        self.socket.set_multicast_loop_v6(on)
    }

    /// `IP_TTL`.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket.ttl()
    }

    /// `IP_TTL`, 1 to 255.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket.set_ttl(ttl)
    }

    /// `IP_ADD_MEMBERSHIP`.
    pub fn join_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.socket.join_multicast_v4(&multiaddr, &interface)
    }

    /// `IPV6_ADD_MEMBERSHIP`.
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.join_multicast_v6(multiaddr, interface)
    }

    /// `IP_DROP_MEMBERSHIP`.
    pub fn leave_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.socket.leave_multicast_v4(&multiaddr, &interface)
    }

    /// `IPV6_DROP_MEMBERSHIP`.
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket.leave_multicast_v6(multiaddr, interface)
    }

    /// `SO_ERROR`: the pending error, once.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }
}

impl From<net::UdpSocket> for UdpSocket {
    fn from(socket: net::UdpSocket) -> Self {
        Self { socket: socket.socket }
    }
}

socket_type!(UdpSocket);
