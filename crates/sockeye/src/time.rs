//! The lab's time for tasks: sleep, timeout, interval, yield.
//!
//! In: a [`Net`], whose lab has the clock, and a time. Out: futures that any executor can poll. In a lab in real time
//! the lab's thread wakes them; in simulated time the executor moves the clock to them.

use crate::net::Net;
use crate::running::Running;
use crate::running::timers::TimerKey;
use sockeye_core::Instant;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// A lab, seen as a clock.
#[derive(Clone, Copy)]
pub(crate) struct Clocked<'a>(pub(crate) &'a Arc<Running>);

impl Clocked<'_> {
    pub(crate) fn sleep_until(self, at: Instant) -> Sleep {
        Sleep { running: Arc::clone(self.0), at, timer: None }
    }

    fn sleep(self, time: Duration) -> Sleep {
        self.sleep_until(self.0.look(|_, now| now) + time)
    }
}

/// The lab's time.
impl Net {
    /// Waits for a while.
    pub fn sleep(&self, time: Duration) -> Sleep {
        self.clocked().sleep(time)
    }

    /// Waits until a point in the lab's time.
    pub fn sleep_until(&self, at: Instant) -> Sleep {
        self.clocked().sleep_until(at)
    }

    /// Gives a future so much time; it is dropped when the time is over.
    ///
    /// # Errors
    /// [`Elapsed`] then.
    pub async fn timeout<F: Future>(&self, time: Duration, future: F) -> Result<F::Output, Elapsed> {
        let mut sleep = self.sleep(time);
        let mut future = std::pin::pin!(future);
        std::future::poll_fn(|cx| {
            if let Poll::Ready(answer) = future.as_mut().poll(cx) {
                return Poll::Ready(Ok(answer));
            }
            Pin::new(&mut sleep).poll(cx).map(|()| Err(Elapsed(())))
        })
        .await
    }

    /// Ticks every `period`, the first at once; none is left out when one comes late.
    pub fn interval(&self, period: Duration) -> Interval {
        Interval { net: self.clone(), next: self.now(), period }
    }
}

/// See [`Net::sleep`].
#[must_use = "a sleep does nothing until it is awaited"]
pub struct Sleep {
    running: Arc<Running>,
    at: Instant,
    timer: Option<TimerKey>,
}

impl Sleep {
    /// When it is over.
    pub fn deadline(&self) -> Instant {
        self.at
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { running, at, timer } = &mut *self;
        let mut state = running.lock();
        let now = state.now();
        let is_over = *at <= now;
        if !is_over && timer.is_some_and(|timer| state.timers.wakes(timer, cx.waker())) {
            return Poll::Pending;
        }
        let retired = timer.take().and_then(|timer| state.timers.clear(timer));
        if !is_over {
            *timer = Some(state.timers.set(*at, cx.waker().clone()));
        }
        running.leave(state, now);
        drop(retired);
        if is_over { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some(timer) = self.timer.take() else { return };
        let retired = self.running.lock_for_drop().and_then(|mut state| state.timers.clear(timer));
        drop(retired);
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep").field("deadline", &self.at).finish()
    }
}

/// The time given by [`Net::timeout`] was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(());

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("deadline has elapsed")
    }
}

impl std::error::Error for Elapsed {}

impl From<Elapsed> for std::io::Error {
    fn from(elapsed: Elapsed) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, elapsed)
    }
}

/// See [`Net::interval`].
#[derive(Debug)]
pub struct Interval {
    net: Net,
    next: Instant,
    period: Duration,
}

impl Interval {
    /// Waits for the next tick; says when it was due.
    pub async fn tick(&mut self) -> Instant {
        let due = self.next;
        self.net.sleep_until(due).await;
        self.next = due + self.period;
        due
    }
}

/// Lets other tasks have their turn.
pub async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
