//! What a configuration cannot say, told in one way.

use std::fmt;
use std::time::Duration;

/// The longest of all times in a configuration: a day.
pub const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// A value that a layer cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{layer}: {field}: {value} is not {expected}")]
pub struct InvalidConfig {
    layer: &'static str,
    field: &'static str,
    value: String,
    expected: String,
}

/// Checks the values of one layer, which is called this.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Checks(pub(crate) &'static str);

// === impl InvalidConfig ===

impl InvalidConfig {
    /// Which field, by the name of the method that sets it.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        self.field
    }
}

// === impl Checks ===

impl Checks {
    pub(crate) fn check(
        self,
        holds: bool,
        field: &'static str,
        value: impl fmt::Display,
        expected: impl fmt::Display,
    ) -> Result<(), InvalidConfig> {
        if holds {
            return Ok(());
        }
        Err(InvalidConfig {
            layer: self.0,
            field,
            value: value.to_string(),
            expected: expected.to_string(),
        })
    }

    /// A time that can be waited for.
    pub(crate) fn duration(
        self,
        field: &'static str,
        value: Duration,
    ) -> Result<(), InvalidConfig> {
        self.check(
            (Duration::from_millis(1)..=MAX_DURATION).contains(&value),
            field,
            format_args!("{value:?}"),
            "1ms to 24h",
        )
    }
}
