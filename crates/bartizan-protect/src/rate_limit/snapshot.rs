use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::decision::owed;
use super::limit::Limit;
use super::{Counts, Mode, Quota, gcra};

/// How a policy stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// Its name.
    pub policy: Arc<str>,
    /// Whether it means it.
    pub mode: Mode,
    /// What it allows.
    pub quota: Quota,
    /// What it has done so far.
    pub counts: Counts,
    /// How many entries its table has.
    pub slots: usize,
    /// How many bytes its table has.
    pub memory: usize,
}

/// What a key has left.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Usage {
    /// Which key.
    pub key: KeyHash,
    /// Its name, if the policy [knows it](super::Policy::with_names).
    pub name: Option<String>,
    /// How many units are left of the policy's quota; one that has a quota of its own may have
    /// more.
    pub remaining: u32,
    /// When its budget is full.
    pub full_in: Duration,
}

/// What is kept of a key: a hash that nobody outside this process can tell it by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(u64);

// === impl Snapshot ===

impl Snapshot {
    pub(super) fn of(limit: &Limit) -> Self {
        Self {
            policy: Arc::clone(&limit.policy.name),
            mode: limit.mode.get(),
            quota: limit.table.quota(),
            counts: limit.counts(),
            slots: limit.table.slots(),
            memory: limit.table.bytes(),
        }
    }
}

// === impl Usage ===

impl Usage {
    /// The `most` keys whose budgets are full the latest.
    pub(super) fn top(limit: &Limit, most: usize, now: u64) -> Vec<Self> {
        let mut latest = BinaryHeap::new();
        limit.table.each_live(now, |key, tat| {
            latest.push(Reverse((tat, key)));
            if latest.len() > most {
                latest.pop();
            }
        });
        let quota = limit.table.quota();
        let usage = |Reverse((tat, key)): Reverse<(u64, u64)>| {
            let tat = owed(tat, &quota, now);
            Self {
                key: KeyHash(key),
                name: limit.names.as_ref().and_then(|names| names.get(key)),
                remaining: gcra::remaining(&quota, tat, now),
                full_in: Duration::from_nanos(tat - now),
            }
        };
        latest.into_sorted_vec().into_iter().map(usage).collect()
    }
}

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyHash({self})")
    }
}
