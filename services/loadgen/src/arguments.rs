//! A command line of options with values, read with errors that say what is allowed.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::time::Duration;

/// The most requests a second that one client process is asked for.
pub const MAX_RATE: u32 = 100_000;

/// The arguments still to be read.
#[derive(Debug)]
pub struct Arguments<I> {
    rest: I,
    /// What followed the `=` of the option read last, until it is taken.
    inline: Option<String>,
}

/// The command line makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UsageError {
    /// There is no such option.
    #[error("unknown option `{0}`; see --help")]
    Unknown(String),
    /// An option that needs a value came last.
    #[error("{option} needs {expected}")]
    Missing {
        /// The option.
        option: &'static str,
        /// What it takes.
        expected: &'static str,
    },
    /// An option has a value it does not take.
    #[error("{option}: `{value}` is not {expected}")]
    Invalid {
        /// The option.
        option: &'static str,
        /// What it was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
}

// === impl Arguments ===

impl<I: Iterator<Item = OsString>> Arguments<I> {
    /// The arguments after the program's name.
    pub const fn new(rest: I) -> Self {
        Self { rest, inline: None }
    }

    /// The next option's name.
    pub fn next_name(&mut self) -> Option<String> {
        let argument = self.rest.next()?.to_string_lossy().into_owned();
        match argument.split_once('=') {
            Some((name, value)) => {
                self.inline = Some(value.to_owned());
                Some(name.to_owned())
            }
            None => Some(argument),
        }
    }

    /// The value of the option whose name was read last: what follows its `=`, or the next argument.
    ///
    /// # Errors
    ///
    /// When there is none, or `parse` gives `None`.
    pub fn value<T>(
        &mut self,
        option: &'static str,
        expected: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, UsageError> {
        let value = match self.inline.take() {
            Some(value) => value,
            None => match self.rest.next() {
                Some(value) => value.to_string_lossy().into_owned(),
                None => return Err(UsageError::Missing { option, expected }),
            },
        };
        parse(&value).ok_or(UsageError::Invalid {
            option,
            value,
            expected,
        })
    }

    /// Has to follow each option: a switch such as `--json=yes` leaves its value behind.
    ///
    /// # Errors
    ///
    /// When a value was given and not taken.
    pub fn nothing_left(&mut self, option: &str) -> Result<(), UsageError> {
        match self.inline.take() {
            Some(value) => Err(UsageError::Unknown(format!("{option}={value}"))),
            None => Ok(()),
        }
    }

    /// A duration with its unit.
    ///
    /// # Errors
    ///
    /// As [`Self::value`].
    pub fn duration(&mut self, option: &'static str) -> Result<Duration, UsageError> {
        self.value(
            option,
            "a duration above 0 such as 500ms, 10s or 2m",
            duration,
        )
    }

    /// A rate up to [`MAX_RATE`].
    ///
    /// # Errors
    ///
    /// As [`Self::value`].
    pub fn rate(&mut self, option: &'static str) -> Result<NonZeroU32, UsageError> {
        self.value(
            option,
            "a whole number of requests a second, 1 to 100000",
            |text| {
                text.parse()
                    .ok()
                    .filter(|rate: &NonZeroU32| rate.get() <= MAX_RATE)
            },
        )
    }

    /// A scenario, by its name.
    ///
    /// # Errors
    ///
    /// As [`Self::value`].
    pub fn scenario(&mut self, option: &'static str) -> Result<crate::Scenario, UsageError> {
        self.value(
            option,
            "one of steady, spike, payments-outage, slow-inventory",
            crate::Scenario::from_name,
        )
    }
}

/// A whole number with a unit. The longest is a year, so that no deadline overflows.
fn duration(text: &str) -> Option<Duration> {
    let (digits, millis) = if let Some(digits) = text.strip_suffix("ms") {
        (digits, 1)
    } else if let Some(digits) = text.strip_suffix('s') {
        (digits, 1_000)
    } else {
        (text.strip_suffix('m')?, 60_000)
    };
    // `parse` alone would take a plus sign.
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let length = Duration::from_millis(digits.parse::<u64>().ok()?.checked_mul(millis)?);
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    (!length.is_zero() && length <= year).then_some(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), ("2m", 120_000)] {
            assert_eq!(
                duration(text),
                Some(Duration::from_millis(millis)),
                "{text}"
            );
        }
        for text in [
            "",
            "s",
            "10",
            "0s",
            "-1s",
            "+1s",
            "1.5s",
            "10h",
            "99999999999999999999s",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn every_scenario_is_named_in_what_is_expected() {
        let mut arguments = Arguments::new([OsString::from("calm")].into_iter());
        let error = arguments.scenario("--scenario").unwrap_err().to_string();
        for (name, _) in crate::SCENARIOS {
            assert!(error.contains(name), "{error}");
        }
    }
}
