//! Sending: bytes become messages in the receiver's queue.

use super::{Ancillary, Credentials, Message, RIGHTS_MAX, Right, UnixAddr, UnixRole, charge};
use crate::errno::{Errno, Result};
use crate::host::{Host, Kind, SocketId};
use crate::socket::table::Socket;
use alloc::vec::Vec;

/// Sending.
impl Host {
    /// send(2), sendto(2) and sendmsg(2) of the family. A stream takes what its buffer has room for; a message goes whole
    /// or not at all. `beside` is emptied of what was sent.
    ///
    /// # Errors
    /// EAGAIN without room (an event tells when there is some), EPIPE after an end, ENOTCONN, EMSGSIZE; EISCONN or
    /// EOPNOTSUPP for a name on a stream; ECONNREFUSED where the receiver is gone, EPERM where it hears another only; EINVAL for
    /// more than [`RIGHTS_MAX`] rights.
    pub fn unix_send(
        &mut self,
        id: SocketId,
        data: &[u8],
        to: Option<&UnixAddr>,
        beside: &mut Ancillary,
    ) -> Result<usize> {
        self.unix_of(id)?;
        if beside.rights.len() > RIGHTS_MAX {
            return Err(Errno::EINVAL);
        }
        match self.sockets[id].kind {
            Kind::Stream => self.unix_send_stream(id, data, to, beside),
            Kind::SeqPacket => {
                if let Some(error) = self.sockets[id].error.take() {
                    return Err(error);
                }
                if self.unix_of(id)?.role != UnixRole::Connected {
                    return Err(Errno::ENOTCONN);
                }
                self.unix_send_message(id, data, None, beside)
            }
            _ => self.unix_send_message(id, data, to, beside),
        }
    }

    fn unix_send_stream(
        &mut self,
        id: SocketId,
        data: &[u8],
        to: Option<&UnixAddr>,
        beside: &mut Ancillary,
    ) -> Result<usize> {
        let unix = self.unix_of(id)?;
        if to.is_some() {
            return Err(if unix.role == UnixRole::Connected { Errno::EISCONN } else { Errno::EOPNOTSUPP });
        }
        let peer = unix.peer.ok_or(Errno::ENOTCONN)?;
        if self.sockets[id].shut_write {
            return Err(Errno::EPIPE);
        }
        let send_buffer = self.sockets[id].options.send_buffer as usize;
        let mut sent = 0;
        while sent < data.len() {
            if self.sockets.get(peer).is_none_or(|peer| peer.shut_read) {
                return if sent > 0 { Ok(sent) } else { Err(Errno::EPIPE) };
            }
            if self.unix_of(id)?.charged >= send_buffer {
                return if sent > 0 { Ok(sent) } else { Err(Errno::EAGAIN) };
            }
            let len = charge::piece(data.len() - sent, send_buffer);
            self.unix_queue(id, peer, &data[sent..sent + len], charge::of_piece(len), beside);
            sent += len;
        }
        Ok(sent)
    }

    fn unix_send_message(
        &mut self,
        id: SocketId,
        data: &[u8],
        to: Option<&UnixAddr>,
        beside: &mut Ancillary,
    ) -> Result<usize> {
        if to.is_none() && self.unix_of(id)?.peer.is_none() {
            return Err(Errno::ENOTCONN);
        }
        self.unix_autobind(id)?;
        let Socket { shut_write, kind, ref options, .. } = self.sockets[id];
        let send_buffer = options.send_buffer as usize;
        if data.len() > send_buffer - 32 {
            return Err(Errno::EMSGSIZE);
        }
        if let Some(error) = self.sockets[id].error.take() {
            return Err(error);
        }
        if shut_write {
            return Err(Errno::EPIPE);
        }
        if self.unix_of(id)?.charged >= send_buffer {
            return Err(Errno::EAGAIN);
        }
        let receiver = match to {
            Some(name) => self.unix_find(kind, name)?,
            None => self.unix_live_peer(id)?,
        };
        let other = &self.sockets[receiver];
        if other.unix().is_some_and(|unix| unix.peer.is_some_and(|peer| peer != id)) {
            return Err(Errno::EPERM);
        }
        if other.shut_read {
            return Err(Errno::EPIPE);
        }
        if self.unix_is_full(receiver, id) {
            self.unix_await(receiver, id);
            return Err(Errno::EAGAIN);
        }
        self.unix_queue(id, receiver, data, charge::of_datagram(data.len()), beside);
        Ok(data.len())
    }

    /// The peer of a socket that is connected. A datagram socket forgets one that is gone.
    fn unix_live_peer(&mut self, id: SocketId) -> Result<SocketId> {
        let peer = self.unix_of(id)?.peer.ok_or(Errno::ENOTCONN)?;
        if self.sockets.contains_key(peer) {
            return Ok(peer);
        }
        if self.sockets[id].kind == Kind::SeqPacket {
            return Err(Errno::EPIPE);
        }
        (self.unix_mut(id).peer, self.unix_mut(id).role) = (None, UnixRole::Idle);
        Err(Errno::ECONNREFUSED)
    }

    fn unix_queue(
        &mut self,
        id: SocketId,
        receiver: SocketId,
        data: &[u8],
        charge: usize,
        beside: &mut Ancillary,
    ) {
        let wanted = self.unix_mut(receiver).pass_credentials;
        let unix = self.unix_mut(id);
        unix.charged += charge;
        let noted = if wanted || unix.pass_credentials { unix.owner } else { Credentials::UNKNOWN };
        let from = unix.name.clone();
        let credentials = beside.credentials.unwrap_or(noted);
        let rights: Vec<Right> = core::mem::take(&mut beside.rights);
        self.unix.is_flying |= rights.iter().any(|right| right.0.socket().is_some());
        let bytes = self.unix.store.copy(data);
        let message = Message { bytes, read: 0, sender: id, from, charge, credentials, rights };
        self.unix_mut(receiver).queue.push_back(message);
        self.tell_ready(receiver);
    }
}
