//! What the program can be told.

use std::ffi::OsString;
use std::time::Duration;

use crate::arguments::{Argument, Arguments, UsageError};
use crate::doctor::Form;
use crate::text::without_credentials;
use crate::url::Url;

/// How long one answer may take: a health check on the same host is answered in milliseconds, and
/// orchestrators give a probe little more.
pub(crate) const DEFAULT_PROBE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the doctor waits for each thing: services hand their spans over after up to 5 s, and a
/// collector after some more.
pub(crate) const DEFAULT_DOCTOR_TIMEOUT: Duration = Duration::from_secs(10);

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Usage: bartizan probe [OPTIONS] URL...

Exits with 0 if every http:// URL answers a GET with 2xx, else with 1 and a line for each that does
not on standard error; with 2 if the command line makes no sense.

Options:
  --timeout DURATION  how long one answer may take (500ms, 10s, 2m); default 1s
  --wait DURATION     ask again until all are well at once or so much time is up; default once
  --help              print this

Usage: bartizan doctor [OPTIONS]

Checks the way of telemetry as the environment (OTEL_*, BARTIZAN_*) has it: the variables, the
endpoints, an item of each signal sent, and where they are given a trace read back, admin ports, and a
request through the services. Says what to do about what fails. Exits with 0 if nothing does, with 1
if something does, with 2 if the command line makes no sense.

Options:
  --jaeger URL        read traces back from Jaeger's query service, such as http://127.0.0.1:16686
  --panel URL         read them back from the demo's panel, such as http://127.0.0.1:9090
  --admin URL         a service's admin port, such as http://127.0.0.1:8090; may come several times
  --gateway URL       a route that calls another service, such as http://127.0.0.1:8080/products
  --timeout DURATION  how long to wait for each thing; default 10s
  --json              end with one JSON object instead of lines
  --help              print this
";

/// What the command line asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Probe(Probe),
    Doctor(Box<Doctor>),
    Help,
}

/// Whom to probe, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Probe {
    pub(crate) urls: Vec<Url>,
    /// How long one answer may take. Default: [`DEFAULT_PROBE_TIMEOUT`].
    pub(crate) timeout: Duration,
    /// How long to ask again. Default: not at all.
    pub(crate) wait: Option<Duration>,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Doctor {
    pub(crate) jaeger: Option<Url>,
    pub(crate) panel: Option<Url>,
    pub(crate) admin: Vec<Url>,
    pub(crate) gateway: Option<Url>,
    /// How long to wait for each thing. Default: [`DEFAULT_DOCTOR_TIMEOUT`].
    pub(crate) timeout: Duration,
    /// Default: [`Form::Lines`].
    pub(crate) form: Form,
}

// === impl Command ===

impl Command {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut arguments = Arguments::new(arguments.into_iter());
        match arguments.next().ok_or(UsageError::NoCommand)? {
            Argument::Option(name) if is_help(&name) => Ok(Self::Help),
            Argument::Option(name) => Err(UsageError::Unknown(name)),
            Argument::Other(name) => match name.as_str() {
                "probe" => Probe::parse(arguments),
                "doctor" => Doctor::parse(arguments),
                _ => Err(UsageError::UnknownCommand(name)),
            },
        }
    }
}

fn is_help(option: &str) -> bool {
    matches!(option, "--help" | "-h")
}

// === impl Probe ===

impl Probe {
    fn parse(
        mut arguments: Arguments<impl Iterator<Item = OsString>>,
    ) -> Result<Command, UsageError> {
        let mut probe = Self {
            urls: Vec::new(),
            timeout: DEFAULT_PROBE_TIMEOUT,
            wait: None,
        };
        while let Some(argument) = arguments.next() {
            let name = match argument {
                Argument::Option(name) => name,
                Argument::Other(text) => {
                    let invalid = || UsageError::Invalid {
                        what: "probe",
                        value: without_credentials(&text),
                        expected: Url::PLAIN,
                    };
                    probe.urls.push(Url::plain(&text).ok_or_else(invalid)?);
                    continue;
                }
            };
            match name.as_str() {
                "--timeout" => probe.timeout = arguments.duration("--timeout")?,
                "--wait" => probe.wait = Some(arguments.duration("--wait")?),
                _ if is_help(&name) => return Ok(Command::Help),
                _ => return Err(UsageError::Unknown(name)),
            }
            arguments.nothing_left(&name)?;
        }
        if probe.urls.is_empty() {
            return Err(UsageError::Missing {
                what: "probe",
                expected: Url::PLAIN,
            });
        }
        Ok(Command::Probe(probe))
    }
}

