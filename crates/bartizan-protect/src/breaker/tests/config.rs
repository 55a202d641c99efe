use std::time::Duration;

use crate::MAX_DURATION;
use crate::breaker::{Config, ConfigBuilder};

const MILLI: Duration = Duration::from_millis(1);
const TOO_LONG: Duration = Duration::from_secs(24 * 60 * 60 + 1);

#[track_caller]
fn assert_refused(set: impl FnOnce(ConfigBuilder) -> ConfigBuilder, field: &str, message: &str) {
    let error = set(Config::builder()).build().unwrap_err();
    assert_eq!(error.field(), field);
    assert_eq!(
        error.to_string(),
        format!("circuit breaker: {field}: {message}")
    );
}

#[test]
fn the_defaults_are_valid() {
    assert_eq!(Config::builder().build().unwrap(), Config::default());
}

#[test]
fn the_ends_of_all_ranges_are_valid() {
    let least = Config::builder()
        .with_count_window(1)
        .with_failure_rate(1e-6, 1)
        .with_slow_rate(1e-6, 1)
        .with_consecutive_failures(1)
        .with_slow_threshold(MILLI)
        .with_probes(1)
        .with_probe_lease(MILLI)
        .with_open_time(MILLI, MILLI)
        .with_open_factor(1.0)
        .with_jitter(0.0)
        .with_stable_after(MILLI);
    least.build().unwrap();
    let most = Config::builder()
        .with_count_window(1 << 16)
        .with_failure_rate(1.0, 1 << 16)
        .with_slow_rate(1.0, 1 << 16)
        .with_consecutive_failures(u32::MAX)
        .with_slow_threshold(MAX_DURATION)
        .with_probes(128)
        .with_tolerated_probe_failures(127)
        .with_probe_lease(MAX_DURATION)
        .with_open_time(MAX_DURATION, MAX_DURATION)
        .with_open_factor(100.0)
        .with_jitter(0.999_999)
        .with_stable_after(MAX_DURATION);
    most.clone().build().unwrap();
    let most = most
        .with_failure_rate(1.0, u32::MAX)
        .with_slow_rate(1.0, u32::MAX);
    most.clone()
        .with_time_window_in(MAX_DURATION, 128)
        .build()
        .unwrap();
    most.with_time_window_in(MILLI, 1).build().unwrap();
}

#[test]
fn a_window_that_holds_nothing_is_refused() {
    let calls = "1 to 65536 calls";
    let field = "count_window";
    assert_refused(
        |it| it.with_count_window(0),
        field,
        &format!("0 is not {calls}"),
    );
    assert_refused(
        |it| it.with_count_window(65_537),
        field,
        &format!("65537 is not {calls}"),
    );
    let field = "time_window";
    assert_refused(
        |it| it.with_time_window(Duration::from_millis(9)),
        field,
        "9ms is not a millisecond for each of 10 steps, to 24h",
    );
    assert_refused(
        |it| it.with_time_window(TOO_LONG),
        field,
        "86401s is not a millisecond for each of 10 steps, to 24h",
    );
    let field = "time_window.steps";
    for (steps, shown) in [(0, "0"), (129, "129")] {
        assert_refused(
            |it| it.with_time_window_in(MAX_DURATION, steps),
            field,
            &format!("{shown} is not 1 to 128 steps"),
        );
    }
}

#[test]
fn a_policy_that_never_opens_or_always_is_refused() {
    for (rate, shown) in [
        (0.0, "0"),
        (-0.5, "-0.5"),
        (1.01, "1.01"),
        (f64::NAN, "NaN"),
        (f64::INFINITY, "inf"),
        (9e-7, "0.0000009"),
    ] {
        let message = format!("{shown} is not a part from 0.000001 to 1");
        assert_refused(
            |it| it.with_failure_rate(rate, 10),
            "failure_rate",
            &message,
        );
        assert_refused(|it| it.with_slow_rate(rate, 10), "slow_rate", &message);
    }
    // More calls than the window ever has at once.
    let message = "101 is not 1 to 100 calls, which is what the window holds";
    assert_refused(
        |it| it.with_count_window(100).with_failure_rate(0.5, 101),
        "failure_rate.min_calls",
        message,
    );
    assert_refused(
        |it| it.with_count_window(100).with_slow_rate(0.5, 101),
        "slow_rate.min_calls",
        message,
    );
    let message = "0 is not at least 1 call";
    assert_refused(
        |it| it.with_failure_rate(0.5, 0),
        "failure_rate.min_calls",
        message,
    );
    assert_refused(
        |it| it.with_slow_rate(0.5, 0),
        "slow_rate.min_calls",
        message,
    );
    assert_refused(
        |it| it.with_consecutive_failures(0),
        "consecutive_failures",
        "0 is not at least 1",
    );
    assert_refused(
        ConfigBuilder::without_failure_rate,
        "failure_rate",
        "none is not a breaker that can open: a failure rate, a slow rate or consecutive failures",
    );
}

#[test]
fn probes_that_cannot_decide_are_refused() {
    for (probes, shown) in [(0, "0"), (129, "129")] {
        let message = format!("{shown} is not 1 to 128 probes");
        assert_refused(|it| it.with_probes(probes), "probes", &message);
    }
    assert_refused(
        |it| it.with_probes(3).with_tolerated_probe_failures(3),
        "tolerated_probe_failures",
        "3 is not fewer than the 3 probes",
    );
}

#[test]
fn times_out_of_range_are_refused() {
    type Set = fn(ConfigBuilder, Duration) -> ConfigBuilder;
    let fields: [(Set, &str); 5] = [
        (|it, time| it.with_slow_threshold(time), "slow_threshold"),
        (|it, time| it.with_probe_lease(time), "probe_lease"),
        (
            |it, time| it.with_open_time(time, MAX_DURATION),
            "open_time",
        ),
        (|it, time| it.with_open_time(MILLI, time), "open_time.max"),
        (|it, time| it.with_stable_after(time), "stable_after"),
    ];
    for (set, field) in fields {
        for (time, shown) in [
            (Duration::ZERO, "0ns"),
            (MILLI / 2, "500µs"),
            (TOO_LONG, "86401s"),
        ] {
            assert_refused(
                |it| set(it, time),
                field,
                &format!("{shown} is not 1ms to 24h"),
            );
        }
    }
    assert_refused(
        |it| it.with_open_time(2 * MILLI, MILLI),
        "open_time.max",
        "1ms is not at least the open time of 2ms",
    );
}

#[test]
fn factors_out_of_range_are_refused() {
    for (factor, shown) in [(0.9, "0.9"), (100.5, "100.5"), (f64::NAN, "NaN")] {
        let message = format!("{shown} is not 1 to 100");
        assert_refused(|it| it.with_open_factor(factor), "open_factor", &message);
    }
    for (jitter, shown) in [(-0.1, "-0.1"), (1.0, "1"), (f64::NAN, "NaN")] {
        let message = format!("{shown} is not a part from 0, below 1");
        assert_refused(|it| it.with_jitter(jitter), "jitter", &message);
    }
}
