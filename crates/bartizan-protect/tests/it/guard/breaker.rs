//! What the breaker hears of guarded calls.

use std::future::pending;

use bartizan_protect::breaker::{Outcome, State};
use bartizan_protect::guard::Error;
use bartizan_protect::{Error as LayerError, Timer};
use tokio::time;

use super::*;

/// A breaker behind a guard with a timeout of a second, and who is told of it.
fn told() -> (Guard<((), (), Told)>, Told) {
    let told = Told::default();
    let breaker = told.breaker(in_a_row(2).with_slow_threshold(100 * SECOND));
    let builder = Guard::builder().with_breaker(breaker).with_timeout(SECOND);
    (builder.build().unwrap(), told)
}

fn state(guard: &Guard<((), (), Told)>) -> State {
    guard.breaker().unwrap().snapshot().state
}

#[tokio::test(start_paused = true)]
async fn failures_open_it_and_a_success_closes_it_again() {
    let (guard, told) = told();
    for _ in 0..2 {
        assert_eq!(state(&guard), State::Closed);
        guard.run(failed()).await.unwrap_err();
    }
    assert_eq!(state(&guard), State::Open);
    let error = guard.run(done()).await.unwrap_err();
    assert!(matches!(error, Error::CircuitOpen(_)), "{error}");
    time::advance(SECOND).await;
    while state(&guard) != State::Closed {
        guard.run(done()).await.unwrap();
    }
    assert_eq!(told.rejected(), [State::Open]);
    let changed = [
        (State::Closed, State::Open),
        (State::Open, State::HalfOpen),
        (State::HalfOpen, State::Closed),
    ];
    assert_eq!(told.changed(), changed);
}

#[tokio::test(start_paused = true)]
async fn timeouts_are_failures() {
    let (guard, told) = told();
    for _ in 0..2 {
        let error = guard.run(pending::<io::Result<()>>()).await.unwrap_err();
        assert!(matches!(error, Error::TimedOut(_)), "{error}");
    }
    assert_eq!(state(&guard), State::Open);
    assert_eq!(told.ended(), [(Outcome::Failure, false); 2]);
    assert_eq!(told.elapsed(), [SECOND; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_its_caller_had_no_time_for_is_a_cancelled_one() {
    let (guard, told) = told();
    let deadline = Timer::default().now() + SECOND / 2;
    let run = guard.run(pending::<io::Result<()>>());
    let error = run.with_deadline(deadline).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
    assert_eq!(told.ended(), [(Outcome::Ignored, false)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_a_failure_is_up_to_the_caller() {
    let (guard, told) = told();
    let declined = |result: &io::Result<()>| match result {
        Err(error) if error.to_string() == "card declined" => Outcome::Success,
        Err(_) => Outcome::Failure,
        Ok(()) => Outcome::Backpressure(None),
    };
    let error = guard.run(failed()).with_classify(declined).await;
    assert!(matches!(error, Err(Error::Failed(_))));
    guard.run(done()).with_classify(declined).await.unwrap();
    let ended = [
        (Outcome::Success, false),
        (Outcome::Backpressure(None), false),
    ];
    assert_eq!(told.ended(), ended);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_by_a_layer_inside_is_nobodys_failure() {
    let (guard, told) = told();
    let inner = breaker(1);
    inner.try_acquire().unwrap().record(Outcome::Failure);
    let rejected = inner.try_acquire().unwrap_err();
    let work = async { Err::<(), _>(LayerError::CircuitOpen(rejected)) };
    guard.run(work).await.unwrap_err();
    assert_eq!(told.ended(), [(Outcome::Ignored, false)]);
}
