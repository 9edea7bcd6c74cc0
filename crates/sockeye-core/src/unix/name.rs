//! Addresses of Unix-domain sockets, and the names of a host.

use super::UnixTable;
use crate::errno::{Errno, Result};
use crate::host::{Host, Kind, SocketId};
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

/// A path, or an abstract name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixAddr(Arc<[u8]>);

/// What an address argument says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UnixParsed {
    /// A name.
    Named(UnixAddr),
    /// The family alone: bind picks a name.
    Family,
    /// `AF_UNSPEC`: dissolve the association of a datagram socket.
    Unspecified,
}

impl UnixAddr {
    /// A path as a special file has it.
    ///
    /// # Errors
    /// EINVAL for an empty one, one of more than 107 bytes, or one with a NUL in it.
    pub fn from_path(path: &[u8]) -> Result<Self> {
        let good = !path.is_empty() && path.len() < PATH_MAX && !path.contains(&0);
        if good { Ok(Self(path.into())) } else { Err(Errno::EINVAL) }
    }

    /// A name that no file stands for; any bytes, at most 107.
    ///
    /// # Errors
    /// EINVAL for a longer one.
    pub fn from_abstract(name: &[u8]) -> Result<Self> {
        if name.len() >= PATH_MAX {
            return Err(Errno::EINVAL);
        }
        Ok(Self([&[0], name].concat().into()))
    }

    /// The path, of one that has one.
    pub fn as_path(&self) -> Option<&[u8]> {
        (self.0.first() != Some(&0)).then_some(&self.0)
    }

    /// The abstract name, without the NUL that it begins with.
    pub fn as_abstract(&self) -> Option<&[u8]> {
        self.0.strip_prefix(&[0])
    }

    /// What `struct sockaddr_un` says; unix_validate_addr and unix_mkname.
    ///
    /// # Errors
    /// EINVAL for another family or a length that none can have.
    pub fn parse(bytes: &[u8]) -> Result<UnixParsed> {
        let family = bytes.get(..2).map(|b| u16::from_ne_bytes([b[0], b[1]])).ok_or(Errno::EINVAL)?;
        let name = bytes.get(2..).filter(|name| name.len() <= PATH_MAX);
        match (family, name) {
            (0, _) => Ok(UnixParsed::Unspecified),
            (AF_UNIX, Some([])) => Ok(UnixParsed::Family),
            (AF_UNIX, Some(name @ [0, ..])) => Ok(UnixParsed::Named(Self(name.into()))),
            (AF_UNIX, Some(path)) => {
                let end = path.iter().position(|byte| *byte == 0).unwrap_or(path.len());
                Ok(UnixParsed::Named(Self(path[..end].into())))
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// `struct sockaddr_un` of a name, or of a socket without one: the family alone. A path ends with its NUL.
    pub fn encode(name: Option<&Self>) -> Vec<u8> {
        let mut bytes = AF_UNIX.to_ne_bytes().to_vec();
        if let Some(name) = name {
            bytes.extend_from_slice(&name.0);
            bytes.extend(name.as_path().map(|_| 0));
        }
        bytes
    }
}

impl fmt::Debug for UnixAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for UnixAddr {
    /// The path, or `@` and the abstract name, as ss(8) shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, name) = match self.as_abstract() {
            Some(name) => ("@", name),
            None => ("", &*self.0),
        };
        write!(f, "{sign}{}", name.escape_ascii())
    }
}

impl UnixTable {
    /// Gives a name to a socket. EADDRINUSE where another has or had it.
    pub(super) fn take(&mut self, kind: Kind, name: &UnixAddr, id: SocketId) -> Result<()> {
        let taken = match name.as_path() {
            Some(path) => {
                let plain = plain(path);
                self.paths.contains_key(&plain) || self.paths.insert(plain, id).is_some()
            }
            None => {
                let key = (kind, name.clone());
                self.names.contains_key(&key) || self.names.insert(key, id).is_some()
            }
        };
        if taken { Err(Errno::EADDRINUSE) } else { Ok(()) }
    }

    /// Who has a name. ENOENT where there is no such file.
    pub(super) fn find(&self, kind: Kind, name: &UnixAddr) -> Result<SocketId> {
        match name.as_path() {
            Some(path) => self.paths.get(&plain(path)).copied().ok_or(Errno::ENOENT),
            None => self.names.get(&(kind, name.clone())).copied().ok_or(Errno::ECONNREFUSED),
        }
    }

    /// The socket goes: an abstract name goes with it, a path stays.
    pub(super) fn give_back(&mut self, kind: Kind, name: &UnixAddr, id: SocketId) {
        let key = (kind, name.clone());
        if self.names.get(&key) == Some(&id) {
            self.names.remove(&key);
        }
    }

    /// A name that nobody has: five hexadecimal digits, abstract.
    pub(super) fn pick(&mut self, kind: Kind) -> Result<UnixAddr> {
        for _ in 0..=AUTOBIND_MASK {
            self.autobind_last = (self.autobind_last + 1) & AUTOBIND_MASK;
            let name = UnixAddr::from_abstract(format!("{:05x}", self.autobind_last).as_bytes())?;
            if !self.names.contains_key(&(kind, name.clone())) {
                return Ok(name);
            }
        }
        Err(Errno::ENOSPC)
    }
}

/// A path with single slashes and without `.`: the same file has one name. What is not absolute begins at the root, and
/// there are no directories that could be missing.
fn plain(path: &[u8]) -> UnixAddr {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    UnixAddr(parts.join(&b'/').into())
}

/// The special files of a host.
impl Host {
    /// unlink(2) of a socket's path: connects find it no more; whoever has it open keeps it.
    ///
    /// # Errors
    /// ENOENT.
    pub fn unix_unlink(&mut self, path: &[u8]) -> Result<()> {
        self.unix.paths.remove(&plain(path)).map(|_| ()).ok_or(Errno::ENOENT)
    }
}

const AF_UNIX: u16 = 1;
/// `sizeof(sun_path)`.
const PATH_MAX: usize = 108;
const AUTOBIND_MASK: u32 = 0xf_ffff;
