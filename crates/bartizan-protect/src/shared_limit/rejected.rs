use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use super::Decisions;
use super::limit::Limits;
use crate::rate_limit::Fields;

/// A call that the policies have not let through, and that none of them has charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the shared rate limit {} {}", .0.violated[0], .0.refusal.says())]
pub struct Rejected(Box<Details>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    /// Never empty.
    violated: Vec<Arc<str>>,
    refusal: Refusal,
    retry_after: Option<Duration>,
    fields: Option<Fields>,
}

/// Why a call does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Its key's budget is used up, of all replicas together.
    QuotaExceeded,
    /// Its key's budget is used up that it has in this process while the
    /// [store is down](super::StoreDown::LocalOnly).
    LocalQuotaExceeded,
    /// It costs more than a burst: it never passes.
    CostAboveBurst,
    /// The store is down, and [nobody passes](super::StoreDown::Deny) then: no fault of the caller's.
    StoreDown,
    /// It [has to have a key](crate::rate_limit::MissingKey::Deny), and has none.
    KeyMissing,
}

// === impl Rejected ===

impl Rejected {
    /// Of decisions that have rejected it.
    pub(super) fn new(limits: &Limits, decisions: &Decisions, fields: Option<Fields>) -> Self {
        let mut violated: Vec<_> = decisions
            .violated()
            .filter_map(|(at, decision)| {
                // What its caller has done is worse than what nobody has, and of that what never
                // passes, and then the longest wait.
                let refusal = decision.refusal()?;
                let wait = decision.retry_after();
                let worse = (refusal != Refusal::StoreDown, wait.is_none(), wait);
                Some((Reverse(worse), at, refusal))
            })
            .collect();
        violated.sort_by_key(|(worse, ..)| *worse);
        let names = violated.iter().map(|(_, at, _)| {
            let policy = &limits.all[*at].policy;
            Arc::clone(&policy.name)
        });
        Self(Box::new(Details {
            violated: names.collect(),
            refusal: violated
                .first()
                .map_or(Refusal::StoreDown, |(.., refusal)| *refusal),
            retry_after: decisions.retry_after(),
            fields,
        }))
    }

    /// Which policies have rejected it, the one with the longest wait first.
    #[must_use]
    pub fn violated(&self) -> &[Arc<str>] {
        &self.0.violated
    }

    /// Why the first of them has.
    #[must_use]
    pub const fn refusal(&self) -> Refusal {
        self.0.refusal
    }

    /// When it may be worth another try. `None` where nobody knows, or it never is.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// What the answer should say in its head, of a rejected request.
    #[must_use]
    pub const fn fields(&self) -> Option<&Fields> {
        self.0.fields.as_ref()
    }
}

// === impl Refusal ===

impl Refusal {
    /// Its name, for labels: `quota_exceeded`, `local_quota_exceeded`, `cost_above_burst`,
    /// `store_down` or `key_missing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QuotaExceeded => "quota_exceeded",
            Self::LocalQuotaExceeded => "local_quota_exceeded",
            Self::CostAboveBurst => "cost_above_burst",
            Self::StoreDown => "store_down",
            Self::KeyMissing => "key_missing",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::QuotaExceeded | Self::LocalQuotaExceeded => "is exceeded",
            Self::CostAboveBurst => "never allows so much at once",
            Self::StoreDown => "cannot be asked",
            Self::KeyMissing => "needs a key",
        }
    }
}
