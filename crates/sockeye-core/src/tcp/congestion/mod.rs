//! Congestion control: how much may be in flight.
//!
//! In: what loss recovery (`recover`) has found out. Out: the congestion window. The algorithms know neither
//! sequence numbers nor queues.

mod reno;

use super::Congestion;
use reno::Reno;

/// What an algorithm is told, and what it answers; everything in bytes.
pub(super) trait Control {
    /// The congestion window.
    fn window(&self) -> u32;
    /// The slow start threshold.
    fn threshold(&self) -> u32;
    /// New data was acknowledged outside of recovery while the window was what limited the sender.
    fn acknowledged(&mut self, bytes: u32, mss: u32);
    /// A loss was seen by duplicate acknowledgements with so much in flight (RFC 5681, 3.2).
    fn lost(&mut self, flight: u32, mss: u32);
    /// The retransmission timer expired; `first` when not yet for this data (RFC 5681, 3.1).
    fn timed_out(&mut self, flight: u32, mss: u32, first: bool);
    /// Recovery sets the window itself: inflation, partial and full acknowledgements (RFC 6582, 3.2).
    fn set_window(&mut self, bytes: u32);
    /// The path's segment size has changed: the initial window follows while nothing was sent.
    fn set_initial(&mut self, bytes: u32);
}

/// The algorithm of one connection.
#[derive(Clone, Debug)]
pub(super) enum Active {
    Reno(Reno),
}

impl Active {
    pub(super) fn new(algorithm: Congestion, initial: u32) -> Self {
        match algorithm {
            Congestion::Reno => Self::Reno(Reno::new(initial)),
        }
    }
}

impl core::ops::Deref for Active {
    type Target = dyn Control;
    fn deref(&self) -> &Self::Target {
        match self {
            Self::Reno(reno) => reno,
        }
    }
}

impl core::ops::DerefMut for Active {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Reno(reno) => reno,
        }
    }
}
