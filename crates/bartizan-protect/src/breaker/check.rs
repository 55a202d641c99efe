//! What a breaker cannot be told.

use std::fmt;
use std::time::Duration;

use super::config::{Config, MAX_BUCKETS, MAX_COUNT_WINDOW, MAX_DURATION, MAX_PROBES, Window};

/// A value that a breaker cannot have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidConfig {
    field: &'static str,
    value: String,
    expected: String,
}

type RawRate = Option<(f64, u32)>;

pub(super) fn window(window: Window) -> Result<(), InvalidConfig> {
    match window {
        Window::Count(calls) => check(
            (1..=MAX_COUNT_WINDOW).contains(&calls),
            "count_window",
            calls,
            format_args!("1 to {MAX_COUNT_WINDOW} calls"),
        ),
        Window::Time { length, buckets } => {
            check(
                (1..=MAX_BUCKETS).contains(&buckets),
                "time_window.steps",
                buckets,
                format_args!("1 to {MAX_BUCKETS} steps"),
            )?;
            check(
                length >= Duration::from_millis(buckets.into()) && length <= MAX_DURATION,
                "time_window",
                Shown(length),
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
        check(failures >= 1, "consecutive_failures", failures, expected)?;
    }
    let can_open = failure_rate.is_some() || slow_rate.is_some() || config.consecutive.is_some();
    check(
        can_open,
        "failure_rate",
        "none",
        format_args!(
            "a breaker that can open: a failure rate, a slow rate or consecutive failures"
        ),
    )?;
    check_duration("slow_threshold", config.slow_threshold)
}

fn rate(field: &'static str, rate: RawRate, window: Window) -> Result<(), InvalidConfig> {
    let Some((rate, min_calls)) = rate else {
        return Ok(());
    };
    check(
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
        Window::Count(calls) if min_calls > calls => check(
            false,
            field,
            min_calls,
            format_args!("1 to {calls} calls, which is what the window holds"),
        ),
        _ => check(
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
    check(
        (1..=MAX_PROBES).contains(&probes),
        "probes",
        probes,
        format_args!("1 to {MAX_PROBES} probes"),
    )?;
    check(
        tolerated < probes,
        "tolerated_probe_failures",
        tolerated,
        format_args!("fewer than the {probes} probes"),
    )?;
    check_duration("probe_lease", config.probe_lease)
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
    check_duration("open_time", open_time)?;
    check_duration("open_time.max", max_open_time)?;
    check(
        open_time <= max_open_time,
        "open_time.max",
        Shown(max_open_time),
        format_args!("at least the open time of {open_time:?}"),
    )?;
    check(
        (1.0..=100.0).contains(&open_factor),
        "open_factor",
        open_factor,
        format_args!("1 to 100"),
    )?;
    check(
        (0.0..1.0).contains(&jitter),
        "jitter",
        jitter,
        format_args!("a part from 0, below 1"),
    )?;
    check_duration("stable_after", stable_after)
}

fn check_duration(field: &'static str, value: Duration) -> Result<(), InvalidConfig> {
    check(
        value >= Duration::from_millis(1) && value <= MAX_DURATION,
        field,
        Shown(value),
        format_args!("1ms to 24h"),
    )
}

fn check(
    holds: bool,
    field: &'static str,
    value: impl fmt::Display,
    expected: fmt::Arguments<'_>,
) -> Result<(), InvalidConfig> {
    if holds {
        return Ok(());
    }
    Err(InvalidConfig {
        field,
        value: value.to_string(),
        expected: expected.to_string(),
    })
}

/// A duration as its `Debug` form has it, which is the readable one.
struct Shown(Duration);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

// === impl InvalidConfig ===

impl InvalidConfig {
    /// Which field, by the name of the method that sets it.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

impl fmt::Display for InvalidConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            field,
            value,
            expected,
        } = self;
        write!(f, "circuit breaker: {field}: {value} is not {expected}")
    }
}

impl std::error::Error for InvalidConfig {}
