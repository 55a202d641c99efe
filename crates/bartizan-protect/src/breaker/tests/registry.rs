use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::breaker::circuit::Ticket;
use crate::breaker::entry::Entry;
use crate::breaker::registry::{Found, Registry};
use crate::breaker::{Command, Config, MAX_KEY_LENGTH, Outcome, Overflow};

const SECOND: Duration = Duration::from_secs(1);

#[expect(clippy::disallowed_methods, reason = "any instant will do")]
fn reference() -> Instant {
    Instant::now()
}

fn registry(max: usize, overflow: Overflow, now: Instant) -> Registry<()> {
    let config = Config::builder()
        .with_consecutive_failures(2)
        .with_slow_rate(1.0, 10)
        .with_time_window(SECOND)
        .with_open_time(SECOND, SECOND)
        .with_jitter(0.0)
        .with_stable_after(10 * SECOND)
        .with_probes(1)
        .build();
    Registry::new(
        "test".into(),
        Arc::new(config.unwrap()),
        max,
        overflow,
        |_| (),
        now,
    )
}

#[track_caller]
fn own(registry: &Registry<()>, key: &str, now: Instant) -> Arc<Entry<()>> {
    match registry.find(key, |_| (), now) {
        Found::Own(entry) => entry,
        found => panic!("{key} has no circuit of its own: {found:?}"),
    }
}

fn has(registry: &Registry<()>, key: &str) -> bool {
    registry.get(key).is_some()
}

fn admit(entry: &Entry<()>, now: Instant) -> Ticket {
    entry
        .circuit
        .admit(now)
        .result
        .expect("the circuit lets a call through")
}

fn end(entry: &Entry<()>, outcome: Outcome, now: Instant) {
    let ticket = admit(entry, now);
    entry.circuit.settle(ticket, outcome, now);
}

fn fail(entry: &Entry<()>, failures: usize, now: Instant) {
    for _ in 0..failures {
        end(entry, Outcome::Failure, now);
    }
}

#[test]
fn there_are_never_more_circuits_than_the_bound_however_many_keys_come() {
    let now = reference();
    let registry = registry(100, Overflow::Shared, now);
    for key in 0..100_000 {
        let entry = own(&registry, &key.to_string(), now);
        assert_eq!(entry.id.key(), Some(key.to_string().as_str()));
        assert!(registry.all().len() <= 100);
    }
    assert_eq!(registry.all().len(), 100);
}

#[test]
fn what_is_needed_is_not_evicted_and_the_policy_says_what_happens_then() {
    let now = reference();
    for overflow in [Overflow::Shared, Overflow::Unguarded] {
        let registry = registry(5, overflow, now);
        fail(&own(&registry, "failed", now), 1, now);
        fail(&own(&registry, "open", now), 2, now);
        own(&registry, "forced", now)
            .circuit
            .obey(Command::ForceOpen, now);
        own(&registry, "disabled", now)
            .circuit
            .obey(Command::Disable, now);
        let busy = own(&registry, "busy", now);
        for key in 0..100 {
            let found = registry.find(&key.to_string(), |_| (), now);
            match overflow {
                Overflow::Shared => assert!(matches!(found, Found::Shared)),
                Overflow::Unguarded => assert!(matches!(found, Found::None)),
            }
        }
        drop(busy);
        own(&registry, "new", now);
        assert!(!has(&registry, "busy"));
        for key in ["failed", "open", "forced", "disabled"] {
            assert!(has(&registry, key), "{key}");
        }
    }
}

#[test]
fn what_is_bad_is_a_failure_a_slow_call_a_failure_too_long_ago_for_the_window_and_an_opening() {
    let start = reference();
    let late = start + 2 * SECOND;
    type Happen = fn(&Entry<()>, Instant, Instant);
    let histories: [(Happen, bool); 6] = [
        (|_, _, _| {}, true),
        (|entry, _, late| end(entry, Outcome::Success, late), true),
        (|entry, start, _| end(entry, Outcome::Slow, start), true),
        (|entry, _, late| end(entry, Outcome::Slow, late), false),
        (|entry, start, _| end(entry, Outcome::Failure, start), false),
        (
            |entry, start, late| {
                fail(entry, 2, start);
                end(entry, Outcome::Success, late);
            },
            false,
        ),
    ];
    for (number, (happen, can_go)) in histories.into_iter().enumerate() {
        let registry = registry(1, Overflow::Shared, start);
        happen(&own(&registry, "one", start), start, late);
        let found = registry.find("other", |_| (), late);
        assert_eq!(matches!(found, Found::Own(_)), can_go, "{number}");
    }
}

#[test]
fn a_circuit_that_nobody_has_called_for_as_long_as_makes_one_stable_can_go() {
    let start = reference();
    let registry = registry(2, Overflow::Shared, start);
    fail(&own(&registry, "gone", start), 2, start);
    let probed = own(&registry, "probed", start);
    fail(&probed, 2, start);
    let lost = admit(&probed, start + SECOND);
    drop(probed);
    // From the end of the open time on, or from the latest call.
    for early in [
        start + 10 * SECOND,
        start + 11 * SECOND - Duration::from_millis(1),
    ] {
        let found = registry.find("new", |_| (), early);
        assert!(matches!(found, Found::Shared));
    }
    let late = start + 11 * SECOND;
    own(&registry, "new", late);
    fail(&own(&registry, "new", late), 1, late);
    own(&registry, "newer", late);
    assert!(!has(&registry, "gone") && !has(&registry, "probed"));
    let _ = lost;

    // The same for one that has failed once, long before.
    fail(&own(&registry, "newer", late), 1, late);
    own(&registry, "newest", late + 10 * SECOND);
}

#[test]
fn an_operators_state_is_kept_for_any_time() {
    let start = reference();
    let commands = [Command::ForceOpen, Command::Disable, Command::MeasureOnly];
    for command in commands {
        let registry = registry(1, Overflow::Shared, start);
        own(&registry, "one", start).circuit.obey(command, start);
        let found = registry.find("other", |_| (), start + 1_000_000 * SECOND);
        assert!(matches!(found, Found::Shared), "{command:?}");
    }
}

#[test]
fn a_new_key_takes_so_many_looks_however_many_circuits_there_are() {
    let now = reference();
    let registry = registry(100, Overflow::Shared, now);
    for key in 0..100 {
        fail(&own(&registry, &key.to_string(), now), 1, now);
    }
    // One that can go is found when the hand has come to it, eight circuits a call.
    let place = 41;
    let reset = own(&registry, &place.to_string(), now);
    reset.circuit.obey(Command::Reset, now);
    drop(reset);
    for _ in 0..place / 8 {
        assert!(matches!(registry.find("new", |_| (), now), Found::Shared));
    }
    own(&registry, "new", now);
    assert!(!has(&registry, &place.to_string()));
    assert_eq!(registry.all().len(), 100);
}

#[test]
fn a_key_that_is_too_long_has_no_circuit_of_its_own() {
    let now = reference();
    let registry = registry(10, Overflow::Shared, now);
    own(&registry, &"k".repeat(MAX_KEY_LENGTH), now);
    let long = "k".repeat(MAX_KEY_LENGTH + 1);
    assert!(matches!(registry.find(&long, |_| (), now), Found::Shared));
    assert_eq!(registry.all().len(), 1);
}

#[test]
fn a_registry_for_no_keys_has_only_the_shared_circuit() {
    let now = reference();
    let registry = registry(0, Overflow::Shared, now);
    assert!(matches!(registry.find("any", |_| (), now), Found::Shared));
}
