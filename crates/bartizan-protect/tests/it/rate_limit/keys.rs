//! Whose budget a request is charged to.

use bartizan_protect::rate_limit::Keys;

use super::*;

fn allowed(limiter: &RateLimiter, peer: Option<&str>, headers: &[(&str, &str)]) -> bool {
    limiter.check(&parts(peer, headers)).allow()
}

#[test]
fn each_combination_has_a_budget() {
    let tenant = Keys::header("x-tenant".parse().unwrap());
    let keys = tenant.and(Keys::by(|parts| Some(parts.uri.path().into())));
    let (limiter, _) = limiter(Policy::new("tenant's route", quota(1, 1)).with_keys(keys));
    let ask = |tenant, path: &str| {
        let mut parts = parts(None, &[("x-tenant", tenant)]);
        parts.uri = path.parse().unwrap();
        limiter.check(&parts).allow()
    };
    assert!(ask("acme", "/a"));
    assert!(!ask("acme", "/a"));
    assert!(ask("acme", "/b"));
    assert!(ask("umbrella", "/a"));
    assert!(!ask("umbrella", "/a"));
}

#[test]
fn a_subscriber_of_ipv6_is_one_client() {
    let (limiter, _) = limiter(Policy::new("peer", quota(1, 2)).with_keys(Keys::peer()));
    assert!(allowed(&limiter, Some("2001:db8::1"), &[]));
    assert!(allowed(&limiter, Some("2001:db8::2"), &[]));
    assert!(!allowed(&limiter, Some("2001:db8::ffff:1"), &[]));
    assert!(allowed(&limiter, Some("2001:db8:0:1::1"), &[]));
    assert!(allowed(&limiter, Some("192.0.2.1"), &[]));
    assert!(allowed(&limiter, Some("::ffff:192.0.2.1"), &[]));
    assert!(!allowed(&limiter, Some("192.0.2.1"), &[]));
}

#[test]
fn tiers_have_quotas_of_their_own() {
    let keys = Keys::api_key("x-api-key".parse().unwrap());
    let tier = |parts: &Parts| {
        let gold = parts
            .headers
            .get("x-tier")
            .is_some_and(|tier| tier == "gold");
        gold.then(|| quota(10, 3))
    };
    let policy = Policy::new("tenant", quota(1, 1))
        .with_keys(keys)
        .with_overrides(tier);
    let (limiter, clock) = limiter(policy);
    let plain: &[_] = &[("x-api-key", "plain")];
    let gold: &[_] = &[("x-api-key", "gold"), ("x-tier", "gold")];
    let ask = |headers, times: usize| {
        (0..times)
            .filter(|_| allowed(&limiter, None, headers))
            .count()
    };
    assert_eq!((ask(plain, 10), ask(gold, 10)), (1, 3));
    clock.advance(SECOND / 10);
    assert_eq!((ask(plain, 10), ask(gold, 10)), (0, 1));

    // The policy's own quota changes; what is somebody's own stays.
    limiter.set_quota("tenant", quota(1, 2)).unwrap();
    clock.advance(60 * SECOND);
    assert_eq!((ask(plain, 10), ask(gold, 10)), (2, 3));
}

#[test]
fn a_secret_is_kept_nowhere() {
    let keys = Keys::api_key("x-api-key".parse().unwrap());
    let policy = Policy::new("tenant", quota(1, 1))
        .with_keys(keys)
        .with_names(10);
    let (limiter, _) = limiter(policy);
    assert!(allowed(&limiter, None, &[("x-api-key", "hunter2")]));
    let top = limiter.top("tenant", 10).unwrap();
    assert_eq!(top.len(), 1);
    assert!(!format!("{top:?}").contains("hunter2"), "{top:?}");
}