// === impl Doctor ===

impl Doctor {
    fn parse(
        mut arguments: Arguments<impl Iterator<Item = OsString>>,
    ) -> Result<Command, UsageError> {
        let mut doctor = Self {
            jaeger: None,
            panel: None,
            admin: Vec::new(),
            gateway: None,
            timeout: DEFAULT_DOCTOR_TIMEOUT,
            form: Form::Lines,
        };
        while let Some(argument) = arguments.next() {
            let name = match argument {
                Argument::Option(name) => name,
                Argument::Other(text) => return Err(UsageError::Superfluous(text)),
            };
            match name.as_str() {
                "--jaeger" => doctor.jaeger = Some(arguments.url("--jaeger")?),
                "--panel" => doctor.panel = Some(arguments.url("--panel")?),
                "--admin" => doctor.admin.push(arguments.url("--admin")?),
                "--gateway" => doctor.gateway = Some(arguments.url("--gateway")?),
                "--timeout" => doctor.timeout = arguments.duration("--timeout")?,
                "--json" => doctor.form = Form::Json,
                _ if is_help(&name) => return Ok(Command::Help),
                _ => return Err(UsageError::Unknown(name)),
            }
            arguments.nothing_left(&name)?;
        }
        Ok(Command::Doctor(Box::new(doctor)))
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
        let url = |text| Url::parse(text).unwrap();
        let mut probe = Probe {
            urls: vec![url("http://a/"), url("http://b:1/c")],
            timeout: DEFAULT_PROBE_TIMEOUT,
            wait: None,
        };
        let line = "probe http://a http://b:1/c";
        assert_eq!(parse(line), Ok(Command::Probe(probe.clone())));
        (probe.timeout, probe.wait) = (Duration::from_millis(20), Some(Duration::from_secs(60)));
        let line = "probe --wait 1m http://a --timeout=20ms http://b:1/c";
        assert_eq!(parse(line), Ok(Command::Probe(probe)));

        let mut doctor = Doctor {
            jaeger: None,
            panel: None,
            admin: Vec::new(),
            gateway: None,
            timeout: DEFAULT_DOCTOR_TIMEOUT,
            form: Form::Lines,
        };
        assert_eq!(
            parse("doctor"),
            Ok(Command::Doctor(Box::new(doctor.clone())))
        );
        doctor.jaeger = Some(url("https://j/ui"));
        doctor.admin = vec![url("http://a"), url("http://b")];
        doctor.form = Form::Json;
        let line = "doctor --json --admin http://a --jaeger https://j/ui --admin=http://b";
        assert_eq!(parse(line), Ok(Command::Doctor(Box::new(doctor))));

        for default in [DEFAULT_PROBE_TIMEOUT, DEFAULT_DOCTOR_TIMEOUT] {
            assert!(
                HELP.contains(&format!("default {default:?}\n")),
                "{default:?}"
            );
        }
        for line in [
            "--help",
            "-h",
            "probe --help",
            "doctor --json --help --nonsense",
        ] {
            assert_eq!(parse(line), Ok(Command::Help), "{line}");
        }
    }

    #[test]
    fn mistakes_are_named_with_what_is_allowed() {
        for (line, said) in [
            ("", "no command: expected probe or doctor; see --help"),
            (
                "prob",
                "unknown command `prob`: expected probe or doctor; see --help",
            ),
            ("--json", "unknown option `--json`; see --help"),
            (
                "probe",
                "probe needs an http:// URL without credentials such as \
                 http://127.0.0.1:8090/readyz",
            ),
            (
                "probe http://me:secret@h/",
                "probe: `http://***@h/` is not an http:// URL without credentials such as \
                 http://127.0.0.1:8090/readyz",
            ),
            (
                "probe --wait 1 http://h",
                "--wait: `1` is not a duration above 0 such as 500ms, 10s or 2m",
            ),
            (
                "probe --timeout",
                "--timeout needs a duration above 0 such as 500ms, 10s or 2m",
            ),
            ("doctor http://h", "`http://h` is no option; see --help"),
            (
                "doctor --json=yes",
                "unknown option `--json=yes`; see --help",
            ),
            (
                "doctor --panel here",
                "--panel: `here` is not an http:// or https:// URL without credentials such as \
                 http://127.0.0.1:16686",
            ),
        ] {
            assert_eq!(parse(line).unwrap_err().to_string(), said);
        }
    }
}
