use std::time::Duration;

use super::driver::{Driver, FAILED, SUCCEEDED};
use crate::breaker::{Command, Config, ConfigBuilder, Outcome, Reason, State};

const SECOND: Duration = Duration::from_secs(1);

fn asked_for(seconds: u64) -> Outcome {
    Outcome::Backpressure(Some(Duration::from_secs(seconds)))
}

/// Opens by so many failures in a row, for a second and longer each time.
fn in_a_row(failures: u32) -> ConfigBuilder {
    Config::builder()
        .without_failure_rate()
        .with_consecutive_failures(failures)
        .with_open_time(SECOND, 60 * SECOND)
        .with_jitter(0.0)
}

fn driver(config: ConfigBuilder) -> Driver {
    Driver::new(config.build().unwrap())
}

#[test]
fn a_rate_that_rises_as_good_calls_grow_old_opens_at_the_next_result_whatever_that_is() {
    let mut driver = driver(Config::builder().with_failure_rate(0.5, 5));
    driver.calls(9, SUCCEEDED);
    driver.advance(9_000);
    driver.calls(5, FAILED);
    assert_eq!(driver.state(), State::Closed);
    driver.advance(2_000);
    driver.call(SUCCEEDED);
    let reason = Reason::FailureRate {
        failed: 5,
        calls: 6,
    };
    assert_eq!(driver.changes()[0].reason, reason);
}

#[test]
fn metrics_only_says_once_per_crossing_that_it_would_open() {
    let mut driver = driver(Config::builder().with_failure_rate(0.6, 1));
    driver.obey(Command::MeasureOnly);
    let rate = |failed, calls| Reason::FailureRate { failed, calls };
    for (end, told) in [
        (FAILED, Some(rate(1, 1))),
        (FAILED, None),
        (SUCCEEDED, None),
        (SUCCEEDED, None),
        // Crosses downwards by a success, and up again by the next failure.
        (FAILED, Some(rate(3, 5))),
        (FAILED, None),
    ] {
        driver.call(end);
        assert_eq!(driver.would_open(), Vec::from_iter(told));
    }
    assert_eq!(driver.state(), State::MetricsOnly);
}

#[test]
fn what_a_probe_asks_for_after_its_lease_is_not_heard() {
    let mut driver = driver(in_a_row(1).with_probe_lease(SECOND));
    driver.call(FAILED);
    driver.advance(1_000);
    let probe = driver.admit();
    driver.advance(1_000);
    assert!(driver.settle(probe, asked_for(50)).stale);
    let reopened = driver.changes()[2];
    assert_eq!(reopened.reason, Reason::ProbesExpired(1));
    assert_eq!(reopened.open_for, Some(2 * SECOND));
}

#[test]
fn more_probes_by_another_configuration_are_there_at_once() {
    let mut driver = driver(in_a_row(1).with_probes(1));
    driver.call(FAILED);
    driver.advance(1_000);
    let _hung = driver.admit();
    assert!(driver.try_admit().is_err());
    driver.update(in_a_row(1).with_probes(2).build().unwrap());
    driver.admit();
    assert!(driver.try_admit().is_err());
}

#[test]
fn a_circuit_that_counts_anew_has_been_closed_for_as_long_as_before() {
    let mut driver = driver(in_a_row(1).with_probes(1).with_stable_after(10 * SECOND));
    driver.call(FAILED);
    driver.advance(1_000);
    driver.call(SUCCEEDED);
    driver.advance(9_000);
    let other = in_a_row(1).with_stable_after(10 * SECOND);
    driver.update(other.with_count_window(100).build().unwrap());
    driver.advance(1_000);
    driver.news();
    driver.call(FAILED);
    assert_eq!(driver.changes()[0].open_for, Some(SECOND));
}

#[test]
fn a_circuit_is_closed_since_it_was_released_and_not_since_somebody_looked() {
    let mut driver = driver(in_a_row(1).with_stable_after(10 * SECOND));
    driver.call(FAILED);
    driver.obey(Command::Disable);
    driver.obey(Command::Release);
    driver.advance(10_000);
    driver.news();
    driver.call(FAILED);
    assert_eq!(driver.changes()[0].open_for, Some(SECOND));
}

#[test]
fn a_call_that_is_over_is_not_called_slow_afterwards() {
    let mut driver = driver(
        in_a_row(9)
            .with_slow_rate(1.0, 9)
            .with_slow_threshold(SECOND),
    );
    for end in [SUCCEEDED, FAILED, Outcome::Cancelled, Outcome::Ignored] {
        let mut call = driver.admit();
        driver.wait(&mut call);
        driver.settle(call, end);
    }
    driver.advance(2_000);
    driver.admit();
    assert_eq!(driver.circuit.standing(driver.now).seen.slow.bad, 0);
}

