//! Receiving: messages become bytes, and their charge room for who sent them.

use super::{Credentials, Right, UnixAddr, UnixRole};
use crate::errno::{Errno, Result};
use crate::host::{Host, Kind, SocketId};
use alloc::vec::Vec;

/// What a receive has found.
#[derive(Debug, Default)]
pub struct UnixReceived {
    /// Bytes put into the buffer.
    pub len: usize,
    /// Length of the message; on a stream the same.
    pub whole: usize,
    /// Who sent it, if that socket has a name.
    pub from: Option<UnixAddr>,
    /// Who sent it, where `SO_PASSCRED` asks.
    pub credentials: Option<Credentials>,
    /// What it hands over.
    pub rights: Vec<Right>,
}

/// Receiving.
impl Host {
    /// recv(2) and recvmsg(2) of the family. On a stream no byte is end of file, for a buffer that has room.
    ///
    /// # Errors
    /// EAGAIN with nothing there, EINVAL on a stream and ENOTCONN on a sequenced packet socket that are not connected, the
    /// pending error once.
    pub fn unix_recv(&mut self, id: SocketId, buf: &mut [u8], peek: bool) -> Result<UnixReceived> {
        let connected = self.unix_of(id)?.role == UnixRole::Connected;
        match self.sockets[id].kind {
            Kind::Stream if !connected => Err(Errno::EINVAL),
            Kind::Stream => self.unix_recv_stream(id, buf, peek),
            Kind::SeqPacket if !connected => Err(Errno::ENOTCONN),
            _ => self.unix_recv_message(id, buf, peek),
        }
    }

    /// recv(2) of the bytes alone.
    pub(crate) fn unix_recv_bytes(&mut self, id: SocketId, buf: &mut [u8], peek: bool) -> Result<usize> {
        let mut received = self.unix_recv(id, buf, peek)?;
        self.unix.discarded.append(&mut received.rights);
        Ok(received.len)
    }

    /// What a receive finds with an empty queue.
    fn unix_recv_end(&mut self, id: SocketId) -> Result<UnixReceived> {
        let socket = &mut self.sockets[id];
        match socket.error.take() {
            Some(error) => Err(error),
            None if socket.shut_read && socket.kind != Kind::Datagram => Ok(UnixReceived::default()),
            None => Err(Errno::EAGAIN),
        }
    }

    fn unix_recv_message(&mut self, id: SocketId, buf: &mut [u8], peek: bool) -> Result<UnixReceived> {
        if let Some(error) = self.sockets[id].error.take() {
            return Err(error);
        }
        let unix = self.unix_mut(id);
        let passes = unix.pass_credentials;
        let (mut skip, mut index) = (0, 0);
        if peek && unix.peek_offset >= 0 {
            skip = unix.peek_offset as usize;
            while unix.queue.get(index).is_some_and(|m| skip >= m.rest().len() && skip > 0) {
                skip -= unix.queue[index].rest().len();
                index += 1;
            }
        }
        let Some(message) = unix.queue.get_mut(index) else { return self.unix_recv_end(id) };
        let bytes = &message.rest()[skip..];
        let len = bytes.len().min(buf.len());
        buf[..len].copy_from_slice(&bytes[..len]);
        let mut received = UnixReceived {
            len,
            whole: bytes.len(),
            from: message.from.clone(),
            credentials: passes.then_some(message.credentials),
            rights: Vec::new(),
        };
        if peek {
            received.rights = message.rights.clone();
            if unix.peek_offset >= 0 {
                unix.peek_offset += len as i32;
            }
        } else {
            received.rights = core::mem::take(&mut message.rights);
            let (sender, charge, taken) = (message.sender, message.charge, message.rest().len());
            let done = unix.queue.pop_front();
            if unix.peek_offset > 0 {
                unix.peek_offset = (unix.peek_offset - taken as i32).max(0);
            }
            done.into_iter().for_each(|message| self.unix.store.give(message.bytes));
            self.unix_uncharge(sender, charge);
            self.unix_wake_waiting(id);
        }
        Ok(received)
    }

    /// unix_stream_read_generic: pieces are glued, but not of senders that are told apart, nor beyond rights.
    fn unix_recv_stream(&mut self, id: SocketId, buf: &mut [u8], peek: bool) -> Result<UnixReceived> {
        let unix = self.unix_mut(id);
        if unix.queue.is_empty() {
            return self.unix_recv_end(id);
        }
        let mut received = UnixReceived::default();
        let mut skip = if peek { unix.peek_offset.max(0) as usize } else { 0 };
        let mut index = 0;
        while received.len < buf.len() {
            let unix = self.unix_mut(id);
            let passes = unix.pass_credentials;
            let Some(piece) = unix.queue.get_mut(index) else { break };
            if skip >= piece.rest().len() {
                skip -= piece.rest().len();
                index += 1;
                continue;
            }
            if received.len > 0 && received.credentials.is_some_and(|told| told != piece.credentials) {
                break;
            }
            received.credentials = passes.then_some(piece.credentials);
            received.from = received.from.take().or_else(|| piece.from.clone());
            let room = &mut buf[received.len..];
            let rest = &piece.rest()[skip..];
            let len = rest.len().min(room.len());
            room[..len].copy_from_slice(&rest[..len]);
            received.len += len;
            skip = 0;
            if peek {
                received.rights = piece.rights.clone();
                index += 1;
            } else {
                received.rights = core::mem::take(&mut piece.rights);
                piece.read += len;
                if piece.rest().is_empty() {
                    let (sender, charge) = (piece.sender, piece.charge);
                    let done = unix.queue.pop_front();
                    done.into_iter().for_each(|piece| self.unix.store.give(piece.bytes));
                    self.unix_uncharge(sender, charge);
                }
            }
            if !received.rights.is_empty() {
                break;
            }
        }
        let unix = self.unix_mut(id);
        match unix.peek_offset {
            0.. if peek => unix.peek_offset += received.len as i32,
            1.. => unix.peek_offset = (unix.peek_offset - received.len as i32).max(0),
            _ => {}
        }
        received.whole = received.len;
        if received.len == 0 && !buf.is_empty() {
            return self.unix_recv_end(id);
        }
        Ok(received)
    }

    /// `SIOCINQ`: what waits; of messages the first.
    ///
    /// # Errors
    /// EINVAL of a listener.
    pub fn unix_readable(&self, id: SocketId) -> Result<usize> {
        let unix = self.unix_of(id)?;
        match (&unix.role, self.sockets[id].kind) {
            (UnixRole::Listener { .. }, _) => Err(Errno::EINVAL),
            (_, Kind::Datagram) => Ok(unix.queue.front().map_or(0, |message| message.rest().len())),
            _ => Ok(unix.queued()),
        }
    }

    /// `SIOCOUTQ`: what this socket's unread messages charge.
    ///
    /// # Errors
    /// EAFNOSUPPORT of a socket of another family.
    pub fn unix_charged(&self, id: SocketId) -> Result<usize> {
        Ok(self.unix_of(id)?.charged)
    }
}
