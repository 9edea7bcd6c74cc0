//! `MSG_ZEROCOPY`: the program hears when it may use its memory again.
//!
//! In: sends with that flag on a socket with `SO_ZEROCOPY`. Out: notifications in the socket's error queue, once the
//! peer has acknowledged the data. The host copies what is sent, and says so (`SO_EE_CODE_ZEROCOPY_COPIED`), as Linux
//! does where it had to copy. Neighbouring notifications are one.

use super::world::World;
use sockeye_core::SocketId;
use sockeye_core::errno::{Errno, Result};
use std::collections::VecDeque;
use std::ffi::c_int;

/// The sends of one socket.
#[derive(Clone, Debug, Default)]
pub(super) struct Zerocopy {
    pub(super) on: bool,
    next: u32,
    /// Behind the data of each send, counted from the stream's beginning.
    pending: VecDeque<(u64, u32)>,
    /// First and last send of each notification.
    done: VecDeque<(u32, u32)>,
}

impl Zerocopy {
    pub(super) fn has_news(&self) -> bool {
        !self.done.is_empty()
    }

    fn complete(&mut self, acknowledged: u64) -> bool {
        let before = self.pending.len();
        while let Some(&(_, id)) = self.pending.front().filter(|(end, _)| *end <= acknowledged) {
            self.pending.pop_front();
            match self.done.back_mut() {
                Some((_, last)) if last.wrapping_add(1) == id => *last = id,
                _ => self.done.push_back((id, id)),
            }
        }
        before != self.pending.len()
    }
}

impl World {
    /// `SO_ZEROCOPY`.
    pub(super) fn set_zerocopy(&mut self, fd: c_int, value: &[u8]) -> Result<()> {
        let value: [u8; 4] = value.get(..4).and_then(|v| v.try_into().ok()).ok_or(Errno::EINVAL)?;
        match i32::from_ne_bytes(value) {
            on @ (0 | 1) => self.socket(fd)?.zerocopy.on = on == 1,
            _ => return Err(Errno::EINVAL),
        }
        Ok(())
    }

    /// Something was sent with `MSG_ZEROCOPY`.
    pub(super) fn note_zerocopy(&mut self, fd: c_int) -> Result<()> {
        let id = self.socket(fd)?.id;
        let end = self.acknowledged(id) + self.host.queued_out(id).unwrap_or(0) as u64;
        let zerocopy = &mut self.socket(fd)?.zerocopy;
        if zerocopy.on {
            zerocopy.pending.push_back((end, zerocopy.next));
            zerocopy.next = zerocopy.next.wrapping_add(1);
        }
        Ok(())
    }

    /// Acknowledgements may have come.
    pub(super) fn complete_zerocopies(&mut self) {
        let waiting: Vec<(c_int, SocketId)> = self
            .sockets()
            .filter(|(_, socket)| !socket.zerocopy.pending.is_empty())
            .map(|(fd, s)| (fd, s.id))
            .collect();
        for (fd, id) in waiting {
            let acknowledged = self.acknowledged(id);
            if let Ok(socket) = self.socket(fd)
                && socket.zerocopy.complete(acknowledged)
            {
                socket.news += 1;
            }
        }
    }

    /// Bytes that the peer has acknowledged; all, where there is no peer any more.
    fn acknowledged(&self, id: SocketId) -> u64 {
        let info = self.host.info(id, self.now).and_then(|info| info.tcp);
        info.map_or(u64::MAX / 2, |tcp| tcp.bytes_acked)
    }

    /// The next notification: first and last send.
    pub(super) fn take_zerocopy(&mut self, fd: c_int) -> Result<Option<(u32, u32)>> {
        Ok(self.socket(fd)?.zerocopy.done.pop_front())
    }
}
