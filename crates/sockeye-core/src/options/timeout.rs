//! `SO_RCVTIMEO` and `SO_SNDTIMEO`: how long who blocks waits.
//!
//! In: a `struct timeval`. Out: the same, rounded up to the host's ticks as Linux does (sock_set_timeout),
//! under the old numbers and the new ones alike. Nothing here waits: the layer above asks and does.

use super::SocketOptions;
use super::table::SOL_SOCKET;
use crate::errno::{Errno, Result};
use crate::host::{Host, OptionValue, SocketId};

impl Host {
    /// EINVAL when it is too short, EDOM when the microseconds are no fraction of a second.
    pub(super) fn set_timeout(&mut self, id: SocketId, name: i32, value: &[u8]) -> Result<()> {
        let (seconds, micros) = (word(value, 0)?, word(value, 8)?);
        if !(0..MICROS).contains(&micros) {
            return Err(Errno::EDOM);
        }
        let hz = i64::from(self.config.ticks_per_second.max(1));
        // Linux waits forever instead of longer than it can count, and (oddly) not at all before zero: both read
        // as zero.
        let ticks = match seconds {
            0..=i64::MAX if seconds < i64::MAX / hz - 1 => seconds * hz + ticks_of(micros, hz),
            _ => 0,
        };
        let (seconds, micros) = (ticks / hz, ticks % hz * MICROS / hz);
        let mut kept = OptionValue::from_slice(&seconds.to_ne_bytes());
        kept.extend_from_slice(&micros.to_ne_bytes());
        self.socket_mut(id)?.options.store(SOL_SOCKET, old_number(name), kept);
        Ok(())
    }
}

impl SocketOptions {
    pub(super) fn timeout(&self, name: i32) -> OptionValue {
        let stored = self.stored(SOL_SOCKET, old_number(name));
        stored.cloned().unwrap_or_else(|| OptionValue::from_slice(&[0; 16]))
    }
}

/// Rounded up: `DIV_ROUND_UP(micros, USEC_PER_SEC / HZ)`.
fn ticks_of(micros: i64, hz: i64) -> i64 {
    let tick = (MICROS / hz).max(1);
    (micros + tick - 1) / tick
}

fn word(value: &[u8], at: usize) -> Result<i64> {
    let bytes = value.get(at..).and_then(|rest| rest.first_chunk()).ok_or(Errno::EINVAL)?;
    Ok(i64::from_ne_bytes(*bytes))
}

fn old_number(name: i32) -> i32 {
    match name {
        SO_RCVTIMEO_NEW => SO_RCVTIMEO,
        SO_SNDTIMEO_NEW => SO_SNDTIMEO,
        name => name,
    }
}

const MICROS: i64 = 1_000_000;
pub(super) const SO_RCVTIMEO: i32 = 20;
pub(super) const SO_SNDTIMEO: i32 = 21;
pub(super) const SO_RCVTIMEO_NEW: i32 = 66;
pub(super) const SO_SNDTIMEO_NEW: i32 = 67;
