//! The choice of ports: RFC 6056, algorithm 4 (double hash) for connect, a random start for bind.
//!
//! Connect looks at ports of the parity of the range's first and bind at the others before they meet, as
//! Linux does, so that binds of port 0 do not stand in connects' way. Connections to different destinations
//! share a port; each destination's offset moves on with every connect, so the first look mostly fits.

use crate::rng::Rng;
use alloc::boxed::Box;

/// The table of algorithm 4, and the range.
#[derive(Debug)]
pub(crate) struct Ephemeral {
    range: Range,
    table: Box<[u32; TABLE_LEN]>,
}

/// Ports next to each other.
#[derive(Clone, Copy, Debug)]
struct Range {
    first: u16,
    count: u32,
}

impl Ephemeral {
    pub(crate) fn new((first, last): (u16, u16), rng: &mut Rng) -> Self {
        let mut table = Box::new([0; TABLE_LEN]);
        table.iter_mut().for_each(|offset| *offset = rng.next_u32());
        Self { range: Range::new(first.max(1), last), table }
    }

    /// The port for a destination whose keyed hash is `hash`: the first that `free` lets through, within the socket's
    /// own range (see [`Range::narrowed`]).
    pub(crate) fn for_connect(
        &mut self,
        own: (u16, u16),
        hash: u64,
        free: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let range = self.range.narrowed(own);
        let slot = (hash >> 32) as usize % TABLE_LEN;
        let start = (hash as u32).wrapping_add(self.table[slot]) % range.count;
        let (port, tried) = range.search(start & !1, free)?;
        self.table[slot] = self.table[slot].wrapping_add(tried + 2);
        Some(port)
    }

    /// The port for a bind of port 0.
    pub(crate) fn for_bind(
        &self,
        own: (u16, u16),
        rng: &mut Rng,
        free: impl FnMut(u16) -> bool,
    ) -> Option<u16> {
        let range = self.range.narrowed(own);
        range.search(rng.below(range.count) | 1, free).map(|(port, _)| port)
    }
}

impl Range {
    fn new(first: u16, last: u16) -> Self {
        Self { first, count: u32::from(last.max(first)) - u32::from(first) + 1 }
    }

    /// As far as it lies in a socket's range (`IP_LOCAL_PORT_RANGE`): an end of that which is 0 or outside counts for
    /// nothing (inet_sk_get_local_port_range).
    fn narrowed(self, (low, high): (u16, u16)) -> Self {
        let last = self.first + (self.count - 1) as u16;
        let within = |port: u16| (self.first..=last).contains(&port);
        let first = if within(low) { low } else { self.first };
        Self::new(first, if within(high) { high } else { last })
    }

    /// Ports from `start` on by twos and around, then those between; and how far it went.
    fn search(self, start: u32, mut free: impl FnMut(u16) -> bool) -> Option<(u16, u32)> {
        let half = self.count.div_ceil(2);
        for parity in [0, 1] {
            for i in 0..half {
                let offset = ((start ^ parity) / 2 + i) % half * 2 + ((start ^ parity) & 1);
                if offset >= self.count {
                    continue;
                }
                let port = self.first + offset as u16;
                if free(port) {
                    return Some((port, 2 * i));
                }
            }
        }
        None
    }
}

const TABLE_LEN: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;

    #[test]
    fn every_port_of_the_range_is_found_once() {
        for last in [1000, 1001, 1006, 1007] {
            let mut ports = Ephemeral::new((1000, last), &mut Rng::new(1));
            let mut taken = BTreeSet::new();
            while let Some(port) = ports.for_connect((0, 0), 77, |port| !taken.contains(&port)) {
                assert!(taken.insert(port));
            }
            assert_eq!(taken, (1000..=last).collect());
        }
    }

    #[test]
    fn bind_and_connect_prefer_different_parities() {
        let mut rng = Rng::new(2);
        let mut ports = Ephemeral::new((32768, 60999), &mut rng);
        assert_eq!(ports.for_connect((0, 0), 5, |_| true).unwrap() % 2, 0);
        assert_eq!(ports.for_bind((0, 0), &mut rng, |_| true).unwrap() % 2, 1);
    }

    #[test]
    fn a_socket_s_own_range_is_kept() {
        let mut ports = Ephemeral::new((1000, 1999), &mut Rng::new(3));
        let mut taken = BTreeSet::new();
        while let Some(port) = ports.for_connect((1990, 0), 7, |port| !taken.contains(&port)) {
            assert!(taken.insert(port));
        }
        assert_eq!(taken, (1990..=1999).collect());
        assert_eq!(ports.for_bind((1005, 1005), &mut Rng::new(1), |_| true), Some(1005));
        // Ends outside the host's range count for nothing.
        assert!((1000..=1999).contains(&ports.for_bind((10, 60000), &mut Rng::new(1), |_| true).unwrap()));
    }
}
