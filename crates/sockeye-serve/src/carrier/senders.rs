//! Sockets of ours that put datagrams into carriers, one for each origin, the latest used kept.

use crate::names::{Names, Origin};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with};
use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Senders that are kept; beyond, the one unused for longest goes.
const SENDERS_MAX: usize = 512;

/// The senders, by origin.
#[derive(Debug, Default)]
pub(crate) struct Senders {
    by_origin: HashMap<Origin, (Arc<OwnedFd>, u64), foldhash::fast::RandomState>,
    uses: u64,
}

impl Senders {
    /// A socket whose name tells `origin`.
    pub(crate) fn get(&mut self, names: &Names, origin: &Origin) -> rustix::io::Result<Arc<OwnedFd>> {
        self.uses += 1;
        if let Some((fd, used)) = self.by_origin.get_mut(origin) {
            *used = self.uses;
            return Ok(Arc::clone(fd));
        }
        if self.by_origin.len() >= SENDERS_MAX {
            self.evict();
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let fd = socket_with(AddressFamily::UNIX, SocketType::DGRAM, flags, None)?;
        bind(&fd, &names.origin(origin))?;
        let fd = Arc::new(fd);
        self.by_origin.insert(*origin, (Arc::clone(&fd), self.uses));
        Ok(fd)
    }

    /// Lets a sender go; what it has sent keeps its name until it is read.
    pub(crate) fn retire(&mut self, origin: &Origin) {
        self.by_origin.remove(origin);
    }

    /// Drops the older half, so that the cost is spread over many uses.
    fn evict(&mut self) {
        let mut uses: Vec<u64> = self.by_origin.values().map(|(_, used)| *used).collect();
        let middle = uses.len() / 2;
        let (_, &mut median, _) = uses.select_nth_unstable(middle);
        self.by_origin.retain(|_, (_, used)| *used >= median);
    }
}
