use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use http::request::Parts;

use super::core::{Core, PeerFn};
use super::fields;
use super::limit::Limit;
use super::limiter::{ArrivalFn, Shared};
use super::policy::MAX_CAPACITY;
use super::secret::Secret;
use super::{CHECKS, Observer, Policy, RateLimiter};
use crate::invalid::Checks;
use crate::{InvalidConfig, Timer};

/// The most policies of one limiter. All of them are asked about every request.
pub const MAX_POLICIES: usize = 8;

/// How long a policy's name is at most, in bytes.
const MAX_NAME: usize = 64;

/// Puts a [`RateLimiter`] together. Nothing is checked before [`build`](Self::build).
#[must_use = "a builder does nothing until `build`"]
pub struct RateLimiterBuilder<O: Observer = ()> {
    policies: Vec<Policy>,
    observer: O,
    timer: Timer,
    peer: Option<Arc<PeerFn>>,
    arrival: Option<Arc<ArrivalFn>>,
}

// === impl RateLimiterBuilder ===

impl<O: Observer> RateLimiterBuilder<O> {
    /// One policy more, of [`MAX_POLICIES`] at most. A request has to pass all of them.
    pub fn with_policy(mut self, policy: Policy) -> Self {
        self.policies.push(policy);
        self
    }

    /// Who is told what happens. Default: nobody.
    pub fn with_observer<P: Observer>(self, observer: P) -> RateLimiterBuilder<P> {
        RateLimiterBuilder {
            policies: self.policies,
            observer,
            timer: self.timer,
            peer: self.peer,
            arrival: self.arrival,
        }
    }

    /// Where the time is read. Default: tokio's clock.
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
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

    /// Where the time of a request is, by the timer's clock, if somebody has read it already.
    /// Default: nobody has.
    pub fn with_arrival(
        mut self,
        arrival: impl Fn(&Parts) -> Option<Instant> + Send + Sync + 'static,
    ) -> Self {
        self.arrival = Some(Arc::new(arrival));
        self
    }

    /// The limiter. All of its memory is taken here.
    ///
    /// # Errors
    ///
    /// When there is no policy, or there are more than [`MAX_POLICIES`]; when a name is empty, not
    /// visible ASCII, longer than 64 bytes, or another policy's; or when a policy is for no keys or
    /// more than [`MAX_CAPACITY`](super::MAX_CAPACITY).
    pub fn build(self) -> Result<RateLimiter<O>, InvalidConfig> {
        check(CHECKS, &self.policies)?;
        let data = self
            .policies
            .iter()
            .map(|it| self.observer.policy(&it.name))
            .collect();
        let limits: Box<[_]> = self.policies.into_iter().map(Limit::new).collect();
        let core = Core {
            knows_names: limits.iter().any(|limit| limit.names.is_some()),
            said: fields::as_built(&limits),
            limits,
            peer: self.peer,
            origin: self.timer.now(),
            timer: self.timer,
            secret: Secret::random(),
        };
        Ok(RateLimiter(Arc::new(Shared {
            core: Arc::new(core),
            data,
            observer: self.observer,
            arrival: self.arrival,
        })))
    }
}

pub(crate) fn check(checks: Checks, policies: &[Policy]) -> Result<(), InvalidConfig> {
    checks.check(
        (1..=MAX_POLICIES).contains(&policies.len()),
        "policies",
        policies.len(),
        format_args!("1 to {MAX_POLICIES}"),
    )?;
    for (at, Policy { name, capacity, .. }) in policies.iter().enumerate() {
        let is_visible = name.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        checks.check(
            is_visible && (1..=MAX_NAME).contains(&name.len()),
            "policy.name",
            format_args!("{name:?}"),
            format_args!("1 to {MAX_NAME} visible ASCII characters"),
        )?;
        checks.check(
            policies[..at].iter().all(|other| other.name != *name),
            "policy.name",
            format_args!("{name:?}"),
            "the only one of its name",
        )?;
        checks.check(
            (1..=MAX_CAPACITY).contains(capacity),
            "policy.capacity",
            capacity,
            format_args!("1 to {MAX_CAPACITY} keys"),
        )?;
    }
    Ok(())
}

impl Default for RateLimiterBuilder {
    fn default() -> Self {
        Self {
            policies: Vec::new(),
            observer: (),
            timer: Timer::default(),
            peer: None,
            arrival: None,
        }
    }
}

impl<O: Observer> fmt::Debug for RateLimiterBuilder<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiterBuilder")
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}
