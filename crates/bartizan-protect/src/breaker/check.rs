//! What a breaker cannot be told.

use std::time::Duration;

use super::config::{Config, MAX_BUCKETS, MAX_COUNT_WINDOW, MAX_PROBES, Window};
use crate::invalid::{Checks, InvalidConfig, MAX_DURATION};

const CHECKS: Checks = Checks("circuit breaker");

type RawRate = Option<(f64, u32)>;

pub(super) fn window(window: Window) -> Result<(), InvalidConfig> {
    match window {
        Window::Count(calls) => CHECKS.check(
            (1..=MAX_COUNT_WINDOW).contains(&calls),
            "count_window",
            calls,
            format_args!("1 to {MAX_COUNT_WINDOW} calls"),
        ),
        Window::Time { length, buckets } => {
            CHECKS.check(
                (1..=MAX_BUCKETS).contains(&buckets),
                "time_window.steps",
                buckets,
                format_args!("1 to {MAX_BUCKETS} steps"),
            )?;
            CHECKS.check(
                length >= Duration::from_millis(buckets.into()) && length <= MAX_DURATION,
                "time_window",
                format_args!("{length:?}"),
                format_args!("a millisecond for each of {buckets} steps, to 24h"),
            )
        }
    }
}

pub(super) fn policies(
    config: &Config,
    failure_rate: RawRate,
    slow_rate: RawRate,
) -> Result<(), InvalidConfig> {
    rate("failure_rate", failure_rate, config.window)?;
    rate("slow_rate", slow_rate, config.window)?;
    if let Some(failures) = config.consecutive {
        let expected = format_args!("at least 1");
        CHECKS.check(failures >= 1, "consecutive_failures", failures, expected)?;
    }
    let can_open = failure_rate.is_some() || slow_rate.is_some() || config.consecutive.is_some();
    CHECKS.check(
        can_open,
        "failure_rate",
        "none",
        format_args!(
            "a breaker that can open: a failure rate, a slow rate or consecutive failures"
        ),
    )?;
    CHECKS.duration("slow_threshold", config.slow_threshold)
}

fn rate(field: &'static str, rate: RawRate, window: Window) -> Result<(), InvalidConfig> {
    let Some((rate, min_calls)) = rate else {
        return Ok(());
    };
    CHECKS.check(
        // What is not a number is in no range. A millionth is as fine as it is kept.
        (1e-6..=1.0).contains(&rate),
        field,
        rate,
        format_args!("a part from 0.000001 to 1"),
    )?;
    let field = match field {
        "slow_rate" => "slow_rate.min_calls",
        _ => "failure_rate.min_calls",
    };
    match window {
        Window::Count(calls) if min_calls > calls => CHECKS.check(
            false,
            field,
            min_calls,
            format_args!("1 to {calls} calls, which is what the window holds"),
        ),
        _ => CHECKS.check(
            min_calls >= 1,
            field,
            min_calls,
            format_args!("at least 1 call"),
        ),
    }
}

pub(super) fn probes(config: &Config) -> Result<(), InvalidConfig> {
    let Config {
        probes, tolerated, ..
    } = *config;
    CHECKS.check(
        (1..=MAX_PROBES).contains(&probes),
        "probes",
        probes,
        format_args!("1 to {MAX_PROBES} probes"),
    )?;
    CHECKS.check(
        tolerated < probes,
        "tolerated_probe_failures",
        tolerated,
        format_args!("fewer than the {probes} probes"),
    )?;
    CHECKS.duration("probe_lease", config.probe_lease)
}

pub(super) fn open_time(config: &Config) -> Result<(), InvalidConfig> {
    let Config {
        open_time,
        max_open_time,
        open_factor,
        jitter,
        stable_after,
        ..
    } = *config;
    CHECKS.duration("open_time", open_time)?;
    CHECKS.duration("open_time.max", max_open_time)?;
    CHECKS.check(
        open_time <= max_open_time,
        "open_time.max",
        format_args!("{max_open_time:?}"),
        format_args!("at least the open time of {open_time:?}"),
    )?;
    CHECKS.check(
        (1.0..=100.0).contains(&open_factor),
        "open_factor",
        open_factor,
        format_args!("1 to 100"),
    )?;
    CHECKS.check(
        (0.0..1.0).contains(&jitter),
        "jitter",
        jitter,
        format_args!("a part from 0, below 1"),
    )?;
    CHECKS.duration("stable_after", stable_after)
}
