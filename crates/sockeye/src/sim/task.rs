//! A task's end, as whoever started it sees it.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// What a task shares with its handle.
#[derive(Debug)]
pub(super) struct Slot<T> {
    end: Mutex<End<T>>,
    pub(super) aborted: Arc<AtomicBool>,
    wake_task: Mutex<Option<Waker>>,
}

#[derive(Debug)]
struct End<T> {
    value: Option<T>,
    ended: bool,
    waiting: Option<Waker>,
}

/// Waits for a task; dropping it lets the task go on.
#[derive(Debug)]
pub struct JoinHandle<T>(Arc<Slot<T>>);

/// A task that did not come to its end: it was aborted, or its host crashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinError(());

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task was ended before it was done")
    }
}

impl std::error::Error for JoinError {}

impl<T> Slot<T> {
    pub(super) fn new() -> Arc<Self> {
        let end = Mutex::new(End { value: None, ended: false, waiting: None });
        Arc::new(Self { end, aborted: Arc::default(), wake_task: Mutex::new(None) })
    }

    fn finish(&self, value: Option<T>) {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut end.ended, true) {
            end.value = value;
        }
        let waiting = end.waiting.take();
        drop(end);
        waiting.into_iter().for_each(Waker::wake);
    }
}

impl<T> JoinHandle<T> {
    pub(super) fn of(slot: Arc<Slot<T>>) -> Self {
        Self(slot)
    }

    /// Ends the task at its next turn.
    pub fn abort(&self) {
        self.0.aborted.store(true, Ordering::Relaxed);
        let waker = self.0.wake_task.lock().unwrap_or_else(PoisonError::into_inner).take();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Whether it has come to an end, its own or another.
    pub fn is_finished(&self) -> bool {
        self.0.end.lock().unwrap_or_else(PoisonError::into_inner).ended
    }
}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut end = self.0.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.ended {
            return Poll::Ready(end.value.take().ok_or(JoinError(())));
        }
        end.waiting = Some(cx.waker().clone());
        Poll::Pending
    }
}

/// Tells the handle even when the task is dropped on its way.
struct Tells<T>(Arc<Slot<T>>);

impl<T> Drop for Tells<T> {
    fn drop(&mut self) {
        self.0.finish(None);
    }
}

/// A future that tells its slot of its end.
pub(super) async fn told<F: Future>(future: F, slot: Arc<Slot<F::Output>>) {
    let tells = Tells(slot);
    let mut future = std::pin::pin!(future);
    let aborted = Arc::clone(&tells.0.aborted);
    let value = std::future::poll_fn(|cx| {
        if aborted.load(Ordering::Relaxed) {
            return Poll::Ready(None);
        }
        *tells.0.wake_task.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        future.as_mut().poll(cx).map(Some)
    })
    .await;
    tells.0.finish(value);
}
