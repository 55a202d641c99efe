//! The store in Redis, with a server of its own for each test that is also killed and stopped.
//!
//! `BARTIZAN_REDIS_SERVER` names the program; `.ci/run` installs it. Without it there is nothing to
//! test, and the tests say so and pass.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees test code in test functions only; a helper that fails is a failed test"
)]

mod budget;
mod faults;
mod replicas;
mod script;

use std::time::Duration;

use bartizan_protect::rate_limit::{Keys, Policy, Quota};
use bartizan_protect::shared_limit::{RedisStore, SharedLimiter, SharedLimiterBuilder};

const SECOND: Duration = Duration::from_secs(1);

/// A limiter with a connection of its own, over keys that are given to it, which takes nothing ahead.
/// It has time enough for a busy machine.
fn builder(quota: Quota, url: &str) -> SharedLimiterBuilder<RedisStore> {
    let policy = Policy::new("test", quota).with_keys(Keys::by(|_| None));
    SharedLimiter::builder(RedisStore::open(url).unwrap())
        .with_policy(policy)
        .with_lease_share(0.0)
        .with_deadline(10 * SECOND)
}

/// So many at once, of which none comes back while a test runs.
fn burst(burst: u32) -> Quota {
    Quota::new(1, 1_000 * SECOND, burst).unwrap()
}
