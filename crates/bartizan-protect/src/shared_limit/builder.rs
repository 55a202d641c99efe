use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;

use super::lease::Terms;
use super::leases::Leases;
use super::shared::{PeerFn, Shared};
use super::{CHECKS, Observer, SharedLimiter, Store, StoreDown};
use crate::breaker::{BreakerBuilder, Config};
use crate::rate_limit::{Keys, MissingKey, Quota};
use crate::{InvalidConfig, Timer};

/// How much of a burst a replica takes ahead at most: with ten replicas, a fifth of a burst more than
/// the quota may pass.
pub const DEFAULT_LEASE_SHARE: f64 = 0.02;

/// How long the store has for an answer: several times what a server in the same place takes, and
/// little enough for a request to lose.
pub const DEFAULT_DEADLINE: Duration = Duration::from_millis(5);

/// How many keys a replica keeps leases of: a megabyte, and more than are busy at once in most
/// services.
pub const DEFAULT_CAPACITY: usize = 1 << 13;

/// The most keys: 128 GiB.
pub const MAX_CAPACITY: usize = 1 << 30;

/// How many failures in a row open the breaker: each is a deadline that a request has waited.
const CONSECUTIVE_FAILURES: u32 = 5;

/// How long the breaker leaves the store alone, first and at most. A server that restarts is back
/// within a second, and asking costs a deadline.
const OPEN_TIME: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));

/// How long a name is at most, in bytes.
const MAX_NAME: usize = 64;

/// Puts a [`SharedLimiter`] together. Nothing is checked before [`build`](Self::build).
#[must_use = "a builder does nothing until `build`"]
pub struct SharedLimiterBuilder<St, O: Observer = ()> {
    name: Arc<str>,
    keys: Keys,
    quota: Quota,
    store: St,
    lease_share: f64,
    lease_time: Option<Duration>,
    capacity: usize,
    deadline: Duration,
    breaker: Option<Config>,
    down: StoreDown,
    local: Option<Quota>,
    secret: [u8; 16],
    missing: MissingKey,
    peer: Option<Arc<PeerFn>>,
    timer: Timer,
    observer: O,
}

// === impl SharedLimiterBuilder ===

impl<St: Store> SharedLimiterBuilder<St> {
    /// A limiter that is called `name` in all that is said of it, and in the store.
    pub fn new(name: &str, keys: Keys, quota: Quota, store: St) -> Self {
        Self {
            name: name.into(),
            keys,
            quota,
            store,
            lease_share: DEFAULT_LEASE_SHARE,
            lease_time: None,
            capacity: DEFAULT_CAPACITY,
            deadline: DEFAULT_DEADLINE,
            breaker: None,
            down: StoreDown::default(),
            local: None,
            secret: [0; 16],
            missing: MissingKey::default(),
            peer: None,
            timer: Timer::default(),
            observer: (),
        }
    }
}

impl<St: Store, O: Observer> SharedLimiterBuilder<St, O> {
    /// Which part of a burst a replica takes ahead at most for one key, from 0 to 1; one unit at
    /// least. With 0, each request asks the store, and nothing passes beyond the quota. Default:
    /// [`DEFAULT_LEASE_SHARE`].
    pub const fn with_lease_share(mut self, share: f64) -> Self {
        self.lease_share = share;
        self
    }

    /// How long what was taken ahead can be used, 1 ms to 24 h. Units that are left then are lost to
    /// all. Default: the time that the quota's rate is for, within these bounds.
    pub const fn with_lease_time(mut self, time: Duration) -> Self {
        self.lease_time = Some(time);
        self
    }

    /// How many keys are known here at once, at 128 bytes each, rounded up to a multiple of 8.
    /// Default: [`DEFAULT_CAPACITY`].
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

    /// What a key has in each replica while the store is down, by [`StoreDown::LocalOnly`]: the
    /// quota divided by the number of replicas, for who knows that. Default: the quota, which then
    /// each of them gives once.
    pub const fn with_local_quota(mut self, quota: Quota) -> Self {
        self.local = Some(quota);
        self
    }

    /// What keys are hashed with, the same for all replicas. Without a secret, whoever can read the
    /// store can find out which address or name is in it by trying all. Default: none.
    pub const fn with_secret(mut self, secret: [u8; 16]) -> Self {
        self.secret = secret;
        self
    }

    /// What requests are charged to that have no key. Default: [`MissingKey::Peer`].
    pub const fn with_missing_key(mut self, missing: MissingKey) -> Self {
        self.missing = missing;
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
            name: self.name,
            keys: self.keys,
            quota: self.quota,
            store: self.store,
            lease_share: self.lease_share,
            lease_time: self.lease_time,
            capacity: self.capacity,
            deadline: self.deadline,
            breaker: self.breaker,
            down: self.down,
            local: self.local,
            secret: self.secret,
            missing: self.missing,
            peer: self.peer,
            timer: self.timer,
            observer,
        }
    }

    /// The limiter.
    ///
    /// # Errors
    ///
    /// When the name is empty, not visible ASCII, or longer than 64 bytes; the share is not from 0
    /// to 1; a time is not 1 ms to 24 h; or it is for no keys or more than [`MAX_CAPACITY`].
    pub fn build(self) -> Result<SharedLimiter<St, O>, InvalidConfig> {
        self.check()?;
        let terms = Terms {
            // At most the burst.
            most: ((f64::from(self.quota.burst()) * self.lease_share) as u32).max(1),
            time: self.lease_time(),
        };
        let breaker = match self.breaker {
            Some(config) => config,
            None => Config::builder()
                .with_consecutive_failures(CONSECUTIVE_FAILURES)
                .with_open_time(OPEN_TIME.0, OPEN_TIME.1)
                .build()?,
        };
        Ok(SharedLimiter(Arc::new(Shared {
            leases: Arc::new(Leases::new(self.capacity, terms, self.timer.now())),
            breaker: BreakerBuilder::new(&self.name, breaker)
                .with_timer(self.timer.clone())
                .build(),
            name: self.name,
            keys: self.keys,
            local: self.local.unwrap_or(self.quota),
            quota: self.quota,
            store: self.store,
            timer: self.timer,
            deadline: self.deadline,
            down: self.down,
            secret: self.secret,
            peer: self.peer,
            missing: self.missing,
            observer: self.observer,
            counts: Default::default(),
            is_failing: Default::default(),
            had_keyless: Default::default(),
        })))
    }

    fn lease_time(&self) -> Duration {
        self.lease_time.unwrap_or_else(|| {
            let per = self.quota.per();
            per.clamp(Duration::from_millis(1), crate::MAX_DURATION)
        })
    }

    fn check(&self) -> Result<(), InvalidConfig> {
        let name = &self.name;
        let is_visible = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        CHECKS.check(
            is_visible && (1..=MAX_NAME).contains(&name.len()),
            "name",
            format_args!("{name:?}"),
            format_args!("1 to {MAX_NAME} visible ASCII characters"),
        )?;
        CHECKS.check(
            (0.0..=1.0).contains(&self.lease_share),
            "lease_share",
            self.lease_share,
            "from 0 to 1",
        )?;
        CHECKS.duration("lease_time", self.lease_time())?;
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
            .field("name", &self.name)
            .field("keys", &self.keys)
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}
