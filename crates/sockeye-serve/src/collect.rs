//! The end of sockets that no program has any more.
//!
//! In: the list of carriers that live (watch.rs). Out: sockets of the host closed. It is asked for where a port
//! seems taken and by `ss`; by itself it runs when the records have doubled, so that each socket pays O(1).

use crate::served::{Key, Kind};
use crate::server::Server;

/// Records below which no collection is worth it.
pub(crate) const COLLECT_MIN: usize = 256;

impl Server {
    /// Removes a record and closes its socket of the host.
    pub(crate) fn forget(&mut self, key: Key) {
        let id = self.socket_id(key);
        let Some(served) = self.served.remove(key) else { return };
        self.cookies.remove(&served.cookie);
        if let Some(id) = id {
            let now = self.now;
            if self.host_ref().contains(id) {
                self.host().close(id, now);
            }
        }
    }

    /// Collects when the records have doubled since the last time: O(1) for each socket made.
    pub(crate) fn collect_when_due(&mut self) {
        if self.served.len() >= self.collect_at {
            self.collect();
        }
    }

    /// Ends every socket whose carrier is open in no program any more.
    pub(crate) fn collect(&mut self) {
        self.release_dead_calls();
        let Ok(alive) = self.watch.alive() else { return };
        let gone: Vec<Key> = self
            .served
            .iter()
            .filter(|(key, served)| served.cookie != 0 && !alive.contains_key(key))
            .map(|(key, _)| key)
            .collect();
        for key in gone {
            self.program_gone(key);
        }
        self.collect_at = (self.served.len() * 2).max(COLLECT_MIN);
    }

    /// The last descriptor of a carrier was closed.
    fn program_gone(&mut self, key: Key) {
        match self.served.get(key).map(|s| &s.kind) {
            Some(Kind::Stream(_)) => self.stream_gone(key),
            Some(_) => self.forget(key),
            None => {}
        }
    }
}
