use proptest::prelude::*;

use super::*;

const SECOND: u64 = 1_000_000_000;

const TERMS: Terms = Terms {
    most: 5,
    time: SECOND,
};

/// A unit every 10 ms, a hundred at once.
fn quota() -> Quota {
    Quota::new(100, Duration::from_secs(1), 100).unwrap()
}

fn granted(granted: u32) -> Grant {
    Grant {
        granted,
        retry_after: Duration::ZERO,
        remaining: 0,
    }
}

fn refused(millis: u64) -> Grant {
    Grant {
        retry_after: Duration::from_millis(millis),
        ..granted(0)
    }
}

const fn want(least: u32, most: u32) -> Want {
    Want { least, most }
}

const fn taken(until: u64) -> Take {
    Take::Taken { until }
}

fn waits(millis: u64) -> Take {
    Take::Refused(Duration::from_millis(millis))
}

fn take(lease: &mut Lease, cost: u32, now: u64) -> Take {
    lease.take(cost, now, &quota(), TERMS)
}

fn fill(lease: &mut Lease, now: u64, want: Want, grant: &Grant) {
    lease.fill(now, want, grant, &quota(), TERMS);
}

#[test]
fn a_busy_key_asks_for_more_each_time_up_to_the_most() {
    let mut lease = Lease::default();
    for most in [1, 2, 4, 5, 5] {
        assert_eq!(take(&mut lease, 1, 0), Take::Empty(want(1, most)));
        fill(&mut lease, 0, want(1, most), &granted(most));
        for _ in 1..most {
            assert_eq!(take(&mut lease, 1, 0), taken(SECOND));
        }
    }
}

#[test]
fn what_is_here_is_used_first_and_the_store_is_asked_for_the_others() {
    let mut lease = Lease::default();
    fill(&mut lease, 0, want(1, 4), &granted(4));
    // With what is here, it is as much as a lease.
    assert_eq!(take(&mut lease, 4, 0), Take::Empty(want(1, 2)));
    assert_eq!(lease.empty(), (3, SECOND));
    // More than it may have ahead is asked for by who needs it.
    assert_eq!(take(&mut lease, 20, 0), Take::Empty(want(20, 20)));
}

#[test]
fn a_lease_that_is_not_used_in_time_is_void_and_the_next_one_small() {
    let mut lease = Lease::default();
    fill(&mut lease, 0, want(1, 4), &granted(4));
    assert!(!lease.is_spent(0, &quota()));
    assert_eq!(take(&mut lease, 1, SECOND - 1), taken(SECOND));
    assert!(lease.is_spent(SECOND, &quota()));
    assert_eq!(take(&mut lease, 1, SECOND), Take::Empty(want(1, 1)));
}

#[test]
fn a_refusal_holds_for_as_long_as_the_store_has_said_and_for_each_cost() {
    let ms = SECOND / 1_000;
    let mut lease = Lease::default();
    fill(&mut lease, 0, want(5, 5), &refused(30));
    for (cost, now, expected) in [
        (5, 0, waits(30)),
        (5, 29, waits(1)),
        (7, 0, waits(50)),
        (3, 0, waits(10)),
        // There may be two, as far as anybody knows.
        (2, 0, Take::Empty(want(2, 2))),
        (5, 30, Take::Empty(want(5, 5))),
    ] {
        assert_eq!(
            take(&mut lease, cost, now * ms),
            expected,
            "{cost} at {now}"
        );
    }
    // What is here already need not be there.
    lease.give_back(2, SECOND, TERMS);
    assert_eq!(take(&mut lease, 5, 0), waits(10));
    assert_eq!(take(&mut lease, 2, 0), taken(SECOND));
}

#[test]
fn what_is_given_back_is_as_much_as_a_lease_or_a_request_at_most() {
    for (backs, expected) in [(vec![2, 2], 4), (vec![3, 4], 5), (vec![20, 3, 20], 20)] {
        let mut lease = Lease::default();
        for units in backs {
            lease.give_back(units, SECOND, TERMS);
        }
        assert_eq!(lease.empty(), (expected, SECOND));
    }
    // What is void makes no room for others.
    let mut lease = Lease::default();
    lease.give_back(20, SECOND, TERMS);
    assert_eq!(take(&mut lease, 1, SECOND), Take::Empty(want(1, 1)));
    for _ in 0..3 {
        lease.give_back(3, 2 * SECOND, TERMS);
    }
    assert_eq!(lease.empty(), (5, 2 * SECOND));
}

