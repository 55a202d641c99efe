use std::time::Duration;

use super::charge::Held;
use super::lease::Left;
use super::leases::Known;
use super::limit::Question;
use super::{By, Refusal};
use crate::rate_limit::{Mode, Outcome, Quota};

/// What one policy says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    quota: Quota,
    mode: Mode,
    outcome: Outcome,
    refusal: Option<Refusal>,
    by: By,
    left: Option<Left>,
    retry_after: Option<Duration>,
}

/// What the policies say to a request, those that were asked.
///
/// Where one has rejected a request by what is known here, those are not asked that would have to
/// ask the store.
#[derive(Debug, Clone, Default)]
pub struct Decisions(Vec<(usize, Decision)>);

/// What one policy says, before all have.
#[derive(Debug)]
pub(super) struct Verdict {
    pub(super) refusal: Option<Refusal>,
    pub(super) by: By,
    pub(super) retry_after: Option<Duration>,
    pub(super) left: Option<Left>,
    pub(super) held: Option<Held>,
}

// === impl Decision ===

impl Decision {
    /// As the policy that was asked `question` has it, of a request that is `rejected` or not.
    pub(super) fn new(question: &Question, verdict: &Verdict, rejected: bool) -> Self {
        let outcome = match verdict.refusal {
            Some(_) => Outcome::refused(question.mode),
            None if rejected => Outcome::Uncharged,
            None => Outcome::Allowed,
        };
        let mut left = verdict.left;
        if let (Outcome::Uncharged, Some(left), Some(_)) = (outcome, &mut left, &verdict.held) {
            let units = left.units.saturating_add(question.cost);
            left.units = units.min(question.quota.burst());
        }
        Self {
            quota: question.quota,
            mode: question.mode,
            outcome,
            refusal: verdict.refusal,
            by: verdict.by,
            left,
            retry_after: verdict.retry_after,
        }
    }

    /// Whether the policy means it.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What becomes of the request.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Why it does not pass, where it does not.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        self.refusal
    }

    /// What has decided it.
    #[must_use]
    pub const fn by(&self) -> By {
        self.by
    }

    /// The quota that it was decided by.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// How many units its key has left, as this replica sees it: what the store had left when it was
    /// asked last, what time has given back since, and what is leased here. Others may have used
    /// some of it. `None` where nobody knows.
    #[must_use]
    pub fn remaining(&self) -> Option<u32> {
        self.left.map(|left| left.units)
    }

    /// When the same request passes, if nothing else comes in between. `None` where it does, never
    /// will, or nobody knows.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// When its key has one unit more. `None` where it has all, or nobody knows.
    #[must_use]
    pub fn next_unit(&self) -> Option<Duration> {
        self.left?.next
    }
}

// === impl Decisions ===

impl Decisions {
    pub(super) const fn new(each: Vec<(usize, Decision)>) -> Self {
        Self(each)
    }

    /// What each policy says, by its place in the limiter.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Decision)> {
        self.0.iter().map(|(at, decision)| (*at, decision))
    }

    /// The policies that have rejected the request.
    pub fn violated(&self) -> impl Iterator<Item = (usize, &Decision)> {
        self.iter()
            .filter(|(_, decision)| decision.outcome == Outcome::Rejected)
    }

    /// When the same request passes all policies. `None` where it does, never will, or nobody knows.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let mut longest = None;
        for (_, decision) in self.violated() {
            longest = longest.max(Some(decision.retry_after?));
        }
        longest
    }
}

// === impl Verdict ===

impl Verdict {
    /// By what is known here or the store has said.
    pub(super) fn known(by: By, known: Known, refusal: Refusal) -> Self {
        match known {
            Known::Taken(held, left) => Self {
                refusal: None,
                by,
                retry_after: None,
                left: Some(left),
                held: Some(held),
            },
            Known::Refused(wait, left) => Self {
                left: Some(left),
                ..Self::without(by, Some(refusal), Some(wait))
            },
        }
    }

    /// Of a budget of which nothing is known.
    pub(super) const fn without(
        by: By,
        refusal: Option<Refusal>,
        retry_after: Option<Duration>,
    ) -> Self {
        Self {
            refusal,
            by,
            retry_after,
            left: None,
            held: None,
        }
    }

    /// Whether it is enough to reject the request.
    pub(super) fn rejects(&self, question: &Question) -> bool {
        self.refusal.is_some() && question.mode == Mode::Enforce
    }
}
