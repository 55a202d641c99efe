use std::sync::atomic::{AtomicU64, Ordering};

use super::{By, Decisions};

/// What a limiter has done since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that were let through.
    pub allowed: u64,
    /// Requests that were rejected.
    pub rejected: u64,
    /// Requests of both that a policy has decided without the store, because it was down or too slow.
    pub without_store: u64,
    /// How often the store was asked.
    pub asked: u64,
    /// How often it has not answered as it should.
    pub failed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    allowed: AtomicU64,
    rejected: AtomicU64,
    without_store: AtomicU64,
    asked: AtomicU64,
    failed: AtomicU64,
}

// === impl Counters ===

impl Counters {
    pub(super) fn decided(&self, rejected: bool, decisions: &Decisions) {
        add(match rejected {
            true => &self.rejected,
            false => &self.allowed,
        });
        let mut by = decisions.iter().map(|(_, decision)| decision.by());
        if by.any(|by| by == By::StoreDown) {
            add(&self.without_store);
        }
    }

    pub(super) fn asked(&self) {
        add(&self.asked);
    }

    pub(super) fn failed(&self) {
        add(&self.failed);
    }

    pub(super) fn read(&self) -> Counts {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Counts {
            allowed: read(&self.allowed),
            rejected: read(&self.rejected),
            without_store: read(&self.without_store),
            asked: read(&self.asked),
            failed: read(&self.failed),
        }
    }
}

// Nothing else is published by a count.
fn add(count: &AtomicU64) {
    count.fetch_add(1, Ordering::Relaxed);
}
