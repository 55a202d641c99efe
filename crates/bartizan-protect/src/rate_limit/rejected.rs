use std::sync::Arc;
use std::time::Duration;

use super::core::Core;
use super::{Decisions, Fields, Refusal};

/// A call that the policies have not let through, and that none of them has charged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rate limit {} {}", .0.violated[0], .0.refusal.says())]
pub struct Rejected(Box<Details>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Details {
    /// Never empty.
    violated: Box<[Arc<str>]>,
    refusal: Refusal,
    retry_after: Option<Duration>,
    fields: Option<Fields>,
}

// === impl Rejected ===

impl Rejected {
    /// `None` where `decisions` let it through.
    pub(super) fn new(core: &Core, decisions: &Decisions, fields: bool) -> Option<Self> {
        // One that never passes is worse than any wait, and of two the longer is.
        let worst = decisions.violated().max_by_key(|(_, decision)| {
            let wait = decision.retry_after();
            (wait.is_none(), wait)
        })?;
        let name = |at: usize| Arc::clone(&core.limits[at].policy.name);
        let others = decisions.violated().filter(|(at, _)| *at != worst.0);
        let violated = std::iter::once(worst).chain(others);
        Some(Self(Box::new(Details {
            violated: violated.map(|(at, _)| name(at)).collect(),
            refusal: worst.1.refusal()?,
            retry_after: decisions.retry_after(),
            fields: fields.then(|| Fields::new(core, decisions)).flatten(),
        })))
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

    /// When the same call passes, if nothing else comes in between. `None` where it never will.
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
    const fn says(self) -> &'static str {
        match self {
            Self::QuotaExceeded => "is exceeded",
            Self::CostAboveBurst => "never allows so much at once",
            Self::TableFull => "takes no new keys",
            Self::KeyMissing => "needs a key",
        }
    }
}
