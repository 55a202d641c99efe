use std::collections::HashMap;
use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn quota() -> Quota {
    Quota::new(1, Duration::from_nanos(100), 3).unwrap()
}

/// A key that leads to the first set of a table, and is no other's.
fn key(number: u64) -> u64 {
    (number + 1) << 8
}

/// Fills the only set of a table with keys whose budgets are full at 1001, 1002, ...
fn full(overflow: Overflow) -> Table {
    let table = Table::new(1, overflow, quota());
    for number in 0..WAYS as u64 {
        let mut place = table.lock(key(number), 0);
        assert_eq!(
            (place.home(), place.tat()),
            (Home::Taken(number as usize), 0)
        );
        place.set_tat(1_001 + number);
    }
    table
}

#[test]
fn a_key_finds_what_it_has_left() {
    let table = full(Overflow::Deny);
    for number in 0..WAYS as u64 {
        let place = table.lock(key(number), 0);
        assert_eq!(
            (place.home(), place.tat()),
            (Home::Own(number as usize), 1_001 + number)
        );
    }
}

#[test]
fn whoever_goes_on_has_not_come_in_the_place_of_another() {
    let table = full(Overflow::EvictOldest);
    table.lock(key(0), 0).set_tat(5_000);
    assert_eq!(table.lock(key(0), 0).tat(), 5_000);
    assert_eq!(table.counts().evicted, 0);
}

#[test]
fn a_key_whose_budget_is_full_costs_no_place() {
    let table = full(Overflow::Deny);
    assert_eq!(
        table.lock(key(100), 1_000).home(),
        Home::Nowhere { until: 1_001 }
    );
    // Its own entry, although nothing is left in it that another could not have.
    assert_eq!(table.lock(key(0), 1_001).home(), Home::Own(0));
    let mut place = table.lock(key(100), 1_001);
    assert_eq!((place.home(), place.tat()), (Home::Taken(0), 0));
    place.set_tat(2_000);
    drop(place);
    assert_eq!(table.counts().evicted, 0, "nobody has lost anything");
    assert_eq!(table.lock(key(100), 1_001).tat(), 2_000);
}

#[test]
fn what_finds_no_place_shares_a_budget() {
    let table = full(Overflow::SharedBucket);
    let mut place = table.lock(key(100), 0);
    assert_eq!((place.home(), place.tat()), (Home::Shared, 0));
    place.set_tat(500);
    drop(place);
    assert_eq!(table.lock(key(101), 0).tat(), 500);
    assert_eq!(table.lock(key(0), 0).tat(), 1_001);
}

#[test]
fn the_oldest_goes_where_somebody_has_to_go() {
    let table = full(Overflow::EvictOldest);
    let place = table.lock(key(100), 0);
    assert_eq!((place.home(), place.tat()), (Home::Taken(0), 0));
    drop(place);
    assert_eq!(
        table.lock(key(0), 0).home(),
        Home::Own(0),
        "looking does not evict"
    );
    table.lock(key(100), 0).set_tat(3_000);
    assert_eq!(table.counts().evicted, 1);
    assert_eq!(table.lock(key(0), 0).home(), Home::Taken(1));
}

#[test]
fn time_does_not_go_back() {
    let table = full(Overflow::Deny);
    assert_eq!(table.lock(key(0), 900).now(), 900);
    assert_eq!(table.lock(key(0), 100).now(), 900);
}

#[test]
fn all_keys_are_shown_that_have_not_everything() {
    let table = Table::new(10_000, Overflow::Deny, quota());
    let spread = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for number in 1..=1_000 {
        table.lock(spread(number), 0).set_tat(number);
    }
    let mut seen = HashMap::new();
    table.each_live(500, |key, tat| assert_eq!(seen.insert(key, tat), None));
    let expected = (501..=1_000).map(|number| (spread(number), number));
    assert_eq!(seen, expected.collect());
}

#[test]
fn memory_is_what_the_capacity_says() {
    assert_eq!(size_of::<Set>(), 256);
    for (capacity, bytes) in [(1, 256), (8, 256), (9, 512), (1 << 16, 2 << 20)] {
        let table = Table::new(capacity, Overflow::Deny, quota());
        let locks = table.shards.len() * size_of::<Padded>();
        assert_eq!(table.bytes(), bytes + locks, "for {capacity}");
        assert!(table.slots() >= 2 * capacity);
    }
}

