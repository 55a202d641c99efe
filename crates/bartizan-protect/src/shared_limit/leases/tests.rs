use std::future::Future;

use tokio_test::{assert_pending, assert_ready, task};

use super::*;

const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MILLI;

/// Of a burst of 100, ten may be leased.
fn leases(keys: usize) -> Arc<Leases> {
    let rules = Rules {
        share: 0.1,
        time: Some(Duration::from_secs(1)),
        replicas: NonZeroU32::new(50).unwrap(),
    };
    Arc::new(Leases::new(keys, rules))
}

/// One a second, a hundred at once.
fn key(hash: u128) -> Key {
    let quota = Quota::new(1, Duration::from_secs(1), 100).unwrap();
    Key { hash, quota }
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

fn wait(step: Step) -> impl Future<Output = Wanted> {
    match step {
        Step::Wait(waiting) => waiting.answered(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn taken(known: Known) -> Held {
    match known {
        Known::Taken(held, _) => held,
        other @ Known::Refused(..) => panic!("{other:?}"),
    }
}

#[track_caller]
fn known(step: Step) -> Known {
    match step {
        Step::Known(known) => known,
        other => panic!("{other:?}"),
    }
}

/// Asks for one unit and gets so many.
#[track_caller]
fn lease(leases: &Arc<Leases>, hash: u128, units: u32, now: u64) {
    let refill = ask(leases.step(&key(hash), 1, now));
    taken(refill.fill(now, &granted(units))).keep();
}

#[test]
fn one_asks_and_the_others_wait_for_the_answer() {
    let leases = leases(8);
    let step = |hash| leases.step(&key(hash), 1, 0);
    let refill = ask(step(1));
    // It is not polled before the answer is there.
    let early = wait(step(1));
    let mut waiting = task::spawn(wait(step(1)));
    assert_pending!(waiting.poll());
    ask(step(2));
    taken(refill.fill(0, &granted(2))).keep();
    assert!(waiting.is_woken());
    assert_ready!(waiting.poll());
    assert_ready!(task::spawn(early).poll());
    taken(known(step(1))).keep();
    assert_eq!(ask(step(1)).want(), Want { least: 1, most: 2 });
}

#[test]
fn whoever_asks_and_goes_away_leaves_it_to_the_next_and_what_was_here() {
    let leases = leases(8);
    lease(&leases, 1, 4, 0);
    let refill = ask(leases.step(&key(1), 5, 0));
    assert_eq!(refill.want(), Want { least: 2, most: 2 });
    // What it holds is not there for others.
    let mut waiting = task::spawn(wait(leases.step(&key(1), 1, 0)));
    assert_pending!(waiting.poll());
    drop(refill);
    assert_ready!(waiting.poll());
    taken(known(leases.step(&key(1), 3, 0))).keep();
    ask(leases.step(&key(1), 1, 0));
}

#[test]
fn what_is_taken_and_not_kept_is_there_again() {
    let leases = leases(8);
    let refill = ask(leases.step(&key(1), 5, 0));
    drop(taken(refill.fill(0, &granted(5))));
    drop(taken(known(leases.step(&key(1), 4, 0))));
    taken(known(leases.step(&key(1), 5, 0))).keep();
    ask(leases.step(&key(1), 1, 0));
}

#[test]
fn a_refusal_is_everybodys_and_costs_nobody_what_is_here() {
    let leases = leases(8);
    lease(&leases, 1, 3, 0);
    let refusal = Grant {
        retry_after: Duration::from_millis(5),
        ..granted(0)
    };
    let refill = ask(leases.step(&key(1), 5, 0));
    assert!(matches!(refill.fill(0, &refusal), Known::Refused(..)));
    let again = known(leases.step(&key(1), 5, 0));
    assert!(matches!(again, Known::Refused(wait, _) if wait == refusal.retry_after));
    taken(known(leases.step(&key(1), 2, 0))).keep();
    // Of two there is nothing here any more, and another unit takes a second.
    let again = known(leases.step(&key(1), 5, 0));
    let wait = Duration::from_millis(2_005);
    assert!(matches!(again, Known::Refused(left, _) if left == wait));
}

#[test]
fn what_is_here_is_left_where_the_store_gives_no_more() {
    let leases = leases(8);
    lease(&leases, 1, 3, 0);
    let refill = ask(leases.step(&key(1), 5, 0));
    let refusal = Grant {
        retry_after: Duration::from_secs(3),
        ..granted(0)
    };
    let first = refill.fill(0, &refusal);
    let again = known(leases.step(&key(1), 5, 0));
    for known in [first, again] {
        assert!(
            matches!(known, Known::Refused(_, Left { units: 2, .. })),
            "{known:?}"
        );
    }
}

#[test]
fn another_quota_is_another_budget() {
    let leases = leases(8);
    lease(&leases, 1, 10, 0);
    let other = Key {
        quota: Quota::new(1, Duration::from_secs(1), 10).unwrap(),
        ..key(1)
    };
    ask(leases.step(&other, 1, 0));
    taken(known(leases.step(&key(1), 9, 0))).keep();
}

#[test]
fn a_charge_is_settled_and_what_was_not_taken_is_owed() {
    let leases = leases(8);
    let charge = |units, now| {
        let refill = ask(leases.step(&key(1), units, now));
        taken(refill.fill(now, &granted(units))).keep().unwrap()
    };
    let mut first = charge(5, 0);
    first.settle(2, SECOND - 1);
    taken(known(leases.step(&key(1), 3, SECOND - 1))).keep();
    // Where that is not good any more, nothing comes back.
    let mut late = charge(5, 2 * SECOND);
    late.settle(2, 3 * SECOND);
    assert_eq!(ask(leases.step(&key(1), 3, 3 * SECOND)).want().least, 3);
    first.settle(4, 3 * SECOND);
    let want = ask(leases.step(&key(1), 3, 3 * SECOND)).want();
    assert_eq!(want, Want { least: 3, most: 5 });
}

#[test]
fn there_is_room_for_so_many_and_the_spent_go_first() {
    let leases = leases(PLACES);
    for key in 0..PLACES as u128 {
        // The last one has nothing left, the others have one each.
        let units = if key == 7 { 1 } else { 2 };
        lease(&leases, key, units, key as u64 * MILLI);
    }
    lease(&leases, 100, 2, 10 * MILLI);
    // Then the one that nobody has used for longest.
    taken(known(leases.step(&key(0), 1, 11 * MILLI))).keep();
    lease(&leases, 0, 2, 12 * MILLI);
    let refill = ask(leases.step(&key(101), 1, 13 * MILLI));
    let is_known = |hash| {
        let key = key(hash);
        leases.set(&key).iter().any(|slot| slot.key == key)
    };
    assert_eq!(
        (is_known(7), is_known(0), is_known(1)),
        (false, true, false)
    );
    assert_eq!(leases.set(&key(0)).len(), PLACES);
    drop(refill);
}

#[test]
fn what_is_being_asked_for_stays_and_others_are_let_in_without_a_lease() {
    let leases = leases(PLACES);
    let refills: Vec<Refill> = (0..PLACES as u128)
        .map(|hash| ask(leases.step(&key(hash), 1, 0)))
        .collect();
    for _ in 0..2 {
        let refill = ask(leases.step(&key(100), 3, 0));
        assert_eq!(refill.want(), Want { least: 3, most: 3 });
        taken(refill.fill(0, &granted(3)));
    }
    assert!(leases.local(&key(100), 1, 0).is_none());
    drop(refills);
    ask(leases.step(&key(100), 1, 0));
}

#[test]
fn a_local_budget_is_kept_apart_and_is_not_forgotten_for_a_spent_lease() {
    let leases = leases(PLACES);
    // With fifty replicas, two at once, and one in fifty seconds.
    let local = |cost, now| leases.local(&key(0), cost, now).unwrap();
    drop(taken(local(1, 0)));
    taken(local(1, 0)).keep();
    taken(local(1, 0)).keep();
    let waits = |known, seconds| matches!(known, Known::Refused(wait, _) if wait == Duration::from_secs(seconds));
    assert!(waits(local(1, 0), 50));
    for hash in 1..=PLACES as u128 {
        drop(ask(leases.step(&key(hash), 1, 0)));
    }
    assert!(waits(local(1, 0), 50));
    // What costs more than there is costs all.
    assert!(waits(local(100, 50 * SECOND), 50));
    let mut charge = taken(local(100, 100 * SECOND)).keep().unwrap();
    assert!(waits(local(1, 100 * SECOND), 50));
    charge.settle(0, 100 * SECOND);
    taken(local(2, 100 * SECOND)).keep();
}

#[test]
fn a_lease_takes_as_much_memory_as_is_said() {
    assert!(size_of::<Slot>() <= 128);
    let leases = leases(1_000);
    for hash in 0..100_000 {
        drop(ask(leases.step(&key(hash), 1, 0)));
    }
    let all = leases.sets.iter().map(|set| set.lock().unwrap().capacity());
    assert!(all.sum::<usize>() <= 1_000);
}
