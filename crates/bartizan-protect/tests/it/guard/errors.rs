//! What a call without a result is told.

use std::error::Error as _;
use std::future::pending;

use bartizan_protect::guard::Error;
use bartizan_protect::timeout::Limit;
use bartizan_protect::{BoxError, Timer};
use tokio::time;

use super::*;

#[tokio::test(start_paused = true)]
async fn work_without_limits_is_just_done() {
    let guard = Guard::builder().build().unwrap();
    assert_eq!(guard.run(after_polls(2)).await.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn the_error_of_the_work_is_the_one_that_it_has_returned() {
    let guard = whole(&Told::default());
    let error = guard.run_for("acme", failed()).await.unwrap_err();
    assert!(!error.is_rejection());
    assert_eq!(error.name(), "failed");
    assert_eq!(error.to_string(), "card declined");
    let source = error.source().unwrap();
    assert!(source.is::<io::Error>());
    let Error::Failed(error) = error else {
        panic!("{error}");
    };
    assert_eq!(error.get_ref().unwrap().to_string(), "card declined");
}

#[tokio::test(start_paused = true)]
async fn each_key_has_a_quota_and_a_call_its_cost() {
    let guard = Guard::builder()
        .with_rate_limiter(limiter(5))
        .build()
        .unwrap();
    guard.run_for("acme", done()).with_cost(4).await.unwrap();
    let error = guard.run_for("acme", done()).with_cost(2).await;
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::RateLimited(_)), "{error}");
    assert_eq!(error.name(), "rate_limited");
    assert!(error.is_rejection());
    assert_eq!(error.retry_after(), Some(100 * SECOND));
    guard.run_for("acme", done()).await.unwrap();
    let other = format!("{}-{}", "acme", 2);
    guard.run_for(other, done()).with_cost(5).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn one_too_many_is_refused_and_charged_nothing() {
    let guard = whole(&Told::default());
    let mut first = tokio_test::task::spawn(guard.run_for("a", pending::<io::Result<()>>()));
    let mut second = tokio_test::task::spawn(guard.run_for("b", done()));
    assert!(first.poll().is_pending() && second.poll().is_pending());
    let error = guard.run_for("c", done()).await.unwrap_err();
    assert!(matches!(&error, Error::Saturated(_)), "{error}");
    assert_eq!((error.name(), error.retry_after()), ("saturated", None));
    assert!(error.is_rejection());
    assert_eq!(held(&guard, "c"), (1, 1, 5));
}

#[tokio::test(start_paused = true)]
async fn one_that_waits_too_long_is_refused_and_charged_nothing() {
    let bulkhead = bulkhead(1, 1);
    let guard = Guard::builder()
        .with_rate_limiter(limiter(1))
        .with_bulkhead(bulkhead.clone())
        .build()
        .unwrap();
    let permit = bulkhead.try_acquire().unwrap();
    let start = time::Instant::now();
    let error = guard.run_for("acme", done()).await.unwrap_err();
    assert!(matches!(error, Error::Saturated(_)), "{error}");
    assert_eq!(start.elapsed(), 10 * SECOND);
    drop(permit);
    guard.run_for("acme", done()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_refuses_and_gives_back_place_and_charge() {
    let guard = Guard::builder()
        .with_rate_limiter(limiter(2))
        .with_bulkhead(bulkhead(1, 0))
        .with_breaker(breaker(1))
        .build()
        .unwrap();
    guard.run_for("acme", failed()).await.unwrap_err();
    for _ in 0..3 {
        let error = guard.run_for("acme", done()).await.unwrap_err();
        assert!(matches!(&error, Error::CircuitOpen(_)), "{error}");
        assert_eq!(error.name(), "circuit_open");
        assert_eq!(error.retry_after(), Some(SECOND));
    }
    assert_eq!(guard.bulkhead().unwrap().snapshot().in_flight, 0);
    time::advance(SECOND).await;
    guard.run_for("acme", done()).await.unwrap();
    let error = guard.run_for("acme", done()).await.unwrap_err();
    assert!(matches!(error, Error::RateLimited(_)), "{error}");
}

#[tokio::test(start_paused = true)]
async fn work_that_takes_too_long_is_dropped() {
    let guard = whole(&Told::default());
    let start = time::Instant::now();
    let error = guard.run_for("acme", pending::<io::Result<()>>()).await;
    let Err(Error::TimedOut(elapsed)) = error else {
        panic!("{error:?}");
    };
    assert_eq!(elapsed.limit(), Limit::Timeout);
    assert_eq!(start.elapsed(), SECOND);
    assert_eq!(held(&guard, "acme"), (0, 0, 4));
}

#[tokio::test(start_paused = true)]
async fn a_deadline_cuts_off_without_a_timeout_too() {
    for timeout in [None, Some(2 * SECOND)] {
        let builder = Guard::builder();
        let builder = match timeout {
            Some(timeout) => builder.with_timeout(timeout),
            None => builder,
        };
        let guard = builder.build().unwrap();
        let start = time::Instant::now();
        let deadline = Timer::default().now() + SECOND;
        let run = guard.run(pending::<io::Result<()>>());
        let error = run.with_deadline(deadline).await.unwrap_err();
        let Error::TimedOut(elapsed) = error else {
            panic!("{error}");
        };
        assert_eq!(elapsed.limit(), Limit::Deadline);
        assert_eq!(start.elapsed(), SECOND);
    }
}

#[tokio::test(start_paused = true)]
async fn without_time_left_nothing_is_begun_or_charged() {
    let told = Told::default();
    let guard = whole(&told);
    let now = Timer::default().now();
    let error = guard.run_for("acme", done()).with_deadline(now).await;
    let error = error.unwrap_err();
    assert!(matches!(&error, Error::NoTimeLeft(_)), "{error}");
    assert_eq!((error.name(), error.is_rejection()), ("no_time_left", true));
    // Nor where it is over while the call waits.
    let permit = guard.bulkhead().unwrap().try_acquire().unwrap();
    let start = time::Instant::now();
    let run = guard.run_for("acme", done()).with_deadline(now + SECOND);
    let error = run.await.unwrap_err();
    assert!(matches!(error, Error::NoTimeLeft(_)), "{error}");
    assert_eq!(start.elapsed(), SECOND);
    drop(permit);
    assert_eq!(held(&guard, "acme"), (0, 0, 5));
    assert_eq!(told.ended(), []);
}

#[test]
fn a_timeout_is_neither_nothing_nor_for_ever() {
    for timeout in [Duration::ZERO, Duration::MAX] {
        let error = Guard::builder().with_timeout(timeout).build().unwrap_err();
        let said = format!("guard: with_timeout: {timeout:?} is not 1ms to 24h");
        assert_eq!(error.to_string(), said);
    }
}

#[test]
fn all_of_it_goes_to_other_threads() {
    fn sent<T: Send + 'static>(_: &T) {}
    fn shared<T: Send + Sync + 'static>(_: &T) {}
    let guard = Guard::builder().build().unwrap();
    shared(&guard);
    sent(&guard.run(done()));
    shared(&Error::Failed(BoxError::from("broken")));
}
