//! Round-trip time and the retransmission timeout (RFC 6298).

use super::Limits;
use super::timers::nanos;
use core::time::Duration;

/// The estimate, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rtt {
    /// Zero until something was measured.
    srtt_us: u32,
    rttvar_us: u32,
    min_us: u32,
    rto_us: u32,
}

impl Rtt {
    pub(super) fn new(limits: &Limits) -> Self {
        let rto_us = micros(nanos(limits.rto_initial));
        Self { srtt_us: 0, rttvar_us: rto_us / 4, min_us: u32::MAX, rto_us }
    }

    /// A measurement of a segment that was sent once (Karn) or told apart by its timestamp.
    pub(super) fn sample(&mut self, rtt_ns: u64, limits: &Limits) {
        let rtt_us = micros(rtt_ns).max(1);
        self.min_us = self.min_us.min(rtt_us);
        if self.srtt_us == 0 {
            self.srtt_us = rtt_us;
            self.rttvar_us = rtt_us / 2;
        } else {
            let off = self.srtt_us.abs_diff(rtt_us);
            self.rttvar_us = self.rttvar_us - self.rttvar_us / 4 + off / 4;
            self.srtt_us = (self.srtt_us - self.srtt_us / 8 + rtt_us / 8).max(1);
        }
        // Linux: the minimum bounds the variance's part, so that the RTO never comes close to the RTT.
        let least = micros(nanos(limits.rto_min));
        let rto = self.srtt_us.saturating_add((self.rttvar_us.saturating_mul(4)).max(least));
        self.rto_us = rto.min(micros(nanos(limits.rto_max)));
    }

    /// The timeout before any doubling.
    pub(super) fn base(&self) -> Duration {
        Duration::from_micros(u64::from(self.rto_us))
    }

    /// The timeout, doubled `backoff` times.
    pub(super) fn rto(&self, backoff: u8, limits: &Limits) -> Duration {
        Duration::from_nanos(self.rto_ns(backoff, limits))
    }

    /// The same in nanoseconds.
    pub(super) fn rto_ns(&self, backoff: u8, limits: &Limits) -> u64 {
        ((u64::from(self.rto_us) * 1000) << backoff.min(20)).min(nanos(limits.rto_max))
    }

    /// Zero until something was measured.
    pub(super) fn srtt_ns(&self) -> u64 {
        u64::from(self.srtt_us) * 1000
    }

    /// Zero until something was measured.
    pub(super) fn min_ns(&self) -> u64 {
        if self.min_us == u32::MAX { 0 } else { u64::from(self.min_us) * 1000 }
    }

    pub(super) fn srtt(&self) -> Duration {
        Duration::from_nanos(self.srtt_ns())
    }

    pub(super) fn rttvar(&self) -> Duration {
        Duration::from_micros(u64::from(self.rttvar_us))
    }

    pub(super) fn min(&self) -> Duration {
        Duration::from_nanos(self.min_ns())
    }
}

fn micros(ns: u64) -> u32 {
    u32::try_from(ns / 1000).unwrap_or(u32::MAX)
}
