//! One question to the store.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use super::clock::{Clock, nanos};
use super::counts::Counters;
use super::{Ask, Grant, Observer, Store, StoreFailure};
use crate::breaker::{self, Breaker, Outcome};

/// A store that is asked for a time at most, and left alone while it fails.
pub(super) struct Guarded<St, B: breaker::Observer> {
    pub(super) store: St,
    pub(super) breaker: Breaker<B>,
    pub(super) deadline: Duration,
    /// Whether it has failed when it was asked last.
    pub(super) is_failing: AtomicBool,
}

/// The store does not decide.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Down {
    /// How long the breaker leaves it alone, if it does.
    pub(super) retry_after: Option<Duration>,
}

// === impl Guarded ===

impl<St: Store, B: breaker::Observer> Guarded<St, B> {
    pub(super) async fn ask(
        &self,
        ask: Ask,
        asked: u64,
        clock: &Clock,
        counts: &Counters,
        observer: &impl Observer,
    ) -> Result<Grant, Down> {
        let permit = match self.breaker.try_acquire() {
            Ok(permit) => permit,
            Err(rejected) => {
                return Err(Down {
                    retry_after: rejected.retry_after(),
                });
            }
        };
        counts.asked();
        let until = asked.saturating_add(nanos(self.deadline));
        let answer = within(clock, until, self.store.grant(&ask)).await;
        let took = Duration::from_nanos(clock.now().saturating_sub(asked));
        let failure = match answer {
            Some(Ok(grant)) if ask.allows(&grant) => {
                permit.record(Outcome::Success);
                observer.store_answered(took);
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    observer.store_recovered();
                }
                return Ok(Grant {
                    // Nobody waits longer than an empty budget takes to be full.
                    retry_after: grant.retry_after.min(ask.quota.refill()),
                    ..grant
                });
            }
            Some(Ok(grant)) => StoreFailure::BadAnswer { ask, grant },
            Some(Err(error)) => StoreFailure::Failed(error),
            None => StoreFailure::Late(self.deadline),
        };
        permit.record(Outcome::Failure);
        counts.failed();
        let first = !self.is_failing.swap(true, Ordering::Relaxed);
        observer.store_failed(&failure, took, first);
        Err(Down::default())
    }
}

/// What `future` says, if it does before `until`.
pub(super) async fn within<F: Future>(clock: &Clock, until: u64, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut sleep = clock.timer.sleep_until(clock.instant(until));
    std::future::poll_fn(|cx| {
        // What is there in time is an answer, however late it is asked for.
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => sleep.as_mut().poll(cx).map(|()| None),
        }
    })
    .await
}
