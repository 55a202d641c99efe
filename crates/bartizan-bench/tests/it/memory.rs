//! The memory that a limiter takes is what it says, however many clients there are.

use std::cell::Cell;
use std::net::Ipv4Addr;
use std::time::Duration;

use bartizan_protect::rate_limit::{Decisions, Keys, Overflow, Policy, Quota, RateLimiter};
use http::Request;
use http::request::Parts;

use crate::held::most;

/// Keys whose budgets are not full at once.
const CAPACITY: usize = 100_000;

/// What a limiter has besides its tables, such as names and functions.
const REST: usize = 2_048;

thread_local! {
    static NEXT: Cell<u32> = const { Cell::new(0) };
}

/// One that has not been there yet.
fn next() -> u32 {
    NEXT.replace(NEXT.get() + 1)
}

/// Half used by one request, and not full again before all clients have come.
fn policy() -> Policy {
    let day = Duration::from_secs(24 * 60 * 60);
    Policy::new("client", Quota::new(2, day, 2).unwrap()).with_capacity(CAPACITY)
}

/// The most bytes that were held while a limiter was built and `clients` came once each.
fn most_of(policy: &Policy, clients: u32) -> (usize, RateLimiter) {
    let peer = |_: &Parts| Some(Ipv4Addr::from_bits(next()).into());
    let (parts, ()) = Request::new(()).into_parts();
    most(|| {
        let limiter = RateLimiter::builder().with_policy(policy.clone());
        let limiter = limiter.with_peer(peer).build().unwrap();
        let mut decisions = Decisions::default();
        for _ in 0..clients {
            limiter.check_into(&parts, &mut decisions);
        }
        limiter
    })
}

fn assert_takes_what_it_states(overflow: Overflow, clients: u32) {
    let policy = policy().with_keys(Keys::peer()).with_overflow(overflow);
    let (most, limiter) = most_of(&policy, clients);
    let stated = limiter.memory();
    assert!(
        (stated..stated + REST).contains(&most),
        "{most} where {stated} is stated"
    );
    // 32 bytes each as documented, and locks.
    let documented = CAPACITY * 32..CAPACITY * 32 * 102 / 100;
    assert!(documented.contains(&stated), "{stated}");
    // Most of them have found the table full.
    let counts = limiter.snapshots()[0].counts;
    let late = counts.overflowed + counts.evicted;
    assert!(late > u64::from(clients) / 2, "{counts:?}");
}

#[test]
fn ten_million_clients_take_no_more_than_is_stated() {
    assert_takes_what_it_states(Overflow::SharedBucket, 10_000_000);
}

#[test]
fn clients_that_take_the_place_of_others_take_no_more_either() {
    assert_takes_what_it_states(Overflow::EvictOldest, 1_000_000);
}

#[test]
fn names_take_no_more_than_is_documented_however_long_and_many_they_are() {
    const NAMES: usize = 10_000;
    // What of a name is not kept is held while it is made, of one at a time.
    const LONG: usize = 100;
    let keys = Keys::by(|_| Some(format!("{:>LONG$}", next()).into()));
    let policy = policy().with_keys(keys).with_names(NAMES);
    let (most, limiter) = most_of(&policy, 200_000);
    let names = NAMES * 88;
    let stated = limiter.memory() + names;
    // Nearly all places are taken.
    let range = stated - names / 50..stated + REST + 2 * LONG;
    assert!(range.contains(&most), "{most} where {stated} is stated");
}