/// Ten million keys come, and the table has the size and the room that it was made with.
#[test]
fn a_hundred_times_as_many_keys_take_no_more_memory() {
    let table = Table::new(1_000, Overflow::SharedBucket, quota());
    let bytes = table.bytes();
    let mut key = 1_u64;
    for _ in 0..100_000 {
        key = key
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        table.lock(key, 0).set_tat(1_000);
    }
    let held: usize = table
        .shards
        .iter()
        .map(|shard| size_of::<Padded>() + size_of_val(&*lock(shard).sets))
        .sum();
    assert_eq!((table.bytes(), held), (bytes, bytes));
    let mut live = 0;
    table.each_live(0, |_, _| live += 1);
    assert_eq!(live, table.slots());
}

/// As many keys as it was made for find a place, but for less than one in a thousand.
#[test]
fn a_table_holds_the_keys_it_was_made_for() {
    for capacity in [1_000, 100_000] {
        let table = Table::new(capacity, Overflow::Deny, quota());
        let mut key = 7_u64;
        let mut lost = 0;
        for _ in 0..capacity {
            key = key
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            // The low bits of such numbers are no hash's.
            let mut place = table.lock(key ^ key >> 32, 0);
            lost += usize::from(matches!(place.home(), Home::Nowhere { .. }));
            place.set_tat(1_000);
        }
        assert!(lost * 1_000 <= capacity, "{lost} of {capacity}");
    }
}

/// One set, as anybody would write it.
#[derive(Debug, Default)]
struct Model {
    tats: HashMap<u64, u64>,
    shared: u64,
    now: u64,
}

impl Model {
    /// What is known of the key; `None` where it has no place.
    fn tat(&mut self, key: u64, overflow: Overflow, now: u64) -> Option<u64> {
        self.now = self.now.max(now);
        let live: HashMap<_, _> = self
            .tats
            .iter()
            .filter(|(_, tat)| **tat > self.now)
            .collect();
        match (live.get(&key), overflow) {
            (Some(tat), _) => Some(**tat),
            (None, _) if live.len() < WAYS => Some(0),
            (None, Overflow::SharedBucket) => Some(self.shared),
            (None, Overflow::EvictOldest) => Some(0),
            (None, Overflow::Deny) => None,
        }
    }

    fn set(&mut self, key: u64, tat: u64, overflow: Overflow) {
        let now = self.now;
        self.tats.retain(|_, tat| *tat > now);
        if !self.tats.contains_key(&key) && self.tats.len() >= WAYS {
            match overflow {
                Overflow::SharedBucket => {
                    self.shared = tat;
                    return;
                }
                Overflow::Deny => return,
                Overflow::EvictOldest => {
                    let oldest = self.tats.iter().min_by_key(|(_, tat)| **tat).unwrap();
                    let oldest = *oldest.0;
                    self.tats.remove(&oldest);
                }
            }
        }
        self.tats.insert(key, tat);
    }
}

fn overflows() -> impl Strategy<Value = Overflow> {
    prop_oneof![
        Just(Overflow::SharedBucket),
        Just(Overflow::Deny),
        Just(Overflow::EvictOldest)
    ]
}

proptest! {
    /// No two times are the same, or nobody could say which one is the oldest.
    #[test]
    fn it_knows_what_a_map_knows(
        overflow in overflows(),
        steps in prop::collection::vec((0..40_u64, 0..30_u64, 1..40_u64), 1..400),
    ) {
        let table = Table::new(1, overflow, quota());
        let mut model = Model::default();
        // Of each line of a set.
        let key = |number| key(number) | ((number % 4) << 32);
        for (step, (number, now, ahead)) in steps.into_iter().enumerate() {
            let now = (now * 10).max(step as u64) * 1_000;
            let mut place = table.lock(key(number), now);
            let expected = model.tat(key(number), overflow, now);
            let known = match (place.home(), place.tat()) {
                (Home::Nowhere { .. }, _) => None,
                (Home::Own(_), tat) if tat <= model.now => Some(0),
                (_, tat) => Some(tat),
            };
            prop_assert_eq!(known, expected, "step {} of key {}", step, number);
            let tat = model.now + ahead * 10_000 + step as u64;
            place.set_tat(tat);
            model.set(key(number), tat, overflow);
        }
    }
}
