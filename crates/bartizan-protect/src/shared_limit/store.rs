use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::leases::Key;
use crate::BoxError;
use crate::rate_limit::Quota;

/// Where the budgets are that replicas share. To be implemented for other stores than ours.
///
/// All that a store has to do is one step of the generic cell rate algorithm, as a whole, by a clock
/// that all replicas share.
pub trait Store: Send + Sync + 'static {
    /// Gives some units of a key's budget, or says when there are as many as asked for.
    ///
    /// May be dropped at any await: what it has given by then is lost. It is given up after the
    /// limiter's [deadline](super::SharedLimiterBuilder::with_deadline).
    ///
    /// An error is a failure of the store, and so is an answer that cannot be. A budget that is used
    /// up is no error.
    fn grant(&self, ask: &Ask) -> impl Future<Output = Result<Grant, BoxError>> + Send;
}

/// What a store is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ask {
    /// Whose budget. Made of the policy's name, its quota, and a hash.
    pub key: StoreKey,
    /// How large it is.
    pub quota: Quota,
    /// How many units there have to be, at least 1.
    pub least: u32,
    /// How many there may be.
    pub most: u32,
}

/// What a store says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by every store, and all it can say"
)]
pub struct Grant {
    /// How many units are given: between the least and the most, or none.
    pub granted: u32,
    /// How long it takes at least until there is the least, where none is given.
    pub retry_after: Duration,
    /// How many are left.
    pub remaining: u32,
}

/// Whose budget, as a store has it: text without anything of a client's in it.
///
/// A budget of another quota is another budget, so that replicas which are not configured alike,
/// such as in the middle of a deployment, do not read one another's.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct StoreKey {
    name: Arc<str>,
    /// Nanoseconds for each unit, and the burst.
    version: (u64, u32),
    hash: u128,
}

// === impl Ask ===

impl Ask {
    /// Whether `grant` is an answer to it.
    pub(super) fn allows(&self, grant: &Grant) -> bool {
        grant.granted == 0 || (self.least..=self.most).contains(&grant.granted)
    }
}

// === impl StoreKey ===

impl StoreKey {
    pub(super) fn new(name: &Arc<str>, key: &Key) -> Self {
        let Key { hash, quota } = *key;
        Self {
            name: Arc::clone(name),
            version: (quota.unit(), quota.burst()),
            hash,
        }
    }
}

impl fmt::Display for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            version: (unit, burst),
            hash,
        } = self;
        write!(f, "bartizan:{name}:{unit}-{burst}:{hash:032x}")
    }
}

impl fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreKey({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_says_whose_quota_it_is_and_nothing_of_the_client() {
        let quota = Quota::new(10, Duration::from_secs(1), 20).unwrap();
        let key = StoreKey::new(&"clients".into(), &Key { hash: 0xab, quota });
        assert_eq!(
            key.to_string(),
            "bartizan:clients:100000000-20:000000000000000000000000000000ab"
        );
    }
}
