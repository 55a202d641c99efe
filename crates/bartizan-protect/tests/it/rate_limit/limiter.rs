//! Several policies, and what cannot be one.

use std::sync::Mutex;

use bartizan_protect::rate_limit::{
    Counts, Decision, Keys, MAX_POLICIES, Mode, Observer, Outcome, Refusal,
};

use super::*;

fn counts(limiter: &RateLimiter, policy: usize) -> (u64, u64, u64) {
    let Counts {
        allowed,
        rejected,
        uncharged,
        ..
    } = limiter.snapshots()[policy].counts;
    (allowed, rejected, uncharged)
}

#[test]
fn a_rejected_request_is_charged_to_nobody() {
    let clock = Clock::new();
    let limiter = builder()
        .with_timer(Timer::new(clock.clone()))
        .with_policy(Policy::new("peer", quota(1, 2)).with_keys(Keys::peer()))
        .with_policy(Policy::new("all", quota(1, 3)))
        .build()
        .unwrap();
    let ask = |peer| limiter.check(&parts(Some(peer), &[])).allow();
    let (one, other) = ("192.0.2.1", "192.0.2.2");
    assert!(ask(one) && ask(one));
    // However often it knocks, it takes nothing from the others.
    for _ in 0..1_000 {
        assert!(!ask(one));
    }
    assert_eq!(counts(&limiter, 0), (2, 1_000, 0));
    assert_eq!(counts(&limiter, 1), (2, 0, 1_000));
    assert!(ask(other));
    // And the other way round: nothing is left for all, and the peer keeps what it has.
    for _ in 0..1_000 {
        assert!(!ask(other));
    }
    assert_eq!(counts(&limiter, 0), (3, 1_000, 1_000));
    clock.advance(SECOND);
    assert!(ask(other));
    let decisions = limiter.check(&parts(Some(other), &[]));
    let outcomes: Vec<_> = decisions.iter().map(|(_, it)| it.outcome()).collect();
    assert_eq!(outcomes, [Outcome::Uncharged, Outcome::Rejected]);
    assert_eq!(decisions.retry_after(), Some(SECOND));
}

#[test]
fn knocking_does_not_keep_the_door_shut() {
    let (limiter, clock) = limiter(Policy::new("all", quota(1, 1)));
    assert!(limiter.try_acquire(None, 1).is_ok());
    for tenths in 0..10 {
        let rejected = limiter.try_acquire(None, 1).unwrap_err();
        assert_eq!(rejected.retry_after(), Some(SECOND - SECOND / 10 * tenths));
        clock.advance(SECOND / 10);
    }
    assert!(limiter.try_acquire(None, 1).is_ok());
}

#[test]
fn what_is_no_request_has_a_key_and_a_cost() {
    let clock = Clock::new();
    let limiter = builder()
        .with_timer(Timer::new(clock))
        .with_policy(Policy::new("card", quota(1, 10)).with_keys(Keys::by(|_| None)))
        .with_policy(Policy::new("all", quota(1, 25)))
        .build()
        .unwrap();
    assert!(limiter.try_acquire(Some("a"), 10).is_ok());
    let rejected = limiter.try_acquire(Some("a"), 4).unwrap_err();
    assert_eq!(rejected.retry_after(), Some(4 * SECOND));
    assert_eq!(*rejected.violated(), [Arc::from("card")]);
    assert!(limiter.try_acquire(Some("b"), 10).is_ok());
    assert_eq!(
        limiter
            .try_acquire(Some("c"), 11)
            .unwrap_err()
            .retry_after(),
        None
    );
    let rejected = limiter.try_acquire(Some("c"), 10).unwrap_err();
    assert_eq!(*rejected.violated(), [Arc::from("all")]);
    assert!(limiter.try_acquire(Some("c"), 0).is_ok());
    // Without a key, with all that have none.
    assert!(limiter.try_acquire(None, 5).is_ok());
    assert_eq!(limiter.snapshots()[0].counts.keyless, 1);
}

