//! What the program can be told.

use std::ffi::OsString;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::arguments::{Arguments, UsageError};
use crate::{Remote, Scenario};

/// The gateway, where it listens by default.
pub const DEFAULT_TARGET: &str = "http://127.0.0.1:8080";

/// The payments' admin port, where it is by default.
pub const DEFAULT_PAYMENTS_ADMIN: &str = "http://127.0.0.1:8093";

/// The inventory's admin port, where it is by default.
pub const DEFAULT_INVENTORY_ADMIN: &str = "http://127.0.0.1:8092";

/// Requests a second: enough to see things move, little enough to read the log lines.
pub const DEFAULT_RATE: NonZeroU32 = NonZeroU32::new(50).expect("50 is not 0");

/// Long enough for each third of a scenario to be seen on a line that comes each second.
pub const DEFAULT_LENGTH: Duration = Duration::from_secs(30);

/// What `--help` prints.
pub const HELP: &str = "\
Sends the shop requests at a rate of its own, and says how long they took.

Usage: loadgen [OPTIONS]

Options:
  --target URL            the gateway; default http://127.0.0.1:8080
  --scenario NAME         steady, spike, payments-outage or slow-inventory; default steady
  --rate N                requests a second, 1 to 100000; default 50
  --for DURATION          end after this long (500ms, 10s, 2m); default 30s
  --requests N            end after so many requests
  --payments-admin URL    where payments are made to fail; default http://127.0.0.1:8093
  --inventory-admin URL   where the inventory is made slow; default http://127.0.0.1:8092
  --remote                allow URLs of other machines
  --json                  end with one JSON object instead of the summary
  --help                  print this
";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the program has to do every one of them"
)]
pub enum Command {
    /// Send requests.
    Run(Options),
    /// Print [`HELP`].
    Help,
}

/// How to run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Whom to ask. Default: [`DEFAULT_TARGET`].
    pub target: String,
    /// Where payments are made to fail. Default: [`DEFAULT_PAYMENTS_ADMIN`].
    pub payments_admin: String,
    /// Where the inventory is made slow. Default: [`DEFAULT_INVENTORY_ADMIN`].
    pub inventory_admin: String,
    /// What to do. Default: [`Scenario::Steady`].
    pub scenario: Scenario,
    /// Requests a second. Default: [`DEFAULT_RATE`].
    pub rate: NonZeroU32,
    /// End after this long. Default: [`DEFAULT_LENGTH`].
    pub length: Duration,
    /// End after so many requests.
    pub requests: Option<u64>,
    /// Whether other machines may be loaded.
    pub remote: Remote,
    /// End with one JSON object.
    pub json: bool,
}

// === impl Command ===

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// When an option is unknown, or has no value or the wrong one.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        const URL: &str = "a URL such as http://127.0.0.1:8080";
        let url = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let mut arguments = Arguments::new(arguments.into_iter());
        let mut options = Options::default();
        while let Some(argument) = arguments.next_name() {
            match argument.as_str() {
                "--target" => options.target = arguments.value("--target", URL, url)?,
                "--payments-admin" => {
                    options.payments_admin = arguments.value("--payments-admin", URL, url)?;
                }
                "--inventory-admin" => {
                    options.inventory_admin = arguments.value("--inventory-admin", URL, url)?;
                }
                "--scenario" => options.scenario = arguments.scenario("--scenario")?,
                "--rate" => options.rate = arguments.rate("--rate")?,
                "--for" => options.length = arguments.duration("--for")?,
                "--requests" => {
                    let number = "a whole number above 0";
                    let positive = |text: &str| text.parse().ok().filter(|&number| number > 0);
                    options.requests = Some(arguments.value("--requests", number, positive)?);
                }
                "--remote" => options.remote = Remote::Allowed,
                "--json" => options.json = true,
                "--help" | "-h" => return Ok(Self::Help),
                _ => return Err(UsageError::Unknown(argument)),
            }
            arguments.nothing_left(&argument)?;
        }
        Ok(Self::Run(options))
    }
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            target: DEFAULT_TARGET.to_owned(),
            payments_admin: DEFAULT_PAYMENTS_ADMIN.to_owned(),
            inventory_admin: DEFAULT_INVENTORY_ADMIN.to_owned(),
            scenario: Scenario::default(),
            rate: DEFAULT_RATE,
            length: DEFAULT_LENGTH,
            requests: None,
            remote: Remote::Refused,
            json: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Command, UsageError> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_are_read_and_the_rest_is_as_the_help_says() {
        assert_eq!(parse(""), Ok(Command::Run(Options::default())));
        let expected = Options {
            scenario: Scenario::Spike,
            rate: NonZeroU32::new(7).unwrap(),
            length: Duration::from_millis(500),
            requests: Some(9),
            remote: Remote::Allowed,
            json: true,
            ..Options::default()
        };
        let line = "--scenario spike --rate=7 --for 500ms --requests 9 --remote --json";
        assert_eq!(parse(line), Ok(Command::Run(expected)));
        let defaults = Options::default();
        for default in [
            defaults.target,
            defaults.payments_admin,
            defaults.inventory_admin,
            defaults.scenario.name().to_owned(),
            defaults.rate.to_string(),
            format!("{:?}", defaults.length),
        ] {
            assert!(HELP.contains(&format!("default {default}\n")), "{default}");
        }
    }

    #[test]
    fn mistakes_are_named_with_what_is_allowed() {
        for (line, said) in [
            ("--fro 3s", "unknown option `--fro`; see --help"),
            ("--json=yes", "unknown option `--json=yes`; see --help"),
            (
                "--requests 0",
                "--requests: `0` is not a whole number above 0",
            ),
            (
                "--scenario calm",
                "--scenario: `calm` is not one of steady, spike, payments-outage, slow-inventory",
            ),
            (
                "--target",
                "--target needs a URL such as http://127.0.0.1:8080",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), said);
        }
        assert_eq!(parse("--json --help --nonsense"), Ok(Command::Help));
    }
}
