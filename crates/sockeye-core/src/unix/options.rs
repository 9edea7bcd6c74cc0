//! The options of Unix-domain sockets: those of `SOL_SOCKET` that every socket has, and their own.

use super::Credentials;
use crate::errno::{Errno, Result};
use crate::host::{Domain, Host, OptionValue, SocketId};
use crate::options::table::SOL_SOCKET;
use crate::socket::table::Socket;

impl Host {
    /// setsockopt(2), of what only this family has; whether that was it. Its protocol has no options: another level is
    /// EOPNOTSUPP.
    pub(crate) fn set_unix_option(
        &mut self,
        id: SocketId,
        level: i32,
        name: i32,
        value: &[u8],
    ) -> Result<bool> {
        let socket = self.socket_mut(id)?;
        if !socket.is_own_level(level) {
            return Err(Errno::EOPNOTSUPP);
        }
        let Some(unix) = socket.unix_mut() else { return Ok(false) };
        let first = value.first_chunk().map(|word| i32::from_ne_bytes(*word));
        let number = first.ok_or(Errno::EINVAL)?;
        match name {
            SO_PASSCRED => unix.pass_credentials = number != 0,
            SO_PEEK_OFF => unix.peek_offset = number,
            SO_PEERCRED => return Err(Errno::ENOPROTOOPT),
            SO_REUSEPORT if number != 0 => return Err(Errno::EOPNOTSUPP),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// getsockopt(2), of what only this family has.
    pub(crate) fn get_unix_option(&self, id: SocketId, name: i32) -> Result<Option<OptionValue>> {
        let Some(unix) = self.socket_ref(id)?.unix() else { return Ok(None) };
        let int = |number: i32| OptionValue::from_slice(&number.to_ne_bytes());
        Ok(match name {
            SO_PASSCRED => Some(int(i32::from(unix.pass_credentials))),
            SO_PEEK_OFF => Some(int(unix.peek_offset)),
            SO_PEERCRED => Some(unix.peer_owner.encode()),
            SO_ACCEPTCONN => Some(int(i32::from(matches!(unix.role, super::UnixRole::Listener { .. })))),
            _ => None,
        })
    }

    /// `SO_RCVLOWAT`: how much a receive that blocks waits for, 1 unless it was set.
    pub fn unix_low_water(&self, id: SocketId) -> usize {
        let stored = self.sockets.get(id).and_then(|socket| socket.options.stored(SOL_SOCKET, SO_RCVLOWAT));
        let number = stored.and_then(|value| value.first_chunk()).map(|word| i32::from_ne_bytes(*word));
        number.map_or(1, |number| number.max(1) as usize)
    }

    /// Whether it is one of those.
    pub(crate) fn has_unix_option(&self, id: SocketId, name: i32) -> bool {
        self.get_unix_option(id, name).is_ok_and(|value| value.is_some())
    }
}

impl Socket {
    /// Whether setsockopt has anything to pass a level on to.
    pub(crate) fn is_own_level(&self, level: i32) -> bool {
        self.domain != Domain::Unix || level == SOL_SOCKET
    }
}

impl Credentials {
    /// `struct ucred`.
    pub fn encode(self) -> OptionValue {
        let words = [self.pid as u32, self.uid, self.gid];
        words.into_iter().flat_map(u32::to_ne_bytes).collect()
    }

    /// The same, read.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
        Some(Self { pid: word(0)? as i32, uid: word(4)?, gid: word(8)? })
    }
}

const SO_RCVLOWAT: i32 = 18;
const SO_REUSEPORT: i32 = 15;
const SO_PASSCRED: i32 = 16;
const SO_PEERCRED: i32 = 17;
const SO_ACCEPTCONN: i32 = 30;
const SO_PEEK_OFF: i32 = 42;
