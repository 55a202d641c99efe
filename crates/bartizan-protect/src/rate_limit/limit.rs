use std::sync::atomic::{AtomicU64, Ordering};

use super::mode::ModeCell;
use super::names::Names;
use super::table::Table;
use super::{Counts, Policy, fields};

/// A policy at work.
#[derive(Debug)]
pub(super) struct Limit {
    pub(super) policy: Policy,
    /// Its name, as answers say it.
    pub(super) said: Box<[u8]>,
    pub(super) mode: ModeCell,
    pub(super) table: Table,
    pub(super) names: Option<Names>,
    keyless: AtomicU64,
}

// === impl Limit ===

impl Limit {
    pub(super) fn new(policy: Policy) -> Self {
        // All requests are one key.
        let capacity = match policy.keys.is_global() {
            true => 1,
            false => policy.capacity,
        };
        Self {
            mode: ModeCell::new(policy.mode),
            table: Table::new(capacity, policy.overflow, policy.quota),
            names: Names::new(policy.names),
            keyless: AtomicU64::new(0),
            said: fields::string(&policy.name),
            policy,
        }
    }

    /// Counts a request without a key, and says whether it is the first one.
    #[cold]
    pub(super) fn count_keyless(&self) -> bool {
        self.keyless.fetch_add(1, Ordering::Relaxed) == 0
    }

    pub(super) fn counts(&self) -> Counts {
        Counts {
            keyless: self.keyless.load(Ordering::Relaxed),
            ..self.table.counts()
        }
    }
}
