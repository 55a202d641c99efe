//! Counts the bytes that a thread holds.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

#[global_allocator]
static ALLOCATOR: Holding = Holding;

thread_local! {
    // Per thread, so that tests can run beside one another; `const` and without a destructor, so
    // that reading it never allocates and works while a thread ends.
    static HELD: Cell<Held> = const { Cell::new(Held { now: 0, most: 0 }) };
}

#[derive(Clone, Copy)]
struct Held {
    /// Below 0 where what another thread has allocated was freed here.
    now: isize,
    most: isize,
}

struct Holding;

/// How many bytes the thread holds at most, at any time while it does this work, besides those that
/// it held before; and what the work gives.
pub(crate) fn most<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.get().now;
    HELD.set(Held {
        now: before,
        most: before,
    });
    let given = work();
    (HELD.get().most.saturating_sub(before).unsigned_abs(), given)
}

// === impl Holding ===

impl Holding {
    /// More by `size`, or less.
    fn note(size: isize) {
        let Held { now, most } = HELD.get();
        let now = now + size;
        let most = most.max(now);
        HELD.set(Held { now, most });
    }
}

#[expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait, and there is no other way to count bytes"
)]
// SAFETY: every call goes to `System` with the arguments as they came, so `System`'s guarantees
// are ours; the counting touches a thread-local `Cell` that neither allocates nor unwinds.
unsafe impl GlobalAlloc for Holding {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size().cast_signed());
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size().cast_signed());
        // SAFETY: the caller keeps `alloc_zeroed`'s contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // While it moves, both are there.
        Self::note(new_size.cast_signed());
        Self::note(-layout.size().cast_signed());
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        Self::note(-layout.size().cast_signed());
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[test]
fn the_most_that_was_held_is_known_after_it_was_freed() {
    let kept = vec![0_u8; 1_000];
    let (most, ()) = most(|| {
        drop(std::hint::black_box(vec![0_u8; 300]));
        drop(std::hint::black_box(vec![0_u8; 200]));
    });
    assert_eq!(most, 300);
    drop(kept);
}
