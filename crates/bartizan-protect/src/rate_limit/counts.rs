use super::Outcome;

/// What a policy has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// Requests that it has allowed and charged.
    pub allowed: u64,
    /// Requests that it has rejected.
    pub rejected: u64,
    /// Requests that it would have rejected, had it been [enforced](super::Mode).
    pub shadow_rejected: u64,
    /// Requests that it would have allowed, and another policy has rejected.
    pub uncharged: u64,
    /// Requests whose key could not be found, and that were treated by
    /// [`MissingKey`](super::MissingKey).
    pub keyless: u64,
    /// Decisions on keys that have found no place in the table, and were treated by
    /// [`Overflow`](super::Overflow).
    pub overflowed: u64,
    /// Keys that have lost their place to another, and with it what they had used.
    pub evicted: u64,
}

// === impl Counts ===

impl Counts {
    pub(super) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Allowed => self.allowed += 1,
            Outcome::Rejected => self.rejected += 1,
            Outcome::ShadowRejected => self.shadow_rejected += 1,
            Outcome::Uncharged => self.uncharged += 1,
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            allowed: self.allowed + other.allowed,
            rejected: self.rejected + other.rejected,
            shadow_rejected: self.shadow_rejected + other.shadow_rejected,
            uncharged: self.uncharged + other.uncharged,
            keyless: self.keyless + other.keyless,
            overflowed: self.overflowed + other.overflowed,
            evicted: self.evicted + other.evicted,
        }
    }
}
