use std::num::NonZeroU32;
use std::time::Duration;

use smallvec::SmallVec;

use super::gcra::{self, Verdict};
use super::table::{Home, Place};
use super::{MAX_POLICIES, Mode, Quota};

/// What one policy says to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    quota: Quota,
    pub(super) key: u64,
    /// When the key's budget is full, and when that was looked up: in nanoseconds since the limiter
    /// was made.
    pub(super) tat: u64,
    now: u64,
    /// How long the request has to wait in nanoseconds, where that is why it does not pass.
    wait: u64,
    pub(super) cost: NonZeroU32,
    /// The policy's place in the limiter.
    pub(super) policy: u8,
    mode: Mode,
    outcome: Outcome,
    refusal: Option<Refusal>,
    /// Whether the quota is the key's own, and not the policy's.
    overridden: bool,
    /// Whether the key shares its budget with others, for lack of room.
    pub(super) shares: bool,
}

/// What becomes of a request by a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It passes, and is charged.
    Allowed,
    /// It does not pass.
    Rejected,
    /// It would not pass if the policy were [enforced](super::Mode). It is not charged.
    ShadowRejected,
    /// It would pass, but another policy has rejected it. It is not charged.
    Uncharged,
}

/// Why a request does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// Its key's budget is used up.
    QuotaExceeded,
    /// It costs more than a burst: it never passes.
    CostAboveBurst,
    /// The table is full, and [nobody new](super::Overflow::Deny) is let in.
    TableFull,
    /// It [has to have a key](super::MissingKey::Deny), and has none.
    KeyMissing,
}

/// What the policies say to a request, those that were asked.
///
/// There is room for as many as there are at most, so that nothing is allocated for them.
#[derive(Debug, Clone, Default)]
pub struct Decisions(SmallVec<[Decision; MAX_POLICIES]>);

// === impl Outcome ===

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Allowed,
        Self::Rejected,
        Self::ShadowRejected,
        Self::Uncharged,
    ];

    /// Its name, for labels: `allowed`, `rejected`, `shadow_rejected` or `uncharged`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Rejected => "rejected",
            Self::ShadowRejected => "shadow_rejected",
            Self::Uncharged => "uncharged",
        }
    }
}

// === impl Refusal ===

impl Refusal {
    /// Its name, for labels: `quota_exceeded`, `cost_above_burst`, `table_full` or `key_missing`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::QuotaExceeded => "quota_exceeded",
            Self::CostAboveBurst => "cost_above_burst",
            Self::TableFull => "table_full",
            Self::KeyMissing => "key_missing",
        }
    }
}

// === impl Decision ===

impl Decision {
    /// What a policy is asked, to be [decided](Self::decide). Without a `key`, it is decided already.
    #[inline]
    pub(super) fn ask(
        policy: u8,
        mode: Mode,
        cost: NonZeroU32,
        quota: Option<Quota>,
        default: Quota,
        key: Option<u64>,
    ) -> Self {
        Self {
            quota: quota.unwrap_or(default),
            key: key.unwrap_or_default(),
            tat: 0,
            now: 0,
            wait: 0,
            cost,
            policy,
            mode,
            outcome: match key {
                Some(_) => Outcome::Uncharged,
                None => Outcome::refused(mode),
            },
            refusal: match key {
                Some(_) => None,
                None => Some(Refusal::KeyMissing),
            },
            overridden: quota.is_some(),
            shares: false,
        }
    }

    /// Decides by what is known of the key. Answers its new time, if it is allowed.
    #[inline]
    pub(super) fn decide(&mut self, place: &Place<'_>) -> Option<u64> {
        if !self.overridden {
            self.quota = place.quota();
        }
        let now = place.now();
        self.now = now;
        self.tat = owed(place.tat(), &self.quota, now);
        self.shares = place.home() == Home::Shared;
        let (refusal, wait) = match place.home() {
            Home::Nowhere { until } => (Refusal::TableFull, until - now),
            _ => match gcra::decide(&self.quota, self.cost, self.tat, now) {
                Verdict::Conforming { tat } => return Some(tat),
                Verdict::TooSoon { wait } => (Refusal::QuotaExceeded, wait),
                Verdict::TooMuch => (Refusal::CostAboveBurst, 0),
            },
        };
        self.refusal = Some(refusal);
        self.wait = wait;
        self.outcome = Outcome::refused(self.mode);
        None
    }

    /// It is charged.
    pub(super) fn charge(&mut self, tat: u64) {
        self.outcome = Outcome::Allowed;
        self.tat = tat;
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

    /// How many units its key has left.
    #[must_use]
    pub fn remaining(&self) -> u32 {
        match self.refusal {
            Some(Refusal::KeyMissing | Refusal::TableFull) => 0,
            _ => gcra::remaining(&self.quota, self.tat, self.now),
        }
    }

    /// The quota that it was decided by.
    #[must_use]
    pub const fn quota(&self) -> &Quota {
        &self.quota
    }

    /// When the same request passes, if nothing else comes in between. `None` where it does, or
    /// never will.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self.refusal? {
            Refusal::QuotaExceeded | Refusal::TableFull => Some(Duration::from_nanos(self.wait)),
            Refusal::CostAboveBurst | Refusal::KeyMissing => None,
        }
    }

    /// When its key has one unit more. `None` where it has all, or there is no budget.
    #[must_use]
    pub fn next_unit(&self) -> Option<Duration> {
        gcra::until_next(&self.quota, self.tat, self.now).map(Duration::from_nanos)
    }
}

/// A key's time as its quota reads it. Nobody owes more than two bursts, one used and one of debt:
/// what is further away was written under a slower quota.
pub(super) fn owed(tat: u64, quota: &Quota, now: u64) -> u64 {
    tat.min(now.saturating_add(2 * quota.full()))
}

// === impl Outcome ===

impl Outcome {
    /// What a policy in this mode does to what it does not allow.
    pub(crate) fn refused(mode: Mode) -> Self {
        match mode {
            Mode::Enforce => Self::Rejected,
            Mode::Shadow | Mode::Disabled => Self::ShadowRejected,
        }
    }
}

// === impl Decisions ===
impl Decisions {
    #[inline]
    pub(super) fn push(&mut self, decision: Decision) {
        self.0.push(decision);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    #[inline]
    pub(super) fn each(&mut self) -> &mut [Decision] {
        &mut self.0
    }

    /// What each policy says, by its place in the limiter.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (usize, &Decision)> {
        let each = self.0.iter();
        each.map(|decision| (usize::from(decision.policy), decision))
    }

    /// Whether no policy has rejected the request.
    #[must_use]
    pub fn allow(&self) -> bool {
        self.violated().next().is_none()
    }

    /// The policies that have rejected it.
    pub fn violated(&self) -> impl Iterator<Item = (usize, &Decision)> {
        self.iter()
            .filter(|(_, decision)| decision.outcome == Outcome::Rejected)
    }

    /// When the same request passes all policies. `None` where it does, or never will.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let mut longest = None;
        for (_, decision) in self.violated() {
            longest = longest.max(Some(decision.retry_after()?));
        }
        longest
    }
}
