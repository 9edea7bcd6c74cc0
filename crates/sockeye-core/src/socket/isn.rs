//! Initial sequence numbers (RFC 6528): a clock plus a keyed hash of the four values.

use crate::rng::Rng;
use crate::time::Instant;
use crate::wire::tcp::Seq;
use crate::wire::to_v6;
use core::hash::Hasher;
use core::net::SocketAddr;
use siphasher::sip::SipHasher13;

/// A secret of the host for hashes that outsiders must not foresee.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Key(u64, u64);

impl Key {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        Self(rng.next_u64(), rng.next_u64())
    }

    /// The hash of two names.
    pub(crate) fn hash(&self, local: SocketAddr, remote: SocketAddr) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.0, self.1);
        hasher.write_u128(to_v6(local.ip()).to_bits());
        hasher.write_u128(to_v6(remote.ip()).to_bits());
        hasher.write_u32(u32::from(local.port()) << 16 | u32::from(remote.port()));
        hasher.finish()
    }
}

impl Key {
    /// The hash of two names and a number.
    pub(crate) fn hash_with(&self, local: SocketAddr, remote: SocketAddr, number: u64) -> u32 {
        let mut hasher = SipHasher13::new_with_keys(self.0, !self.1);
        hasher.write_u64(self.hash(local, remote));
        hasher.write_u64(number);
        hasher.finish() as u32
    }
}

/// The first sequence number of a connection. The clock ticks every 64 ns, as Linux's does, so that a number
/// comes back after 274 s and not within a segment's life.
pub(crate) fn initial(key: &Key, local: SocketAddr, remote: SocketAddr, now: Instant) -> Seq {
    Seq((key.hash(local, remote) as u32).wrapping_add((now.0 >> 6) as u32))
}
