use std::future::Future;

use tokio_test::{assert_pending, assert_ready, task};

use super::*;

const TERMS: Terms = Terms {
    most: 10,
    time: Duration::from_secs(1),
};

fn leases(keys: usize) -> (Arc<Leases>, Instant) {
    let now = tokio::time::Instant::now().into_std();
    (Arc::new(Leases::new(keys, TERMS, now)), now)
}

fn granted(granted: u32) -> Grant {
    Grant {
        granted,
        retry_after: Duration::ZERO,
        remaining: 0,
    }
}

fn ask(step: Step) -> Refill {
    match step {
        Step::Ask(refill) => refill,
        other => panic!("{other:?}"),
    }
}

fn wait(step: Step) -> impl Future<Output = ()> {
    match step {
        Step::Wait(notified) => notified,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_asks_and_the_others_wait_for_the_answer() {
    let (leases, now) = leases(8);
    let refill = ask(leases.step(1, now));
    // It is not polled before the answer is there.
    let early = wait(leases.step(1, now));
    let mut waiting = task::spawn(wait(leases.step(1, now)));
    assert_pending!(waiting.poll());
    ask(leases.step(2, now));
    refill.fill(now, &granted(2));
    assert!(waiting.is_woken());
    assert_ready!(waiting.poll());
    assert_ready!(task::spawn(early).poll());
    assert!(matches!(leases.step(1, now), Step::Taken));
    assert_eq!(ask(leases.step(1, now)).most, 2);
}

#[test]
fn whoever_asks_and_goes_away_leaves_it_to_the_next() {
    let (leases, now) = leases(8);
    let refill = ask(leases.step(1, now));
    let mut waiting = task::spawn(wait(leases.step(1, now)));
    assert_pending!(waiting.poll());
    drop(refill);
    assert_ready!(waiting.poll());
    ask(leases.step(1, now));
}

#[test]
fn a_refusal_is_everybodys() {
    let (leases, now) = leases(8);
    let wait = Duration::from_millis(5);
    let refusal = Grant {
        retry_after: wait,
        ..granted(0)
    };
    ask(leases.step(1, now)).fill(now, &refusal);
    assert!(matches!(leases.step(1, now), Step::Refused(left) if left == wait));
    ask(leases.step(1, now + wait));
}

#[test]
fn there_is_room_for_so_many_and_the_spent_go_first() {
    let (leases, now) = leases(PLACES);
    let at = |millis| now + Duration::from_millis(millis);
    for key in 0..PLACES as u128 {
        // The last one has nothing left, the others have one each.
        let units = if key == 7 { 1 } else { 2 };
        ask(leases.step(key, at(key as u64))).fill(now, &granted(units));
    }
    ask(leases.step(100, at(10))).fill(now, &granted(2));
    // Then the one that nobody has used for longest.
    assert!(matches!(leases.step(0, at(11)), Step::Taken));
    ask(leases.step(0, at(12))).fill(now, &granted(2));
    let refill = ask(leases.step(101, at(13)));
    let known = |key| leases.set(key).iter().any(|slot| slot.key == key);
    assert_eq!((known(7), known(0), known(1)), (false, true, false));
    assert_eq!(leases.set(0).len(), PLACES);
    drop(refill);
}

#[test]
fn what_is_being_asked_for_stays_and_nobody_else_comes_in() {
    let (leases, now) = leases(PLACES);
    let refills: Vec<Refill> = (0..PLACES as u128)
        .map(|key| ask(leases.step(key, now)))
        .collect();
    assert!(matches!(leases.step(100, now), Step::NoRoom));
    assert_eq!(leases.local(100, now, &quota()), None);
    drop(refills);
    ask(leases.step(100, now));
}

#[test]
fn a_local_budget_is_kept_apart_and_is_not_forgotten_for_a_spent_lease() {
    let (leases, now) = leases(PLACES);
    let quota = quota();
    let local = |key| leases.local(key, now, &quota).unwrap();
    assert_eq!((local(0).granted, local(0).granted), (1, 1));
    let refused = local(0);
    assert_eq!((refused.granted, refused.retry_after), (0, TERMS.time));
    for key in 1..=PLACES as u128 {
        drop(ask(leases.step(key, now)));
    }
    assert_eq!(local(0).granted, 0);
}

/// One a second, two at once.
fn quota() -> Quota {
    Quota::new(1, TERMS.time, 2).unwrap()
}

#[test]
fn a_lease_takes_as_much_memory_as_is_said() {
    assert!(size_of::<Slot>() <= 128);
    let (leases, now) = leases(1_000);
    for key in 0..100_000 {
        drop(ask(leases.step(key, now)));
    }
    let all = leases.sets.iter().map(|set| set.lock().unwrap().capacity());
    assert!(all.sum::<usize>() <= 1_000);
}
