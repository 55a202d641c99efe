//! A command line of options with values and of URLs, read with errors that say what is allowed.

use std::ffi::OsString;
use std::time::Duration;

use bartizan::config;

use crate::text::without_credentials;
use crate::url::Url;

/// The arguments still to be read.
#[derive(Debug)]
pub(crate) struct Arguments<I> {
    rest: I,
    /// What followed the `=` of the option read last, until it is taken.
    inline: Option<String>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Argument {
    /// An option's name.
    Option(String),
    /// What is none.
    Other(String),
}

/// The command line makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UsageError {
    #[error("no command: expected probe or doctor; see --help")]
    NoCommand,
    #[error("unknown command `{0}`: expected probe or doctor; see --help")]
    UnknownCommand(String),
    #[error("unknown option `{0}`; see --help")]
    Unknown(String),
    #[error("`{0}` is no option; see --help")]
    Superfluous(String),
    #[error("{what} needs {expected}")]
    Missing {
        what: &'static str,
        expected: &'static str,
    },
    #[error("{what}: `{value}` is not {expected}")]
    Invalid {
        what: &'static str,
        value: String,
        expected: &'static str,
    },
}

// === impl Arguments ===

impl<I: Iterator<Item = OsString>> Arguments<I> {
    pub(crate) const fn new(rest: I) -> Self {
        Self { rest, inline: None }
    }

    pub(crate) fn next(&mut self) -> Option<Argument> {
        let argument = self.rest.next()?.to_string_lossy().into_owned();
        if !argument.starts_with('-') {
            return Some(Argument::Other(argument));
        }
        Some(Argument::Option(match argument.split_once('=') {
            Some((name, value)) => {
                self.inline = Some(value.to_owned());
                name.to_owned()
            }
            None => argument,
        }))
    }

    /// The value of the option whose name was read last: what follows its `=`, or the next argument.
    fn value(
        &mut self,
        option: &'static str,
        expected: &'static str,
    ) -> Result<String, UsageError> {
        if let Some(value) = self.inline.take() {
            return Ok(value);
        }
        let next = self.rest.next().ok_or(UsageError::Missing {
            what: option,
            expected,
        })?;
        Ok(next.to_string_lossy().into_owned())
    }

    /// A duration with its unit.
    pub(crate) fn duration(&mut self, option: &'static str) -> Result<Duration, UsageError> {
        const EXPECTED: &str = "a duration above 0 such as 500ms, 10s or 2m";
        let value = self.value(option, EXPECTED)?;
        duration(&value).ok_or(UsageError::Invalid {
            what: option,
            value,
            expected: EXPECTED,
        })
    }

    /// The URL of a server.
    pub(crate) fn url(&mut self, option: &'static str) -> Result<Url, UsageError> {
        let value = self.value(option, Url::ANY)?;
        Url::parse(&value).ok_or_else(|| UsageError::Invalid {
            what: option,
            value: without_credentials(&value),
            expected: Url::ANY,
        })
    }

    /// Has to follow each option: a switch such as `--json=yes` leaves its value behind.
    pub(crate) fn nothing_left(&mut self, option: &str) -> Result<(), UsageError> {
        match self.inline.take() {
            Some(value) => Err(UsageError::Unknown(format!("{option}={value}"))),
            None => Ok(()),
        }
    }
}

/// At most a year, so that no deadline overflows.
fn duration(text: &str) -> Option<Duration> {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    config::duration::parse(text).filter(|length| !length.is_zero() && *length <= year)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit() {
        for (text, millis) in [("500ms", 500), ("10s", 10_000), ("1m30s", 90_000)] {
            let expected = Some(Duration::from_millis(millis));
            assert_eq!(duration(text), expected, "{text}");
        }
        for text in ["", "s", "10", "0s", "-1s", "+1s", "1.5s", "8761h", "1d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }
}
