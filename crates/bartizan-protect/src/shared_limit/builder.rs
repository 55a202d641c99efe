use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;

use super::clock::Clock;
use super::leases::Rules;
use super::limit::{Limit, Limits};
use super::shared::{PeerFn, Shared};
use super::trip::Guarded;
use super::{CHECKS, Observer, SharedLimiter, Store, StoreDown};
use crate::breaker::{BreakerBuilder, Config};
use crate::rate_limit::{self, Policy};
use crate::{InvalidConfig, Timer};

/// How much of a burst a replica takes ahead at most: with ten replicas, a fifth of a burst more than
/// the quota may pass.
pub const DEFAULT_LEASE_SHARE: f64 = 0.02;

/// How long the store has for an answer: several times what a server in the same place takes, and
/// little enough for a request to lose.
pub const DEFAULT_DEADLINE: Duration = Duration::from_millis(5);

/// How many keys of a policy a replica keeps leases of: a megabyte, and more than are busy at once in most
/// services.
pub const DEFAULT_CAPACITY: usize = 1 << 13;

/// The most keys: 128 GiB.
pub const MAX_CAPACITY: usize = 1 << 30;

/// How many failures in a row open the breaker: each is a deadline that a request has waited.
const CONSECUTIVE_FAILURES: u32 = 5;

/// How long the breaker leaves the store alone, first and at most. A server that restarts is back
/// within a second, and asking costs a deadline.
const OPEN_TIME: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// What the breaker around the store is called.
const BREAKER: &str = "shared limit";

/// Puts a [`SharedLimiter`] together. Nothing is checked before [`build`](Self::build).
#[must_use = "a builder does nothing until `build`"]
pub struct SharedLimiterBuilder<St, O: Observer = ()> {
    policies: Vec<Policy>,
    store: St,
    rules: Rules,
    capacity: usize,
    deadline: Duration,
    breaker: Option<Config>,
    down: StoreDown,
    secret: [u8; 16],
    peer: Option<Arc<PeerFn>>,
    timer: Timer,
    observer: O,
}

// === impl SharedLimiterBuilder ===

impl<St: Store> SharedLimiterBuilder<St> {
    pub(super) fn new(store: St) -> Self {
        Self {
            policies: Vec::new(),
            store,
            rules: Rules {
                share: DEFAULT_LEASE_SHARE,
                time: None,
                replicas: NonZeroU32::MIN,
            },
            capacity: DEFAULT_CAPACITY,
            deadline: DEFAULT_DEADLINE,
            breaker: None,
            down: StoreDown::default(),
            secret: [0; 16],
            peer: None,
            timer: Timer::default(),
            observer: (),
        }
    }
}

impl<St: Store, O: Observer> SharedLimiterBuilder<St, O> {
    /// One policy more, of [`MAX_POLICIES`](rate_limit::MAX_POLICIES) at most. A request has to pass
    /// all of them. Its name, quota and hashed keys are what replicas have to have in common.
    ///
    /// Its capacity, overflow and names are of a local table, and not asked.
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Which part of a burst a replica takes ahead at most for one key, from 0 to 1; one unit at
    /// least. With 0, nothing is taken ahead, and each request asks the store. Default:
    /// [`DEFAULT_LEASE_SHARE`].
    pub const fn with_lease_share(mut self, share: f64) -> Self {
        self.rules.share = share;
        self
    }

    /// How long what was taken ahead can be used, 1 ms to 24 h. Units that are left then are lost to
    /// all. Default: the time that the quota's rate is for, within these bounds.
    pub const fn with_lease_time(mut self, time: Duration) -> Self {
        self.rules.time = Some(time);
        self
    }

    /// How many keys of each policy are known here at once, at 128 bytes each, rounded up to a
    /// multiple of 8. Default: [`DEFAULT_CAPACITY`].
    ///
    /// The store knows all of them, so those beyond cost round trips, and what others have taken
    /// ahead.
    pub const fn with_capacity(mut self, keys: usize) -> Self {
        self.capacity = keys;
        self
    }

    /// How long the store has for an answer, 1 ms to 24 h. A request waits for that at most, and
    /// where another one is asking for the same key already, for that one's answer as long again.
    /// Default: [`DEFAULT_DEADLINE`].
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// When the store is left alone. Default: after 5 failures in a row, or half of at least 10
    /// within 10 s; for half a second at first, and 10 s at most.
    pub const fn with_breaker(mut self, config: Config) -> Self {
        self.breaker = Some(config);
        self
    }

