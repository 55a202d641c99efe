//! What the event that is being written has to tell beside its fields, which cannot be added to.

use std::cell::Cell;

use tracing::Metadata;

thread_local! {
    static SUPPRESSED: Cell<u64> = const { Cell::new(0) };
    static SUMMARY: Cell<Option<&'static Metadata<'static>>> = const { Cell::new(None) };
}

/// How many events were left out before the one that is being written on this thread.
pub(crate) fn suppressed() -> u64 {
    SUPPRESSED.get()
}

/// Until it is dropped, what is written tells this number. Fields may log while they are printed,
/// so these nest.
pub(crate) struct Telling {
    before: u64,
}

impl Telling {
    pub(crate) fn begin(suppressed: u64) -> Self {
        Self {
            before: SUPPRESSED.replace(suppressed),
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        SUPPRESSED.set(self.before);
    }
}

/// Until it is dropped, events of one call site are not the application's but ours, to tell what
/// that site has left out.
pub(super) struct Summary {
    before: Option<&'static Metadata<'static>>,
}

impl Summary {
    pub(super) fn of(site: &'static Metadata<'static>) -> Self {
        Self {
            before: SUMMARY.replace(Some(site)),
        }
    }

    pub(super) fn is_of(site: &'static Metadata<'static>) -> bool {
        SUMMARY
            .get()
            .is_some_and(|current| std::ptr::eq(current, site))
    }
}

impl Drop for Summary {
    fn drop(&mut self) {
        SUMMARY.set(self.before);
    }
}
