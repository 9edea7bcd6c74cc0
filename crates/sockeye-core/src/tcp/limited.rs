//! What a sender spends its time on: busy, held back by the peer's window, or by its own buffer (`tcpi_busy_time` and
//! its neighbours; Linux: tcp_chrono_start).
//!
//! In: that data is queued, sent, acknowledged, refused. Out: the sum of each time. One of the three runs at a time.

use super::block::Marks;
use super::connection::Connection;
use crate::time::Instant;
use alloc::boxed::Box;
use core::time::Duration;

/// The clocks.
#[derive(Clone, Debug, Default)]
pub(super) struct Limited {
    kind: Kind,
    since: Instant,
    busy_ns: u64,
    /// By the window, and by the buffer: most connections never are.
    limited_ns: Option<Box<[u64; 2]>>,
}

/// What is the limit now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Kind {
    /// Nothing is queued.
    #[default]
    Idle,
    /// The network, or the program.
    Busy,
    /// The peer's window.
    Window,
    /// The send buffer: all of it is in flight, and the program has more.
    Buffer,
}

impl Limited {
    fn set(&mut self, kind: Kind, now: Instant) {
        let passed = now.0.saturating_sub(self.since.0);
        match self.kind {
            Kind::Idle => {}
            Kind::Busy => self.busy_ns += passed,
            Kind::Window => self.limited_ns.get_or_insert_default()[0] += passed,
            Kind::Buffer => self.limited_ns.get_or_insert_default()[1] += passed,
        }
        (self.kind, self.since) = (kind, now);
    }

    /// Time with data queued, and how much of it was limited by the peer's window, and by the buffer.
    pub(super) fn times(&self, now: Instant) -> [Duration; 3] {
        let mut upto = self.clone();
        upto.set(self.kind, now);
        let [window, buffer] = *upto.limited_ns.unwrap_or_default();
        [upto.busy_ns + window + buffer, window, buffer].map(Duration::from_nanos)
    }
}

impl Connection {
    /// New data goes out: neither window nor buffer holds it back.
    pub(super) fn note_busy(&mut self, now: Instant) {
        if self.limited.kind != Kind::Busy {
            self.limited.set(Kind::Busy, now);
        }
    }

    /// Nothing more goes out now; why?
    pub(super) fn note_limit(&mut self, now: Instant) {
        let unsent = self.unsent() as u32;
        let wanted = unsent.min(u32::from(self.snd.mss));
        let kind = if self.snd.queue.len() == 0 {
            Kind::Idle
        } else if unsent > 0 && self.peer_room() < wanted && !self.marks.contains(Marks::CWND_LIMITED) {
            Kind::Window
        } else if unsent == 0 && self.marks.contains(Marks::NO_SPACE) && !self.is_window_full() {
            Kind::Buffer
        } else {
            Kind::Busy
        };
        if kind != self.limited.kind {
            self.limited.set(kind, now);
        }
    }

    /// The congestion window has no room for a segment.
    fn is_window_full(&self) -> bool {
        self.pipe() + u32::from(self.snd.mss) > self.congestion.window()
    }
}
