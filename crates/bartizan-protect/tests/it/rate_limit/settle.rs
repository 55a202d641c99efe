//! What a call has cost after all.

use bartizan_protect::rate_limit::{Charged, Keys, Mode, Overflow, RateLimitLayer, Reservation};
use tower::{Layer, service_fn};

use super::*;

/// A budget of ten, one a second.
fn budget() -> (RateLimiter, Clock) {
    limiter(Policy::new("tokens", quota(1, 10)).with_keys(Keys::by(|_| None)))
}

fn take(limiter: &RateLimiter, cost: u32) -> Reservation {
    limiter.try_acquire(Some("a"), cost).unwrap()
}

fn left(limiter: &RateLimiter) -> u32 {
    let top = limiter.top("tokens", 1).unwrap();
    top.first().map_or(10, |usage| usage.remaining)
}

#[test]
fn less_is_given_back() {
    let (limiter, _) = budget();
    let mut reservation = take(&limiter, 8);
    assert_eq!(left(&limiter), 2);
    reservation.settle("tokens", 3).unwrap();
    assert_eq!(left(&limiter), 7);
    // Once more, and more.
    reservation.settle("tokens", 5).unwrap();
    assert_eq!(left(&limiter), 5);
    reservation.refund();
    assert_eq!(left(&limiter), 10);
}

#[test]
fn dropped_it_stays_as_it_is() {
    let (limiter, _) = budget();
    drop(take(&limiter, 8));
    assert_eq!(left(&limiter), 2);
}

#[test]
fn more_becomes_a_debt_of_a_burst_at_most() {
    let (limiter, clock) = budget();
    take(&limiter, 1).settle("tokens", 15).unwrap();
    assert_eq!(
        limiter.try_acquire(Some("a"), 1).unwrap_err().retry_after(),
        Some(6 * SECOND)
    );
    clock.advance(6 * SECOND);
    take(&limiter, 1).settle("tokens", u32::MAX).unwrap();
    assert_eq!(
        limiter.try_acquire(Some("a"), 1).unwrap_err().retry_after(),
        Some(11 * SECOND)
    );
}

#[tokio::test(start_paused = true)]
async fn a_debt_is_of_the_quota_that_was_charged() {
    let policy = Policy::new("tokens", quota(1, 2)).with_overrides(|_| Some(quota(1, 10)));
    let mut layer = RateLimitLayer::new(builder().with_policy(policy).build().unwrap());
    layer = layer.with_charges();
    let mut service = layer.layer(service_fn(async |request: Request<()>| {
        let charged = request.extensions().get::<Charged>().unwrap().clone();
        charged.settle("tokens", 15).unwrap();
        answer(request).await
    }));
    send(&mut service, request(None, &[])).await.unwrap();
    let decisions = layer.handle().check(&parts(None, &[]));
    assert_eq!(decisions.retry_after(), Some(6 * SECOND));
}

#[test]
fn what_time_has_given_back_is_not_given_back_again() {
    let (limiter, clock) = budget();
    let reservation = take(&limiter, 10);
    clock.advance(20 * SECOND);
    drop(take(&limiter, 5));
    reservation.refund();
    assert_eq!(left(&limiter), 5, "of ten, five are used");
}

#[test]
fn a_key_that_has_lost_its_place_gets_nothing_back() {
    let policy = Policy::new("tokens", quota(1, 10))
        .with_keys(Keys::by(|_| None))
        .with_capacity(1)
        .with_overflow(Overflow::EvictOldest);
    let (limiter, _) = limiter(policy);
    let reservation = take(&limiter, 1);
    let others: Vec<String> = (0..16).map(|number| format!("other {number}")).collect();
    for other in &others {
        assert!(limiter.try_acquire(Some(other), 10).is_ok());
    }
    let before = limiter.top("tokens", 16).unwrap();
    reservation.refund();
    assert_eq!(limiter.top("tokens", 16).unwrap(), before);
}

#[test]
fn what_could_not_be_charged_is_not_given_back() {
    let policy = Policy::new("tokens", quota(1, 10))
        .with_keys(Keys::by(|_| None))
        .with_capacity(1)
        .with_overflow(Overflow::Deny);
    let (limiter, clock) = limiter(policy);
    let mut reservation = take(&limiter, 1);
    let fill = |number: u32| limiter.try_acquire(Some(&number.to_string()), 10).map(drop);
    assert_eq!((0..15).map(fill).filter(Result::is_ok).count(), 15);
    // Its place is free, and another takes it.
    clock.advance(2 * SECOND);
    assert_eq!(fill(15), Ok(()));
    reservation.settle("tokens", 15).unwrap();
    clock.advance(9 * SECOND);
    drop(take(&limiter, 5));
    reservation.settle("tokens", 0).unwrap();
    assert_eq!(left(&limiter), 5);
}

#[test]
fn what_was_shared_is_given_back_to_all_who_share() {
    let policy = Policy::new("tokens", quota(1, 10))
        .with_keys(Keys::by(|_| None))
        .with_capacity(1);
    let (limiter, _) = limiter(policy);
    for number in 0..16 {
        assert!(limiter.try_acquire(Some(&number.to_string()), 10).is_ok());
    }
    let reservation = take(&limiter, 10);
    assert!(limiter.try_acquire(Some("b"), 1).is_err());
    reservation.refund();
    assert!(limiter.try_acquire(Some("b"), 10).is_ok());
}

#[test]
fn each_policy_is_settled_by_its_name() {
    let limiter = builder()
        .with_timer(Timer::new(Clock::new()))
        .with_policy(Policy::new("tokens", quota(1, 10)))
        .with_policy(Policy::new("other", quota(1, 10)))
        .with_policy(Policy::new("off", quota(1, 10)).with_mode(Mode::Disabled))
        .build()
        .unwrap();
    let mut reservation = limiter.try_acquire(None, 6).unwrap();
    reservation.settle("tokens", 1).unwrap();
    reservation.settle("off", 9).unwrap();
    let left = |policy| {
        limiter
            .top(policy, 1)
            .unwrap()
            .first()
            .map(|usage| usage.remaining)
    };
    assert_eq!(
        (left("tokens"), left("other"), left("off")),
        (Some(9), Some(4), None)
    );
    let error = reservation.settle("nobody", 1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "policy: nobody is none of tokens, other, off"
    );
}

#[tokio::test(start_paused = true)]
async fn a_service_says_what_a_request_has_cost() {
    for (charges, expected) in [(true, 7), (false, 1)] {
        let policy = Policy::new("tokens", quota(1, 10)).with_cost(|_| 9);
        let mut layer = RateLimitLayer::new(builder().with_policy(policy).build().unwrap());
        if charges {
            layer = layer.with_charges();
        }
        let mut service = layer.layer(service_fn(async |request: Request<()>| {
            if let Some(charged) = request.extensions().get::<Charged>().cloned() {
                charged.settle("tokens", 3).unwrap();
            }
            answer(request).await
        }));
        send(&mut service, request(None, &[])).await.unwrap();
        assert_eq!(left(layer.handle()), expected);
    }
}
