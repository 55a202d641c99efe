//! The handle: to look at, and to change what is at work.

use bartizan_protect::rate_limit::{Keys, MissingKey};

use super::*;

fn peers(quota: Quota) -> Policy {
    Policy::new("peer", quota).with_keys(Keys::peer())
}

fn ask(limiter: &RateLimiter, peer: &str, times: usize) -> usize {
    let one = || limiter.check(&parts(Some(peer), &[])).allow();
    (0..times).filter(|_| one()).count()
}

#[test]
fn the_keys_that_have_used_most_come_first() {
    let (limiter, clock) = limiter(peers(quota(1, 10)).with_names(8));
    for (peer, times) in [
        ("192.0.2.1", 1),
        ("192.0.2.2", 7),
        ("192.0.2.3", 20),
        ("192.0.2.4", 5),
    ] {
        ask(&limiter, peer, times);
    }
    let top = limiter.top("peer", 3).unwrap();
    let seen: Vec<_> = top
        .iter()
        .map(|usage| (usage.name.as_deref(), usage.remaining, usage.full_in))
        .collect();
    assert_eq!(
        seen,
        [
            (Some("192.0.2.3"), 0, 10 * SECOND),
            (Some("192.0.2.2"), 3, 7 * SECOND),
            // Half of the burst is worth a name.
            (Some("192.0.2.4"), 5, 5 * SECOND),
        ]
    );
    let all = limiter.top("peer", 10).unwrap();
    assert_eq!((all.len(), all[3].remaining, &all[3].name), (4, 9, &None));
    clock.advance(6 * SECOND);
    assert_eq!(
        limiter.top("peer", 10).unwrap().len(),
        2,
        "the others have everything again"
    );
    assert!(limiter.top("nobody", 1).is_err());
}

#[test]
fn keys_are_hashes_that_no_two_limiters_share() {
    let key = || {
        let (limiter, _) = limiter(peers(quota(1, 1)));
        ask(&limiter, "192.0.2.1", 1);
        let top = limiter.top("peer", 1).unwrap();
        assert_eq!(top[0].name, None);
        top[0].key
    };
    assert_ne!(key(), key());
    assert_eq!(key().to_string().len(), 16);
}

#[test]
fn a_new_quota_reads_the_times_of_the_old_one() {
    let (limiter, clock) = limiter(peers(quota(1, 10)));
    assert_eq!(ask(&limiter, "192.0.2.1", 20), 10);
    // Full in ten seconds, which is now a hundred units of the hundred and fifty.
    limiter.set_quota("peer", quota(10, 150)).unwrap();
    assert_eq!(limiter.snapshots()[0].quota, quota(10, 150));
    assert_eq!(ask(&limiter, "192.0.2.1", 200), 50);
    assert_eq!(ask(&limiter, "192.0.2.2", 200), 150);
    clock.advance(SECOND);
    assert_eq!(ask(&limiter, "192.0.2.1", 200), 10);
}

#[test]
fn a_more_generous_quota_is_not_waited_for_as_long_as_the_old_one() {
    let hourly = Quota::new(1, 3_600 * SECOND, 24).unwrap();
    let (limiter, clock) = limiter(peers(hourly));
    assert_eq!(ask(&limiter, "192.0.2.1", 50), 24);
    limiter.set_quota("peer", quota(1, 2)).unwrap();
    // Two bursts at most, not a day.
    let decisions = limiter.check(&parts(Some("192.0.2.1"), &[]));
    assert_eq!(decisions.retry_after(), Some(3 * SECOND));
    clock.advance(3 * SECOND);
    // By time only: nobody has given anything back to the key itself.
    assert_eq!(ask(&limiter, "192.0.2.2", 5), 2);
}

#[test]
fn a_stricter_quota_is_kept_at_once() {
    let (limiter, _) = limiter(peers(quota(100, 100)));
    assert_eq!(ask(&limiter, "192.0.2.1", 1), 1);
    limiter
        .set_quota("peer", Quota::new(1, 60 * SECOND, 1).unwrap())
        .unwrap();
    assert_eq!(ask(&limiter, "192.0.2.1", 5), 0);
    assert_eq!(ask(&limiter, "192.0.2.2", 5), 1);
}

#[test]
fn whoever_has_no_key_is_told_of_the_quota_that_there_is() {
    let (limiter, _) = limiter(peers(quota(1, 1)).with_missing_key(MissingKey::Deny));
    limiter.set_quota("peer", quota(2, 2)).unwrap();
    let decisions = limiter.check(&parts(None, &[]));
    assert_eq!(*decisions.iter().next().unwrap().1.quota(), quota(2, 2));
}
