//! Datagrams: sendto, recvfrom and what belongs to them; groups.

use crate::errno::{Errno, Result};
use crate::host::{Datagram, Domain, Host, IfIndex, Kind, QueuedError, SendControl, SocketId};
use crate::packet::Payload;
use crate::socket::table::Socket;
use crate::time::Instant;
use core::net::{IpAddr, SocketAddr};

/// Datagrams.
impl Host {
    /// sendto(2), sendmsg(2) of a datagram; without `to`, to the connected peer.
    pub fn send_to(
        &mut self,
        id: SocketId,
        payload: Payload,
        to: Option<SocketAddr>,
        control: &SendControl,
        now: Instant,
    ) -> Result<usize> {
        let socket = self.socket_ref(id)?;
        let Some(inbox) = socket.inbox() else { return self.send_payload(id, &payload, now) };
        let to = match to {
            Some(to) if socket.domain == Domain::Inet && to.is_ipv6() => return Err(Errno::EAFNOSUPPORT),
            Some(to) if to.port() == 0 && socket.is_udp() => return Err(Errno::EINVAL),
            Some(to) => self.destination(id, to)?,
            None => inbox.peer.ok_or(Errno::EDESTADDRREQ)?,
        };
        if socket.kind == Kind::Raw {
            return self.raw_send(id, payload, to, control, now);
        }
        if socket.shut_write {
            return Err(Errno::EPIPE);
        }
        // A pending error comes first, once (sock_alloc_send_skb).
        if let Some(errno) = self.sockets[id].error.take() {
            return Err(errno);
        }
        self.autobind(id)?;
        match self.sockets[id].is_ping() {
            true => self.ping_send(id, payload, to, control, now),
            false => self.udp_send(id, payload, to, control, now),
        }
    }

    fn send_payload(&mut self, id: SocketId, payload: &Payload, now: Instant) -> Result<usize> {
        let mut sent = 0;
        for slice in payload.slices() {
            match self.send_chunk(id, slice.clone(), now) {
                Ok(n) if n == slice.len() => sent += n,
                Ok(n) => return Ok(sent + n),
                Err(_) if sent > 0 => return Ok(sent),
                Err(errno) => return Err(errno),
            }
        }
        Ok(sent)
    }

    /// recvfrom(2), recvmsg(2): the next datagram, or the pending error once, or EAGAIN. EAGAIN too after
    /// `shutdown` of reading, as Linux says without blocking; who blocks answers 0 then (see readiness).
    ///
    /// # Errors
    /// ENOTCONN on a stream, which has no datagrams.
    pub fn recv_from(&mut self, id: SocketId, peek: bool, _now: Instant) -> Result<Datagram> {
        let socket = self.socket_mut(id)?;
        if socket.inbox().is_none() {
            return Err(Errno::ENOTCONN);
        }
        if let Some(errno) = socket.error.take() {
            return Err(errno);
        }
        let inbox = socket.inbox_mut().expect("it has an inbox");
        let datagram = if peek { inbox.queue.front().cloned() } else { inbox.pop() };
        datagram.ok_or(Errno::EAGAIN)
    }

    /// The next datagram's length, without taking it.
    pub fn next_datagram_len(&self, id: SocketId) -> Option<usize> {
        let inbox = self.sockets.get(id)?.inbox()?;
        inbox.queue.front().map(|datagram| datagram.payload.len())
    }

    /// recvmsg(2) with `MSG_ERRQUEUE`: the oldest queued error; EAGAIN when there is none.
    pub fn recv_error(&mut self, id: SocketId) -> Result<QueuedError> {
        let socket = self.socket_mut(id)?;
        let inbox = socket.inbox_mut().ok_or(Errno::EAGAIN)?;
        let error = inbox.errors.pop_front().ok_or(Errno::EAGAIN)?;
        let next = inbox.errors.front().map(|error| error.errno);
        // sock_dequeue_err_skb: SO_ERROR follows the queue.
        socket.error = next;
        Ok(error)
    }

    /// `IP_ADD_MEMBERSHIP`, `IPV6_JOIN_GROUP`: on the interface, else on the one that leads to the group.
    pub(crate) fn join_group(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
    ) -> Result<()> {
        if !group.is_multicast() {
            return Err(Errno::EINVAL);
        }
        let interface = self.group_interface(group, interface)?;
        let inbox = self.socket_mut(id)?.inbox_mut().ok_or(Errno::EPROTO)?;
        if inbox.groups.contains(&(group, interface)) {
            return Err(Errno::EADDRINUSE);
        }
        if inbox.groups.len() >= GROUPS_MAX {
            return Err(Errno::ENOBUFS);
        }
        inbox.groups.push((group, interface));
        *self.groups.entry(group).or_default() += 1;
        Ok(())
    }

    /// `IP_DROP_MEMBERSHIP`, `IPV6_LEAVE_GROUP`.
    pub(crate) fn leave_group(
        &mut self,
        id: SocketId,
        group: IpAddr,
        interface: Option<IfIndex>,
    ) -> Result<()> {
        let inbox = self.socket_mut(id)?.inbox_mut().ok_or(Errno::EPROTO)?;
        let member = |(g, i): &(IpAddr, IfIndex)| *g == group && interface.is_none_or(|asked| asked == *i);
        let at = inbox.groups.iter().position(member).ok_or(Errno::EADDRNOTAVAIL)?;
        inbox.groups.remove(at);
        self.uncount_group(group);
        Ok(())
    }

    pub(crate) fn leave_groups(&mut self, id: SocketId) {
        let groups = self.sockets[id].inbox_mut().map(|inbox| core::mem::take(&mut inbox.groups));
        groups.into_iter().flatten().for_each(|(group, _)| self.uncount_group(group));
    }

    fn uncount_group(&mut self, group: IpAddr) {
        let count = self.groups.get_mut(&group).expect("a joined group is counted");
        *count -= 1;
        if *count == 0 {
            self.groups.remove(&group);
        }
    }

    fn group_interface(&self, group: IpAddr, interface: Option<IfIndex>) -> Result<IfIndex> {
        match interface {
            Some(index) => self.routing.interface(index).map(|i| i.index).ok_or(Errno::ENODEV),
            None => {
                let route = self.routing.lookup(group, None);
                route.map(|route| route.path.interface()).ok_or(Errno::ENODEV)
            }
        }
    }
}

impl Socket {
    /// What poll(2) says of a datagram socket (datagram_poll).
    pub(super) fn datagram_readiness(&self) -> crate::Readiness {
        use crate::Readiness;
        let inbox = self.inbox().expect("a datagram socket has an inbox");
        let mut ready = Readiness::OUT;
        ready.set(Readiness::ERR, self.error.is_some() || !inbox.errors.is_empty());
        ready.set(Readiness::IN, !inbox.queue.is_empty() || self.shut_read);
        ready.set(Readiness::RDHUP, self.shut_read);
        ready.set(Readiness::HUP, self.shut_read && self.shut_write);
        ready
    }
}

/// `net.ipv4.igmp_max_memberships`.
const GROUPS_MAX: usize = 20;
