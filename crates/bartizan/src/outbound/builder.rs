use std::time::Duration;

use bartizan_observe::telemetry::Telemetry;
use bartizan_protect::breaker::BreakerBuilder;
use bartizan_protect::retry::{self, Budget};
use bartizan_protect::timeout::TimeoutLayer;

use super::observer::RetryObserver;
use super::{InvalidOutbound, Outbound};
use crate::breaker::{self, BreakerObserver, Command, Keys};
use crate::protect::timeout::of_current_task;

/// For the whole call, retries, pauses and the body included: as long as a person waits before
/// reloading the page.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// For one attempt, to the head of its response, so that three of them fit into the whole.
pub const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_millis(1_500);

/// Puts an [`Outbound`] together. Nothing is checked before [`build`](Self::build).
#[derive(Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct OutboundBuilder {
    pub(super) name: String,
    telemetry: Telemetry,
    pub(super) timeout: Duration,
    pub(super) attempt_timeout: Duration,
    pub(super) propagates: bool,
    pub(super) retry: retry::Config,
    pub(super) budget: Budget,
    pub(super) breaker: Option<breaker::Config>,
    pub(super) keys: Keys,
}

// === impl OutboundBuilder ===

impl OutboundBuilder {
    pub(super) fn new(name: &str, telemetry: &Telemetry) -> Self {
        Self {
            name: name.to_owned(),
            telemetry: telemetry.clone(),
            timeout: DEFAULT_TIMEOUT,
            attempt_timeout: DEFAULT_ATTEMPT_TIMEOUT,
            propagates: true,
            retry: retry::Config::default(),
            budget: Budget::default(),
            breaker: Some(breaker::Config::default()),
            keys: Keys::none(),
        }
    }

    /// How long a call may take as a whole, to the end of the response's body. What the request
    /// that is being worked for has left is the limit where that is less. Default:
    /// [`DEFAULT_TIMEOUT`].
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long one attempt may take, to the response's head. Default: [`DEFAULT_ATTEMPT_TIMEOUT`].
    pub const fn with_attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = timeout;
        self
    }

    /// The upstream is not told how much time it has, as it is none of one's own. Default: it is, by
    /// `x-request-timeout-ms`.
    pub const fn without_propagation(mut self) -> Self {
        self.propagates = false;
        self
    }

    /// What is sent again when. Default: [`retry::Config::default`], up to three attempts.
    pub const fn with_retry(mut self, retry: retry::Config) -> Self {
        self.retry = retry;
        self
    }

    /// How many retries there may be; one budget may be that of several upstreams. Default:
    /// [`Budget::default`], one of its own.
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// When the circuit opens. Default: [`breaker::Config::default`].
    pub fn with_breaker(mut self, breaker: breaker::Config) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Which circuit a request goes through, where not all of an upstream fails together. Default:
    /// one for all.
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// The circuit never opens, unless an operator [says so](breaker::Command::ForceOpen).
    pub fn without_breaker(mut self) -> Self {
        self.breaker = None;
        self
    }

    /// The stack.
    ///
    /// # Errors
    ///
    /// When a timeout is out of its range.
    pub fn build(self) -> Result<Outbound, InvalidOutbound> {
        let invalid = |what| {
            let upstream = self.name.clone();
            move |source| InvalidOutbound {
                upstream,
                what,
                source,
            }
        };
        let total = TimeoutLayer::new(self.timeout)
            .map_err(invalid("timeout"))?
            .with_deadline_source(of_current_task())
            // Each attempt tells what is left for it.
            .without_propagation()
            .with_body();
        let attempt =
            TimeoutLayer::new(self.attempt_timeout).map_err(invalid("attempt_timeout"))?;
        let is_watched = self.breaker.is_some();
        let meter = self.telemetry.meter();
        let breaker = BreakerBuilder::new(&self.name, self.breaker.unwrap_or_default())
            .with_observer(BreakerObserver::new(meter))
            .build();
        if !is_watched {
            breaker.command(Command::Disable);
        }
        Ok(Outbound {
            total,
            attempt: if self.propagates {
                attempt
            } else {
                attempt.without_propagation()
            },
            retry: self.retry,
            budget: self.budget,
            breaker,
            keys: self.keys,
            observer: RetryObserver::new(&self.name, meter).into(),
            telemetry: self.telemetry,
        })
    }
}