    /// What becomes of requests meanwhile. Default: [`StoreDown::LocalOnly`].
    pub const fn with_store_down(mut self, down: StoreDown) -> Self {
        self.down = down;
        self
    }

    /// How many replicas there are, for who knows that: into so many parts quotas are divided while
    /// the store is down, by [`StoreDown::LocalOnly`]. Default: 1, so that each of them gives all.
    pub const fn with_replicas(mut self, replicas: NonZeroU32) -> Self {
        self.rules.replicas = replicas;
        self
    }

    /// What keys are hashed with, the same for all replicas. Without a secret, whoever can read the
    /// store can find out which address or name is in it by trying all. Default: none.
    pub const fn with_secret(mut self, secret: [u8; 16]) -> Self {
        self.secret = secret;
        self
    }

    /// How a request's peer is found: the address at the other end of its connection, as the server
    /// has put it into the extensions. Default: nobody knows.
    pub fn with_peer(
        mut self,
        peer: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.peer = Some(Arc::new(peer));
        self
    }

    /// Where the time is read and waited for. Default: tokio's clock.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }

    /// Who is told what happens. Default: nobody.
    pub fn with_observer<P: Observer>(self, observer: P) -> SharedLimiterBuilder<St, P> {
        SharedLimiterBuilder {
            policies: self.policies,
            store: self.store,
            rules: self.rules,
            capacity: self.capacity,
            deadline: self.deadline,
            breaker: self.breaker,
            down: self.down,
            secret: self.secret,
            peer: self.peer,
            timer: self.timer,
            observer,
        }
    }

    /// The limiter.
    ///
    /// # Errors
    ///
    /// When there is no policy, or there are more than [`MAX_POLICIES`](rate_limit::MAX_POLICIES);
    /// when a name is empty, not visible ASCII, longer than 64 bytes, or another policy's; the share
    /// is not from 0 to 1; a time is not 1 ms to 24 h; or it is for no keys or more than
    /// [`MAX_CAPACITY`].
    pub fn build(self) -> Result<SharedLimiter<St, O>, InvalidConfig> {
        self.check()?;
        let breaker = match self.breaker {
            Some(config) => config,
            None => Config::builder()
                .with_consecutive_failures(CONSECUTIVE_FAILURES)
                .with_open_time(OPEN_TIME.0, OPEN_TIME.1)
                .build()?,
        };
        let breaker = BreakerBuilder::new(BREAKER, breaker)
            .with_observer(self.observer.breaker())
            .with_timer(self.timer.clone());
        let names = self.policies.iter().map(|policy| &*policy.name);
        let data = names.map(|name| self.observer.policy(name)).collect();
        let limits = self.policies.into_iter().map(|policy| {
            // All requests are one key.
            let capacity = match policy.keys.is_global() {
                true => 1,
                false => self.capacity,
            };
            Limit::new(policy, capacity, self.rules)
        });
        Ok(SharedLimiter(Arc::new(Shared {
            limits: Arc::new(Limits {
                all: limits.collect(),
                clock: Clock::new(self.timer),
                secret: self.secret,
            }),
            data,
            store: Guarded {
                store: self.store,
                breaker: breaker.build(),
                deadline: self.deadline,
                is_failing: Default::default(),
            },
            down: self.down,
            peer: self.peer,
            observer: self.observer,
            counts: Default::default(),
        })))
    }

    fn check(&self) -> Result<(), InvalidConfig> {
        rate_limit::check(CHECKS, &self.policies)?;
        CHECKS.check(
            (0.0..=1.0).contains(&self.rules.share),
            "lease_share",
            self.rules.share,
            "from 0 to 1",
        )?;
        if let Some(time) = self.rules.time {
            CHECKS.duration("lease_time", time)?;
        }
        CHECKS.duration("deadline", self.deadline)?;
        CHECKS.check(
            (1..=MAX_CAPACITY).contains(&self.capacity),
            "capacity",
            self.capacity,
            format_args!("1 to {MAX_CAPACITY} keys"),
        )
    }
}

impl<St, O: Observer> fmt::Debug for SharedLimiterBuilder<St, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLimiterBuilder")
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}
