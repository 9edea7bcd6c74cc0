//! The direct path (`--direct`): two programs of one lab joined straight through the kernel's Unix socket.
//!
//! The connection is made in the host as any other, so that ports, states and errors are true; its bytes then
//! pass from carrier to carrier, and the host's connection stays idle until one side hangs up. Chosen at connect,
//! for life. What differs from TCP is a closed list (docs/COMPATIBILITY.md).

use crate::served::{self, Key, Phase};
use crate::server::Server;
use rustix::event::epoll::{self, EventFlags};
use rustix::net::{bind, connect};
use sockeye_core::host::SocketId;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// A connect that may take the direct path when its connection arrives.
#[derive(Debug)]
pub(crate) struct Attempt {
    client: Key,
    id: SocketId,
    copy: Arc<OwnedFd>,
}

impl Server {
    /// Lets the connect of `client` take the direct path if its peer is a program of this host. Says whether it
    /// did.
    pub(crate) fn connect_direct(&mut self, client: Key, id: SocketId, copy: &Arc<OwnedFd>) -> bool {
        if self.stream(client).is_none_or(|s| s.engine_only) {
            return false;
        }
        self.attempt = Some(Attempt { client, id, copy: Arc::clone(copy) });
        self.settle();
        self.attempt = None;
        matches!(self.stream(client).map(|s| &s.phase), Some(Phase::Direct { .. }))
    }

    /// A connection has arrived at `listener`: joins it straight with the client that is just connecting, if it
    /// is that one's.
    pub(crate) fn arrive_directly(&mut self, listener: Key, child: Key, child_id: SocketId) -> bool {
        let host = self.host_ref();
        let Some(attempt) = &self.attempt else { return false };
        let (ours, theirs) = (host.local_addr(attempt.id).ok(), host.peer_addr(child_id).ok());
        let same = match (ours, theirs) {
            (Some(a), Some(b)) => a.port() == b.port() && a.ip().to_canonical() == b.ip().to_canonical(),
            _ => false,
        };
        if !same || self.stream(listener).is_none_or(|s| s.engine_only || s.read_shut || s.write_shut) {
            return false;
        }
        let Some(Attempt { client, copy, .. }) = self.attempt.take() else { return false };
        // Named only once connected: where nobody listens any more the carrier stays as it was.
        let joined = connect(&copy, &self.names.carrier(listener)).is_ok()
            && bind(&copy, &self.names.arrival(child)).is_ok();
        if !joined {
            return false;
        }
        let _ = self.watch.add_hang_up(copy.as_fd(), client);
        crate::carrier::link::raise_writable_edge(&copy);
        self.set_phase(client, Phase::Direct { peer: child });
        self.set_phase(child, Phase::Direct { peer: client });
        true
    }

    /// Carriers of direct pairs whose other end went.
    pub(crate) fn hang_ups(&mut self) {
        let mut events = Vec::with_capacity(64);
        let now = rustix::event::Timespec { tv_sec: 0, tv_nsec: 0 };
        let _ = epoll::wait(self.watch.hang_ups(), rustix::buffer::spare_capacity(&mut events), Some(&now));
        for event in &events {
            let (data, flags) = (event.data.u64(), event.flags);
            if flags.contains(EventFlags::HUP) {
                self.peer_hung_up(served::key(data));
            }
        }
    }

    fn peer_hung_up(&mut self, key: Key) {
        let Some(Phase::Direct { peer }) = self.stream(key).map(|s| &s.phase) else { return };
        let peer = *peer;
        if !matches!(self.stream(peer).map(|s| &s.phase), Some(Phase::Direct { peer }) if *peer == key) {
            // It has left the pair by itself (connect to AF_UNSPEC) and goes on elsewhere.
            return;
        }
        let shut = |stream: Option<&mut served::Stream>| stream.is_some_and(|s| s.write_shut);
        // Both directions shut in order look the same: then the close is found when somebody asks.
        if shut(self.stream(key)) && shut(self.stream(peer)) {
            return;
        }
        self.stream_closed(peer, false);
    }
}