#[test]
fn never_is_later_than_any_time() {
    let limiter = builder()
        .with_timer(Timer::new(Clock::new()))
        .with_policy(Policy::new("slow", Quota::new(1, 60 * SECOND, 5).unwrap()))
        .with_policy(Policy::new("small", quota(1, 5)))
        .build()
        .unwrap();
    assert!(limiter.try_acquire(None, 5).is_ok());
    limiter.set_quota("small", quota(1, 4)).unwrap();
    let rejected = limiter.try_acquire(None, 5).unwrap_err();
    assert_eq!(
        *rejected.violated(),
        [Arc::from("small"), Arc::from("slow")]
    );
    assert_eq!(rejected.refusal(), Refusal::CostAboveBurst);
    assert_eq!(rejected.retry_after(), None);
}

#[test]
fn what_is_no_limiter_is_said_with_field_and_value() {
    let build = |policies: Vec<Policy>| {
        let builder = policies
            .into_iter()
            .fold(builder(), RateLimiterBuilder::with_policy);
        builder.build().map(drop).map_err(|error| error.to_string())
    };
    let named = |name: &str| Policy::new(name, quota(1, 1));
    let error = |policies| build(policies).unwrap_err();
    assert_eq!(error(vec![]), "rate limit: policies: 0 is not 1 to 8");
    let many = |count| {
        (0..count)
            .map(|number| named(&number.to_string()))
            .collect()
    };
    assert_eq!(error(many(9)), "rate limit: policies: 9 is not 1 to 8");
    assert_eq!(build(many(MAX_POLICIES)), Ok(()));
    for name in ["", "ä", "a\n", &"x".repeat(65)] {
        let expected =
            format!("rate limit: policy.name: {name:?} is not 1 to 64 visible ASCII characters");
        assert_eq!(error(vec![named(name)]), expected);
    }
    assert_eq!(
        error(vec![named("a"), named("a")]),
        "rate limit: policy.name: \"a\" is not the only one of its name"
    );
    assert_eq!(
        error(vec![named("a").with_capacity(0)]),
        format!(
            "rate limit: policy.capacity: 0 is not 1 to {} keys",
            1_u64 << 36
        )
    );
    let (limiter, _) = limiter(named("a"));
    assert_eq!(
        limiter.set_quota("b", quota(1, 1)).unwrap_err().to_string(),
        "policy: b is none of a"
    );
}

#[test]
fn each_policy_that_was_asked_tells_what_it_has_decided() {
    #[derive(Clone, Default)]
    struct Heard(Arc<Mutex<Vec<(String, Outcome, u32)>>>);
    impl Observer for Heard {
        type Policy = String;

        fn policy(&self, name: &str) -> String {
            name.to_owned()
        }

        fn decided(&self, policy: &String, decision: &Decision) {
            let heard = (policy.clone(), decision.outcome(), decision.remaining());
            self.0.lock().unwrap().push(heard);
        }
    }

    let heard = Heard::default();
    let limiter = builder()
        .with_observer(heard.clone())
        .with_policy(Policy::new("off", quota(1, 1)).with_mode(Mode::Disabled))
        .with_policy(Policy::new("shadow", quota(1, 1)).with_mode(Mode::Shadow))
        .with_policy(Policy::new("wide", quota(1, 9)))
        .with_policy(Policy::new("narrow", quota(1, 2)))
        .build()
        .unwrap();
    for _ in 0..3 {
        let _ = limiter.check(&parts(None, &[]));
    }
    let of = |name: &str, outcome, left| (name.to_owned(), outcome, left);
    use Outcome::{Allowed, Rejected, ShadowRejected, Uncharged};
    assert_eq!(
        *heard.0.lock().unwrap(),
        [
            of("shadow", Allowed, 0),
            of("wide", Allowed, 8),
            of("narrow", Allowed, 1),
            of("shadow", ShadowRejected, 0),
            of("wide", Allowed, 7),
            of("narrow", Allowed, 0),
            of("shadow", ShadowRejected, 0),
            of("wide", Uncharged, 7),
            of("narrow", Rejected, 0),
        ]
    );
}
