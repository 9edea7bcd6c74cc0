//! Sockets that only wait in queues that nobody can read: a socket sent over itself, two sent over each other.
//!
//! As on Linux (net/unix/garbage.c) they are looked for when a Unix-domain socket is closed while rights are on their way. A
//! socket whose every holder is a right in a queue is a candidate; it is reached if its right lies in the queue of a socket
//! that is reached. What lies in the queues of the others is let go, which closes them.

use super::{Right, UnixRole};
use crate::host::{Host, SocketId};
use crate::socket::table::Socket;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

impl Host {
    /// Lets go what nobody can receive any more.
    pub(super) fn unix_collect(&mut self) {
        if !self.unix.is_flying {
            return;
        }
        let mut flying: BTreeMap<SocketId, (usize, usize)> = BTreeMap::new();
        for right in self.sockets.values().filter_map(Socket::unix).flat_map(|unix| unix.rights()) {
            if let Some(id) = right.0.socket() {
                let (seen, holders) = flying.entry(id).or_default();
                (*seen, *holders) = (*seen + 1, right.0.holders());
            }
        }
        self.unix.is_flying = !flying.is_empty();
        let mut lost: BTreeSet<SocketId> =
            flying.into_iter().filter(|(_, (seen, holders))| seen == holders).map(|(id, _)| id).collect();
        if lost.is_empty() {
            return;
        }
        // One that waits to be accepted is as far away as its listener.
        let is_root = |id: SocketId, socket: &Socket| socket.parent.is_none() && !lost.contains(&id);
        let mut reached: Vec<SocketId> =
            self.sockets.iter().filter(|(id, socket)| is_root(*id, socket)).map(|(id, _)| id).collect();
        while let Some(unix) = reached.pop().and_then(|id| self.sockets.get(id)).map(Socket::unix) {
            let Some(unix) = unix else { continue };
            reached.extend(unix.rights().filter_map(|right| right.0.socket()).filter(|id| lost.remove(id)));
            if let UnixRole::Listener { queue, .. } = &unix.role {
                reached.extend(queue);
            }
        }
        let mut let_go = Vec::new();
        for id in lost {
            let mut all = alloc::vec![id];
            while let Some(unix) =
                all.pop().and_then(|id| self.sockets.get_mut(id)).and_then(Socket::unix_mut)
            {
                unix.queue.iter_mut().for_each(|message| let_go.append(&mut message.rights));
                if let UnixRole::Listener { queue, .. } = &unix.role {
                    all.extend(queue);
                }
            }
        }
        self.unix.discarded.append(&mut let_go);
    }
}

impl super::UnixSocket {
    fn rights(&self) -> impl Iterator<Item = &Right> {
        self.queue.iter().flat_map(|message| &message.rights)
    }
}
