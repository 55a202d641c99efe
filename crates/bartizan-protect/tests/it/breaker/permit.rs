//! Permits in the hands of a user.

use std::panic::{AssertUnwindSafe, catch_unwind};

use bartizan_protect::breaker::{Breaker, CancelPolicy, ConfigBuilder, Outcome, Permit, State};
use tokio::time;

use super::told::Told;
use super::upstream::{SECOND, in_a_row};

fn breaker(config: ConfigBuilder) -> Breaker {
    Breaker::new("cards", config.build().unwrap())
}

async fn ripe(config: ConfigBuilder) -> Breaker {
    let breaker = breaker(config);
    breaker.try_acquire().unwrap().record(Outcome::Failure);
    time::advance(SECOND).await;
    breaker
}

#[tokio::test(start_paused = true)]
async fn a_permit_that_a_panic_drops_is_a_failure() {
    let breaker = breaker(in_a_row(1));
    let permit = breaker.try_acquire().unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _permit = permit;
        panic!("as planned");
    }));
    assert!(panicked.is_err());
    assert_eq!(breaker.snapshot().state, State::Open);
}

/// Calls the breaker while something else unwinds.
struct CallsWhenDropped<'a>(&'a Breaker);

impl Drop for CallsWhenDropped<'_> {
    fn drop(&mut self) {
        drop(self.0.try_acquire().unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_begins_while_something_else_unwinds_is_not_its_failure() {
    let breaker = breaker(in_a_row(1));
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _calls = CallsWhenDropped(&breaker);
        panic!("as planned");
    }));
    assert!(panicked.is_err());
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.calls), (State::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_permit_counts_as_the_policy_says() {
    for (policy, at_once, slow) in [
        (
            CancelPolicy::SlowIsFailure,
            Outcome::Ignored,
            Outcome::Failure,
        ),
        (CancelPolicy::Ignore, Outcome::Ignored, Outcome::Ignored),
        (CancelPolicy::Failure, Outcome::Failure, Outcome::Failure),
    ] {
        let told = Told::default();
        let config = in_a_row(9)
            .with_cancelled(policy)
            .with_slow_threshold(SECOND);
        let breaker = told.breaker(config);
        drop(breaker.try_acquire().unwrap());
        let permit = breaker.try_acquire().unwrap();
        time::advance(SECOND).await;
        drop(permit);
        assert_eq!(
            told.ended(),
            [(at_once, false), (slow, false)],
            "{policy:?}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_leaked_probe_comes_back_when_its_lease_is_over() {
    let breaker = ripe(in_a_row(1).with_probes(1).with_probe_lease(3 * SECOND)).await;
    std::mem::forget(breaker.try_acquire().unwrap());
    let rejected = breaker.try_acquire().unwrap_err();
    assert_eq!(rejected.state(), State::HalfOpen);
    assert_eq!(rejected.retry_after(), Some(3 * SECOND));
    time::advance(3 * SECOND).await;
    assert_eq!(breaker.try_acquire().unwrap_err().state(), State::Open);
    time::advance(SECOND).await;
    breaker.try_acquire().unwrap().record(Outcome::Success);
    assert_eq!(breaker.snapshot().state, State::Closed);
}

#[tokio::test(start_paused = true)]
async fn calls_that_wait_count_as_slow_once_and_from_the_moment_on_at_which_they_are() {
    let config = in_a_row(9)
        .with_slow_rate(1.0, 3)
        .with_slow_threshold(SECOND);
    let breaker = breaker(config);
    let mut permits: Vec<Permit> = Vec::new();
    for _ in 0..3 {
        let mut permit = breaker.try_acquire().unwrap();
        permit.wait();
        permit.wait();
        permits.push(permit);
    }
    time::advance(SECOND - SECOND / 8).await;
    assert!(breaker.try_acquire().is_ok());
    time::advance(SECOND / 4).await;
    // Nobody has come back, and the circuit is open.
    assert_eq!(breaker.try_acquire().unwrap_err().state(), State::Open);
    drop(permits);
    assert_eq!(breaker.snapshot().stale, 3);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_begins_to_wait_when_it_is_slow_already_counts_at_once() {
    let config = in_a_row(9)
        .with_slow_rate(1.0, 1)
        .with_slow_threshold(SECOND);
    let breaker = breaker(config);
    let mut permit = breaker.try_acquire().unwrap();
    time::advance(2 * SECOND).await;
    assert_eq!(breaker.snapshot().state, State::Closed);
    permit.wait();
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.state, State::Open);
    // From now on, and not from when it began.
    assert_eq!(snapshot.retry_after, Some(SECOND));
}