#[test]
fn a_debt_is_paid_of_what_comes_beyond_what_is_asked_for() {
    let mut lease = Lease::default();
    fill(&mut lease, 0, want(1, 4), &granted(4));
    lease.charge(10, 0, &quota());
    assert!(!lease.is_spent(2 * SECOND, &quota()));
    // Seven are owed.
    assert_eq!(take(&mut lease, 2, 0), Take::Empty(want(2, 9)));
    fill(&mut lease, 0, want(2, 9), &granted(5));
    assert_eq!(take(&mut lease, 1, 0), Take::Empty(want(1, 5)));
    fill(&mut lease, 0, want(1, 5), &granted(5));
    assert_eq!(take(&mut lease, 1, 0), Take::Empty(want(1, 5)));
    // Nobody owes more than a burst.
    lease.charge(1_000, 0, &quota());
    assert_eq!(take(&mut lease, 1, 0), Take::Empty(want(1, 101)));
}

#[test]
fn what_is_left_is_what_is_here_and_what_was_there_and_has_come_since() {
    let mut lease = Lease::default();
    let left = |lease: &Lease, now| {
        let left = lease.left(now, &quota());
        (left.units, left.next.map(|next| next.as_millis()))
    };
    assert_eq!(left(&lease, 0), (100, None));
    let grant = Grant {
        remaining: 40,
        ..granted(4)
    };
    fill(&mut lease, 0, want(1, 4), &grant);
    assert_eq!(left(&lease, 0), (43, Some(10)));
    assert_eq!(left(&lease, SECOND / 10), (53, Some(10)));
    // What is void is not counted.
    assert_eq!(left(&lease, SECOND), (100, None));
    fill(&mut lease, SECOND, want(5, 5), &refused(30));
    assert_eq!(left(&lease, SECOND), (2, Some(10)));
}

#[derive(Debug, Clone, Copy)]
enum Act {
    Take(u32),
    GiveBack,
    Charge(u32),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (1..8_u32).prop_map(Act::Take),
        2 => Just(Act::GiveBack),
        1 => (1..8_u32).prop_map(Act::Charge),
    ]
}

proptest! {
    /// Whatever is given back and charged later, a lease lets through what it was given and no more,
    /// but for what it owes, and holds no more than it may.
    #[test]
    fn never_more_is_taken_than_was_given(
        steps in prop::collection::vec((0..700_u64, 0..12_u32, act()), 1..200),
    ) {
        let (mut now, mut lease) = (0, Lease::default());
        let (mut given, mut used) = (0, 0);
        let mut held: Vec<(u32, u64)> = Vec::new();
        for (pause, gives, act) in steps {
            now += pause * SECOND / 1_000;
            match act {
                Act::Take(cost) => match take(&mut lease, cost, now) {
                    Take::Taken { until } => {
                        used += cost;
                        held.push((cost, until));
                    }
                    Take::Refused(wait) => prop_assert!(wait <= Duration::from_millis(80)),
                    Take::Empty(ask) => {
                        prop_assert!(ask.least <= cost && ask.least <= ask.most);
                        let (here, until) = lease.empty();
                        prop_assert_eq!(here + ask.least, cost);
                        if gives < ask.least {
                            fill(&mut lease, now, ask, &refused(10));
                            lease.give_back(here, until, TERMS);
                        } else {
                            let grant = granted(gives.min(ask.most));
                            given += grant.granted;
                            used += cost;
                            fill(&mut lease, now, ask, &grant);
                            held.push((cost, now + TERMS.time));
                        }
                    }
                },
                Act::GiveBack => if let Some((cost, until)) = held.pop() {
                    used -= cost;
                    lease.give_back(cost, until, TERMS);
                },
                // What is more than a burst is forgiven.
                Act::Charge(units) if lease.debt + units <= 100 => {
                    lease.charge(units, now, &quota());
                    used += units;
                }
                Act::Charge(_) => {}
            }
            prop_assert!(lease.units <= TERMS.most.max(8));
            prop_assert!(used <= given + lease.debt, "{} of {}", used, given);
        }
    }
}
