//! Socket filters: classic BPF (`SO_ATTACH_FILTER`, `SO_DETACH_FILTER`, `SO_LOCK_FILTER`; Linux's
//! Documentation/networking/filter.rst).
//!
//! In: a program, which [`check`] accepts or refuses as a whole, as bpf_check_classic does: known instructions,
//! jumps forward and inside, memory written before it is read. Out: for each packet on its way to the socket how
//! much of it may come in, which [`run`] finds in at most as many steps as the program is long. A filter sees
//! what the kernel's sees: UDP and TCP from their header on, a raw IPv4 socket's packets from the IP header, and
//! the IP header at `SKF_NET_OFF`. Packets inside the host become bytes only where a filter is attached. A
//! listener's filter decides about handshakes, and its connections inherit it.

mod check;
mod packets;
mod run;
#[cfg(test)]
mod tests;

pub(crate) use run::View;

use crate::errno::{Errno, Result};
use crate::host::{Host, SocketId};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// `struct sock_filter`: an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Instruction {
    /// The operation.
    pub code: u16,
    /// Instructions to skip if a jump's condition is met.
    pub jump_true: u8,
    /// The same if it is not.
    pub jump_false: u8,
    /// The constant.
    pub k: u32,
}

/// `BPF_MAXINSNS`.
pub const INSTRUCTIONS_MAX: usize = 4096;
/// Bytes of an instruction in a program's memory.
pub const INSTRUCTION_LEN: usize = 8;

impl Instruction {
    /// The instruction in the byte order of the machine.
    pub fn from_bytes(bytes: &[u8; INSTRUCTION_LEN]) -> Self {
        let [c0, c1, jump_true, jump_false, k @ ..] = *bytes;
        Self { code: u16::from_ne_bytes([c0, c1]), jump_true, jump_false, k: u32::from_ne_bytes(k) }
    }
}

/// A program that was checked.
#[derive(Debug)]
pub(crate) struct Program(Vec<Instruction>);

/// What a socket has of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attached {
    program: Option<Arc<Program>>,
    locked: bool,
}

/// Filters.
impl Host {
    /// `SO_ATTACH_FILTER` with the program itself, which `struct sock_fprog` only points to: it replaces the one
    /// before.
    ///
    /// # Errors
    /// EINVAL for a program that is none or too long, EPERM when the filter is locked.
    pub fn attach_filter(&mut self, id: SocketId, program: &[Instruction]) -> Result<()> {
        if self.filter_is_locked(id)? {
            return Err(Errno::EPERM);
        }
        check::check(program)?;
        let attached = self.sockets[id].filter.get_or_insert_default();
        let before = attached.program.replace(Arc::new(Program(program.to_vec())));
        self.filters += usize::from(before.is_none());
        Ok(())
    }

    /// `SO_DETACH_FILTER`; ENOENT when there is none.
    pub(crate) fn detach_filter(&mut self, id: SocketId) -> Result<()> {
        if self.filter_is_locked(id)? {
            return Err(Errno::EPERM);
        }
        let attached = self.socket_mut(id)?.filter.as_mut().ok_or(Errno::ENOENT)?;
        attached.program.take().ok_or(Errno::ENOENT)?;
        self.filters -= 1;
        Ok(())
    }

    /// `SO_LOCK_FILTER`: there is no way back.
    pub(crate) fn lock_filter(&mut self, id: SocketId, lock: bool) -> Result<()> {
        if self.filter_is_locked(id)? && !lock {
            return Err(Errno::EPERM);
        }
        self.socket_mut(id)?.filter.get_or_insert_default().locked = lock;
        Ok(())
    }

    pub(crate) fn has_filter(&self, id: SocketId) -> bool {
        self.sockets.get(id).and_then(|socket| socket.filter.as_ref()).is_some_and(|f| f.program.is_some())
    }

    pub(crate) fn filter_is_locked(&self, id: SocketId) -> Result<bool> {
        Ok(self.socket_ref(id)?.filter.as_ref().is_some_and(|attached| attached.locked))
    }

    /// A connection begins with its listener's filter.
    pub(crate) fn inherit_filter(&mut self, child: SocketId, listener: SocketId) {
        let inherited = self.sockets[listener].filter.clone();
        self.filters += usize::from(inherited.as_ref().is_some_and(|attached| attached.program.is_some()));
        self.sockets[child].filter = inherited;
    }

    /// The socket goes.
    pub(crate) fn forget_filter(&mut self, filter: Option<Box<Attached>>) {
        self.filters -= usize::from(filter.is_some_and(|attached| attached.program.is_some()));
    }
}
