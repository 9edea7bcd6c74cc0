//! `struct msghdr` in a program's memory: the scattered bytes and the control messages of sendmsg and recvmsg.

use super::Memory;
use crate::abi::IOVEC_MAX;
use sockeye_core::Errno;
use sockeye_core::wire::control::{self, Control};

/// Most bytes that one message carries for us; a stream's rest is left to the next call.
pub(crate) const MESSAGE_MAX: usize = 256 * 1024;
/// Longest control area that is read or written.
const CONTROL_MAX: usize = 64 * 1024;
/// `sizeof(struct msghdr)` on 64-bit machines.
pub(crate) const HEADER_LEN: u64 = 56;

/// A message header as the program laid it out.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    address: u64,
    pub(crate) name: u64,
    pub(crate) name_len: i32,
    /// Address and length of each part.
    pub(crate) parts: Vec<(u64, usize)>,
    pub(crate) control: u64,
    pub(crate) control_len: usize,
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from_ne_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

impl Header {
    /// Reads the header at `address`, its parts too.
    pub(crate) fn read(memory: &Memory<'_>, address: u64) -> Result<Self, Errno> {
        let mut raw = [0u8; HEADER_LEN as usize];
        memory.read(address, &mut raw)?;
        let count = word(&raw, 24) as usize;
        if count > IOVEC_MAX {
            return Err(Errno::EMSGSIZE);
        }
        let mut table = vec![0; count * 16];
        memory.read(word(&raw, 16), &mut table)?;
        let mut parts = Vec::with_capacity(count);
        for part in table.chunks_exact(16) {
            let len = word(part, 8);
            if i64::try_from(len).is_err() {
                return Err(Errno::EINVAL);
            }
            parts.push((word(part, 0), len as usize));
        }
        Ok(Self {
            address,
            name: word(&raw, 0),
            name_len: i32::from_ne_bytes(raw[8..12].try_into().expect("four bytes")),
            parts,
            control: word(&raw, 32),
            control_len: word(&raw, 40) as usize,
        })
    }

    /// A header for the plain calls: one part, a name.
    pub(crate) fn plain(buffer: u64, len: u64, name: u64) -> Self {
        let parts = vec![(buffer, usize::try_from(len).unwrap_or(usize::MAX))];
        Self { address: 0, name, name_len: 0, parts, control: 0, control_len: 0 }
    }

    /// Bytes of all parts together.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().fold(0, |sum, (_, len)| sum.saturating_add(*len))
    }

    /// Collects up to `max` bytes from the parts.
    pub(crate) fn gather(&self, memory: &Memory<'_>, max: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; self.len().min(max)];
        let mut at = 0;
        for &(address, len) in &self.parts {
            let take = len.min(bytes.len() - at);
            memory.read(address, &mut bytes[at..at + take])?;
            at += take;
        }
        Ok(bytes)
    }

    /// Spreads bytes over the parts; says how many found room.
    pub(crate) fn scatter(&self, memory: &Memory<'_>, bytes: &[u8]) -> Result<usize, Errno> {
        let mut at = 0;
        for &(address, len) in &self.parts {
            let take = len.min(bytes.len() - at);
            memory.write(address, &bytes[at..at + take])?;
            at += take;
        }
        Ok(at)
    }

    /// The control messages.
    pub(crate) fn controls(&self, memory: &Memory<'_>) -> Result<Vec<Control>, Errno> {
        if self.control == 0 {
            return Ok(vec![]);
        }
        control::parse(&memory.bytes(self.control, self.control_len.min(CONTROL_MAX))?)
    }

    /// Writes what recvmsg tells beside the bytes: name, control messages, flags.
    pub(crate) fn finish(
        &self,
        memory: &Memory<'_>,
        name: &[u8],
        controls: &[Control],
        mut flags: i32,
    ) -> Result<(), Errno> {
        if self.name != 0 {
            let room = usize::try_from(self.name_len).map_err(|_| Errno::EINVAL)?;
            memory.write(self.name, &name[..name.len().min(room)])?;
            memory.write(self.address + 8, &(name.len() as u32).to_ne_bytes())?;
        }
        let room = if self.control == 0 { 0 } else { self.control_len };
        let (area, cut) = control::lay_out(controls, room);
        flags |= if cut { libc::MSG_CTRUNC } else { 0 };
        memory.write(self.control, &area)?;
        memory.write(self.address + 40, &(area.len() as u64).to_ne_bytes())?;
        memory.write(self.address + 48, &flags.to_ne_bytes())
    }
}