#[test]
fn whoever_waits_as_long_as_was_said_waits_long_enough() {
    let mut driver = driver(in_a_row(1).with_open_time(SECOND / 3, SECOND / 3));
    for _ in 0..50 {
        driver.now += Duration::from_micros(370);
        driver.call(FAILED);
        driver.now += Duration::from_micros(370);
        let wait = driver.try_admit().unwrap_err().retry_after.unwrap();
        assert!(wait < SECOND / 3 + Duration::from_millis(1));
        driver.now += wait;
        let probe = driver.admit();
        driver.settle(probe, SUCCEEDED);
        driver.obey(Command::Reset);
    }
}

#[test]
fn a_clock_that_goes_back_moves_nothing() {
    let mut driver = driver(in_a_row(1).with_slow_rate(1.0, 1));
    driver.advance(10_000);
    let mut call = driver.admit();
    driver.now -= 5 * SECOND;
    driver.wait(&mut call);
    let earlier = driver.admit();
    let settled = driver.settle(call, SUCCEEDED);
    assert_eq!(
        (settled.outcome, settled.elapsed),
        (Outcome::Success, Duration::ZERO)
    );
    driver.settle(earlier, SUCCEEDED);
    driver.now -= 10 * SECOND;
    driver.call(FAILED);
    assert_eq!(driver.try_admit().unwrap_err().retry_after, Some(SECOND));
}

#[test]
fn a_circuit_that_is_too_old_to_tell_the_time_tells_each_change_all_the_same() {
    let mut driver = driver(in_a_row(1).with_probes(1).with_probe_lease(SECOND));
    driver.now += Duration::from_secs(5 * 366 * 24 * 60 * 60);
    driver.call(FAILED);
    let _lost = driver.admit();
    driver.advance(1_000);
    let _ = driver.try_admit();
    driver.admit();
    let generations: Vec<_> = driver.changes().iter().map(|it| it.generation).collect();
    assert_eq!(generations, [1, 2, 3, 4]);
}

#[test]
fn a_reset_closes_and_forgets_whatever_there_was() {
    let mut driver = driver(in_a_row(2));
    driver.call(FAILED);
    driver.obey(Command::Reset);
    driver.call(FAILED);
    assert_eq!(driver.state(), State::Closed);
    driver.call(FAILED);
    assert_eq!(driver.state(), State::Open);
    for held in [Command::ForceOpen, Command::Disable, Command::MeasureOnly] {
        driver.obey(held);
        assert!(driver.state().is_an_operators());
        driver.obey(Command::Reset);
        let standing = driver.circuit.standing(driver.now);
        assert_eq!((standing.state, standing.streak), (State::Closed, 0));
    }
}

#[test]
fn the_reasons_of_the_policies_are_told_apart() {
    let all = || {
        Config::builder()
            .with_count_window(10)
            .with_failure_rate(0.5, 4)
            .with_consecutive_failures(3)
            .with_slow_rate(0.5, 4)
            .with_slow_threshold(SECOND)
    };
    for (ends, reason) in [
        (
            [SUCCEEDED, FAILED, FAILED, FAILED],
            Reason::ConsecutiveFailures(3),
        ),
        (
            [FAILED, FAILED, SUCCEEDED, SUCCEEDED],
            Reason::FailureRate {
                failed: 2,
                calls: 4,
            },
        ),
        (
            [SUCCEEDED, Outcome::Slow, SUCCEEDED, Outcome::Slow],
            Reason::SlowRate { slow: 2, calls: 4 },
        ),
    ] {
        let mut driver = driver(all());
        for end in ends {
            assert!(driver.changes().is_empty());
            driver.call(end);
        }
        assert_eq!(driver.changes()[0].reason, reason);
    }
}

#[test]
fn a_call_that_waits_is_slow_from_the_end_of_its_eighth_of_the_threshold_on() {
    let waiting = || {
        let threshold = Duration::from_millis(800);
        let mut driver = driver(
            in_a_row(9)
                .with_slow_rate(1.0, 1)
                .with_slow_threshold(threshold),
        );
        let mut call = driver.admit();
        driver.wait(&mut call);
        driver
    };
    let mut early = waiting();
    early.advance(898);
    early.admit();
    assert!(early.changes().is_empty());
    let mut late = waiting();
    late.advance(899);
    assert!(late.try_admit().is_err());
    assert_eq!(
        late.changes()[0].reason,
        Reason::SlowRate { slow: 1, calls: 1 }
    );
}
