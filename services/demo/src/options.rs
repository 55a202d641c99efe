use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use crate::{ROLE_ARGUMENT, Role};

/// Requests a second: enough to see things move, little enough to read the log lines.
pub const DEFAULT_RATE: NonZeroU32 = NonZeroU32::new(50).expect("50 is not 0");

/// The most requests a second that one client process is asked for.
pub const MAX_RATE: u32 = 100_000;

/// What `--help` prints.
pub const HELP: &str = "\
Runs a gateway and an order service under Bartizan, sends them requests, and shows the traces.

Usage: demo [OPTIONS]

Options:
  --for DURATION          end after this long (500ms, 10s, 2m); default: run until Ctrl-C
  --json                  print nothing but one JSON object at the end
  --rate N                requests a second, 1 to 100000; default 50
  --db PATH               the order service's SQLite file; default :memory:
  --gateway-port PORT     default 8080
  --orders-port PORT      default 8081
  --otlp-grpc-port PORT   default 4317
  --otlp-http-port PORT   default 4318
  --panel-port PORT       default 9090
  --help                  print this

Everything listens on 127.0.0.1; port 0 is any free one.
";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the program has to do every one of them"
)]
pub enum Command {
    /// Run the demo.
    Run(Options),
    /// Be one of its services: the hidden role that the demo starts itself in.
    Serve(Role),
    /// Print [`HELP`].
    Help,
}

/// How to run the demo.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// End after this long; `None` is never.
    pub duration: Option<Duration>,
    /// Print one JSON object and nothing else.
    pub json: bool,
    /// Requests a second, at most [`MAX_RATE`].
    pub rate: NonZeroU32,
    /// The order service's database file, or `:memory:`.
    pub database: PathBuf,
    /// The gateway's port; like the others, 0 is any free one.
    pub gateway_port: u16,
    /// The order service's port.
    pub orders_port: u16,
    /// Where OTLP is taken over gRPC.
    pub otlp_grpc_port: u16,
    /// Where OTLP is taken over HTTP.
    pub otlp_http_port: u16,
    /// Where the panel is served.
    pub panel_port: u16,
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

// === impl Command ===

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// When an option is unknown, or has no value or the wrong one.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut arguments = Arguments {
            rest: arguments.into_iter(),
            inline: None,
        };
        let mut options = Options::default();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--for" => options.duration = Some(arguments.duration("--for")?),
                "--json" => options.json = true,
                "--rate" => options.rate = arguments.rate("--rate")?,
                "--db" => options.database = arguments.path("--db")?,
                "--gateway-port" => options.gateway_port = arguments.port("--gateway-port")?,
                "--orders-port" => options.orders_port = arguments.port("--orders-port")?,
                "--otlp-grpc-port" => {
                    options.otlp_grpc_port = arguments.port("--otlp-grpc-port")?
                }
                "--otlp-http-port" => {
                    options.otlp_http_port = arguments.port("--otlp-http-port")?
                }
                "--panel-port" => options.panel_port = arguments.port("--panel-port")?,
                "--help" | "-h" => return Ok(Self::Help),
                ROLE_ARGUMENT => return arguments.role().map(Self::Serve),
                _ => return Err(UsageError::Unknown(argument)),
            }
            // A switch such as `--json=yes` leaves its value behind.
            if let Some(value) = arguments.inline {
                return Err(UsageError::Unknown(format!("{argument}={value}")));
            }
        }
        Ok(Self::Run(options))
    }
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            duration: None,
            json: false,
            rate: DEFAULT_RATE,
            database: PathBuf::from(orders::DEFAULT_DATABASE),
            gateway_port: gateway::DEFAULT_BIND.port(),
            orders_port: orders::DEFAULT_BIND.port(),
            otlp_grpc_port: 4317,
            otlp_http_port: 4318,
            panel_port: 9090,
        }
    }
}

/// The arguments still to be read.
struct Arguments<I> {
    rest: I,
    /// What followed the `=` of the option read last, until it is taken.
    inline: Option<String>,
}

impl<I: Iterator<Item = OsString>> Arguments<I> {
    /// The next option's name.
    fn next(&mut self) -> Option<String> {
        let argument = self.rest.next()?.to_string_lossy().into_owned();
        match argument.split_once('=') {
            Some((name, value)) => {
                self.inline = Some(value.to_owned());
                Some(name.to_owned())
            }
            None => Some(argument),
        }
    }

    fn value<T>(
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

    fn duration(&mut self, option: &'static str) -> Result<Duration, UsageError> {
        self.value(
            option,
            "a duration above 0 such as 500ms, 10s or 2m",
            duration,
        )
    }

    fn rate(&mut self, option: &'static str) -> Result<NonZeroU32, UsageError> {
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

    fn port(&mut self, option: &'static str) -> Result<u16, UsageError> {
        self.value(option, "a port, 0 to 65535", |text| text.parse().ok())
    }

    fn path(&mut self, option: &'static str) -> Result<PathBuf, UsageError> {
        self.value(option, "a file path or :memory:", |text| {
            (!text.is_empty()).then(|| PathBuf::from(text))
        })
    }

    fn role(&mut self) -> Result<Role, UsageError> {
        self.value(ROLE_ARGUMENT, "gateway or orders", Role::from_name)
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

    fn parse(line: &str) -> Result<Command, UsageError> {
        Command::parse(line.split_whitespace().map(OsString::from))
    }

    fn options(line: &str) -> Options {
        match parse(line).unwrap() {
            Command::Run(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_asked_for_gives_the_defaults() {
        assert_eq!(options(""), Options::default());
    }

    #[test]
    fn the_help_names_the_defaults() {
        let Options {
            rate,
            database,
            gateway_port,
            orders_port,
            ..
        } = Options::default();
        let Options {
            otlp_grpc_port,
            otlp_http_port,
            panel_port,
            ..
        } = Options::default();
        assert!(HELP.contains(&format!("1 to {MAX_RATE}; default {rate}\n")));
        assert!(HELP.contains(&format!("default {}\n", database.display())));
        for port in [
            gateway_port,
            orders_port,
            otlp_grpc_port,
            otlp_http_port,
            panel_port,
        ] {
            assert!(HELP.contains(&format!("default {port}\n")), "{port}");
        }
    }

    #[test]
    fn options_take_their_value_as_the_next_argument_or_after_an_equals_sign() {
        let expected = Options {
            duration: Some(Duration::from_secs(3)),
            json: true,
            otlp_grpc_port: 0,
            ..Options::default()
        };
        assert_eq!(options("--for 3s --json --otlp-grpc-port 0"), expected);
        assert_eq!(options("--for=3s --json --otlp-grpc-port=0"), expected);
    }

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
    fn mistakes_are_named_with_what_is_allowed() {
        for (line, said) in [
            ("--fro 3s", "unknown option `--fro`; see --help"),
            ("--json=yes", "unknown option `--json=yes`; see --help"),
            (
                "--rate",
                "--rate needs a whole number of requests a second, 1 to 100000",
            ),
            (
                "--rate 0",
                "--rate: `0` is not a whole number of requests a second, 1 to 100000",
            ),
            (
                "--gateway-port 65536",
                "--gateway-port: `65536` is not a port, 0 to 65535",
            ),
            (
                "--for 3",
                "--for: `3` is not a duration above 0 such as 500ms, 10s or 2m",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn help_wins_over_what_follows() {
        assert_eq!(parse("--json --help --nonsense"), Ok(Command::Help));
    }
}
