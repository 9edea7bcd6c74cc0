//! The system's allocator, with a count of what is in use while somebody asks for it.
//!
//! Counting costs two atomic operations a call, which would be charged to whoever allocates most; so it is off except
//! where memory is what is measured, and a call then costs one load more than the system's.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

#[global_allocator]
static COUNTER: Counter = Counter;
static COUNTING: AtomicBool = AtomicBool::new(false);
static IN_USE: AtomicIsize = AtomicIsize::new(0);

struct Counter;

/// Bytes that `make` has taken and not given back; what it made is kept until they were counted.
pub(crate) fn bytes_taken<T>(make: impl FnOnce() -> T) -> usize {
    IN_USE.store(0, Ordering::Relaxed);
    COUNTING.store(true, Ordering::Relaxed);
    let made = make();
    COUNTING.store(false, Ordering::Relaxed);
    drop(made);
    usize::try_from(IN_USE.load(Ordering::Relaxed)).unwrap_or(0)
}

fn count(bytes: isize) {
    if COUNTING.load(Ordering::Relaxed) {
        IN_USE.fetch_add(bytes, Ordering::Relaxed);
    }
}

// SAFETY: every call is the system allocator's, with the arguments as they came; counting touches atomics only.
unsafe impl GlobalAlloc for Counter {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract of `alloc`, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: the block came from the system's allocator with this layout.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: as above; the new size is the caller's.
        unsafe { System.realloc(block, layout, size) }
    }
}
