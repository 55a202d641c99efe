use std::time::Duration;

use tower_layer::Layer;

use super::{DeadlineSource, LEAST, Timeout};
use crate::Timer;

/// Bounds the time that HTTP services take. See the [module](super).
///
/// There is nothing that its services could share, but what it was given.
#[derive(Debug, Clone)]
pub struct TimeoutLayer {
    pub(super) timeout: Duration,
    pub(super) until: Until,
    pub(super) propagation: Propagation,
    pub(super) deadlines: DeadlineSource,
    pub(super) timer: Timer,
}

/// A timeout that a layer cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("timeout: {0:?} is not 1ms to 24h")]
pub struct InvalidTimeout(pub Duration);

/// The longest timeout: a day.
pub const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// To where a response is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    Head,
    End,
}

/// Whether the service is told how much time it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Propagation {
    Header,
    None,
}

// === impl TimeoutLayer ===

impl TimeoutLayer {
    /// A service has `timeout` to answer, and the caller's time if that is less.
    ///
    /// # Errors
    ///
    /// When it is shorter than a millisecond, which is as fine as timers go, or longer than
    /// [`MAX_TIMEOUT`].
    pub fn new(timeout: Duration) -> Result<Self, InvalidTimeout> {
        if !(LEAST..=MAX_TIMEOUT).contains(&timeout) {
            return Err(InvalidTimeout(timeout));
        }
        Ok(Self {
            timeout,
            until: Until::Head,
            propagation: Propagation::Header,
            deadlines: DeadlineSource::default(),
            timer: Timer::default(),
        })
    }

    /// The end of the response's body has to be there in time, too. What comes too late is the
    /// body's error, an [`Error::TimedOut`](crate::Error::TimedOut). Default: the head is enough.
    ///
    /// Not for event streams, long downloads, or anything else that has no end.
    #[must_use]
    pub const fn with_body(mut self) -> Self {
        self.until = Until::End;
        self
    }

    /// The service is not told how much time it has: the headers stay as they are. Default: it is,
    /// by [`REQUEST_TIMEOUT_MS`](super::REQUEST_TIMEOUT_MS).
    ///
    /// For far sides that are none of your own, and around a server's handlers, which see the
    /// [`Deadline`](super::Deadline) all the same.
    #[must_use]
    pub const fn without_propagation(mut self) -> Self {
        self.propagation = Propagation::None;
        self
    }

    /// Who knows of callers' deadlines besides the request. Default: nobody.
    #[must_use]
    pub fn with_deadline_source(mut self, source: DeadlineSource) -> Self {
        self.deadlines = source;
        self
    }

    /// Where the time is read and waited for. Default: tokio's clock.
    #[must_use]
    pub fn with_timer(mut self, timer: Timer) -> Self {
        self.timer = timer;
        self
    }
}

impl<S> Layer<S> for TimeoutLayer {
    type Service = Timeout<S>;

    fn layer(&self, inner: S) -> Timeout<S> {
        Timeout::new(inner, self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_is_neither_nothing_nor_for_ever() {
        for timeout in [
            Duration::ZERO,
            Duration::from_micros(999),
            MAX_TIMEOUT + Duration::from_nanos(1),
            Duration::MAX,
        ] {
            let error = TimeoutLayer::new(timeout).unwrap_err();
            let expected = format!("timeout: {timeout:?} is not 1ms to 24h");
            assert_eq!(error.to_string(), expected);
        }
        for timeout in [LEAST, MAX_TIMEOUT] {
            assert_eq!(TimeoutLayer::new(timeout).unwrap().timeout, timeout);
        }
    }
}
