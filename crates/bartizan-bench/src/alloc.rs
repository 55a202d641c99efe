//! Counts what the measuring thread asks of the allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ops::Sub;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    // Per thread, so that exporter threads don't pollute the count; `const` and without a
    // destructor, so that reading it never allocates and works while a thread ends.
    static COUNT: Cell<Count> = const { Cell::new(Count { allocations: 0, bytes: 0 }) };
}

/// Allocations of one thread; a reallocation counts as one of its new size.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Count {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
struct Counting;

/// What the calling thread has asked for since it started.
pub(crate) fn count() -> Count {
    COUNT.get()
}

/// How often the calling thread asks for memory while it does this work.
#[cfg(test)]
pub(crate) fn allocations<T>(work: impl FnOnce() -> T) -> u64 {
    let before = count();
    work();
    (count() - before).allocations
}

// === impl Count ===

impl Sub for Count {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            allocations: self.allocations - earlier.allocations,
            bytes: self.bytes - earlier.bytes,
        }
    }
}

// === impl Counting ===

impl Counting {
    fn note(size: usize) {
        let Count { allocations, bytes } = COUNT.get();
        COUNT.set(Count {
            allocations: allocations + 1,
            bytes: bytes + size as u64,
        });
    }
}

#[expect(
    unsafe_code,
    reason = "a global allocator is an unsafe trait, and there is no other way to count allocations"
)]
// SAFETY: every call goes to `System` with the arguments as they came, so `System`'s guarantees
// are ours; the counting touches a thread-local `Cell` that neither allocates nor unwinds.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size());
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note(layout.size());
        // SAFETY: the caller keeps `alloc_zeroed`'s contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, ptr: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        Self::note(new_size);
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(ptr, layout, new_size) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_threads_allocations_are_counted() {
        let start = count();
        let other = std::thread::spawn(|| drop(std::hint::black_box(vec![0_u8; 1 << 20])));
        other.join().unwrap();
        let spawned = count() - start;
        assert!(spawned.bytes < 1 << 20, "{spawned:?}");

        let start = count();
        drop(std::hint::black_box(Vec::<u8>::with_capacity(100)));
        let own = count() - start;
        assert_eq!((own.allocations, own.bytes), (1, 100));
    }
}
