use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use http::request::Parts;

use super::{Keys, MissingKey, Mode, Overflow, Quota};

/// One limit of a limiter: a name, a quota, and whose it is.
///
/// ```
/// use std::time::Duration;
/// use bartizan_protect::rate_limit::{Keys, Policy, Quota};
///
/// # fn main() -> Result<(), bartizan_protect::InvalidConfig> {
/// const SECOND: Duration = Duration::from_secs(1);
/// let peers = Policy::new("peer", Quota::new(10, SECOND, 20)?).with_keys(Keys::peer());
/// let all = Policy::new("all", Quota::new(5_000, SECOND, 500)?);
/// # let _ = (peers, all);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "a policy does nothing outside a limiter"]
pub struct Policy {
    pub(crate) name: Arc<str>,
    pub(crate) quota: Quota,
    pub(crate) keys: Keys,
    pub(crate) missing: MissingKey,
    pub(crate) cost: Cost,
    pub(crate) overrides: Overrides,
    pub(crate) mode: Mode,
    pub(super) capacity: usize,
    pub(super) overflow: Overflow,
    pub(super) names: usize,
}

/// How many keys a policy knows at once: two megabytes, and more clients than most services have
/// within the time that a budget takes to be full again.
pub const DEFAULT_CAPACITY: usize = 1 << 16;

/// The most keys: 2 TiB.
pub const MAX_CAPACITY: usize = 1 << 36;

/// What a request costs.
#[derive(Clone)]
pub(crate) enum Cost {
    One,
    By(Arc<dyn Fn(&Parts) -> u32 + Send + Sync>),
}

/// Whose quota is another.
#[derive(Clone)]
pub(crate) enum Overrides {
    Nobody,
    By(Arc<QuotaFn>),
}

type QuotaFn = dyn Fn(&Parts) -> Option<Quota> + Send + Sync;

// === impl Policy ===

impl Policy {
    /// A policy that is called `name` in all that is said of it, to clients as well: letters,
    /// digits and what else is visible in ASCII, at most 64 of them.
    pub fn new(name: &str, quota: Quota) -> Self {
        Self {
            name: name.into(),
            quota,
            keys: Keys::global(),
            missing: MissingKey::default(),
            cost: Cost::One,
            overrides: Overrides::Nobody,
            mode: Mode::default(),
            capacity: DEFAULT_CAPACITY,
            overflow: Overflow::default(),
            names: 0,
        }
    }

    /// Who has a budget of their own. Default: [nobody](Keys::global).
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// What requests are charged to that have no key. Default: [`MissingKey::Peer`].
    pub const fn with_missing_key(mut self, missing: MissingKey) -> Self {
        self.missing = missing;
        self
    }

    /// How many units a request costs. One that costs none is not asked about. Default: 1.
    pub fn with_cost(mut self, cost: impl Fn(&Parts) -> u32 + Send + Sync + 'static) -> Self {
        self.cost = Cost::By(Arc::new(cost));
        self
    }

    /// Who has another quota, such as the tenants of a tier. Default: nobody.
    ///
    /// What it says has to be the same for all requests of one key, as far as it can: a budget is a
    /// time, which each request reads by its own quota.
    pub fn with_overrides(
        mut self,
        overrides: impl Fn(&Parts) -> Option<Quota> + Send + Sync + 'static,
    ) -> Self {
        self.overrides = Overrides::By(Arc::new(overrides));
        self
    }

    /// Whether it means it. Default: [`Mode::Enforce`].
    pub const fn with_mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// How many keys it knows at once, of those whose budget is not full; at 32 bytes each. Default:
    /// [`DEFAULT_CAPACITY`].
    pub const fn with_capacity(mut self, keys: usize) -> Self {
        self.capacity = keys;
        self
    }

    /// What happens to keys beyond that. Default: [`Overflow::SharedBucket`].
    pub const fn with_overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    /// Knows up to so many keys that have used half of their burst or more by name, for
    /// [`top`](super::RateLimiter::top); at 88 bytes each, besides the table. Default: none, keys are
    /// hashes.
    pub const fn with_names(mut self, max: usize) -> Self {
        self.names = max;
        self
    }
}

// === impl Cost ===

impl Cost {
    /// What a request costs, unless it is nothing.
    #[inline]
    pub(crate) fn of(&self, parts: &Parts) -> Option<NonZeroU32> {
        match self {
            Self::One => Some(NonZeroU32::MIN),
            Self::By(cost) => NonZeroU32::new(cost(parts)),
        }
    }
}

// === impl Overrides ===

impl Overrides {
    /// A request's quota, if it has another.
    #[inline]
    pub(crate) fn of(&self, parts: &Parts) -> Option<Quota> {
        match self {
            Self::Nobody => None,
            Self::By(overrides) => overrides(parts),
        }
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("name", &self.name)
            .field("quota", &self.quota)
            .field("keys", &self.keys)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}
