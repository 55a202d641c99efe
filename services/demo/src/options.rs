use std::ffi::OsString;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use loadgen::Scenario;
use loadgen::arguments::{Arguments, UsageError};
pub use loadgen::options::DEFAULT_RATE;

use crate::{ROLE_ARGUMENT, Role};

/// What `--help` prints.
pub const HELP: &str = "\
Runs a shop of four services under Bartizan, sends it requests, and shows the traces.

Usage: demo [OPTIONS]

Options:
  --for DURATION               end after this long (500ms, 10s, 2m); default: run until Ctrl-C
  --json                       print nothing but one JSON object at the end
  --scenario NAME              steady, spike, payments-outage or slow-inventory; default steady
  --rate N                     requests a second, 1 to 100000; default 50
  --db PATH                    the order service's SQLite file; default :memory:
  --gateway-port PORT          default 8080
  --gateway-admin-port PORT    probes, metrics, settings and log levels; default 8090
  --orders-port PORT           default 8081
  --orders-admin-port PORT     the same; default 8091
  --inventory-port PORT        default 8082
  --inventory-admin-port PORT  the same, and where it is made slow; default 8092
  --payments-port PORT         default 8083
  --payments-admin-port PORT   the same, and where they are made to fail; default 8093
  --otlp-grpc-port PORT        default 4317
  --otlp-http-port PORT        default 4318
  --panel-port PORT            default 9090
  --help                       print this

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
    /// What the traffic is like, and what goes wrong meanwhile.
    pub scenario: Scenario,
    /// Requests a second.
    pub rate: NonZeroU32,
    /// The order service's database file, or `:memory:`.
    pub database: PathBuf,
    /// The gateway's port; like the others, 0 is any free one.
    pub gateway_port: u16,
    /// The gateway's admin port.
    pub gateway_admin_port: u16,
    /// The order service's port.
    pub orders_port: u16,
    /// The order service's admin port.
    pub orders_admin_port: u16,
    /// The inventory's port.
    pub inventory_port: u16,
    /// The inventory's admin port, where its faults are set as well.
    pub inventory_admin_port: u16,
    /// The payments' port.
    pub payments_port: u16,
    /// The payments' admin port, where their faults are set as well.
    pub payments_admin_port: u16,
    /// Where OTLP is taken over gRPC.
    pub otlp_grpc_port: u16,
    /// Where OTLP is taken over HTTP.
    pub otlp_http_port: u16,
    /// Where the panel is served.
    pub panel_port: u16,
}

// === impl Command ===

impl Command {
    /// Reads the arguments after the program's name.
    ///
    /// # Errors
    ///
    /// When an option is unknown, or has no value or the wrong one.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, UsageError> {
        let mut arguments = Arguments::new(arguments.into_iter());
        let mut options = Options::default();
        while let Some(argument) = arguments.next_name() {
            if let Some((option, field)) = options.port(&argument) {
                *field = port(&mut arguments, option)?;
                continue;
            }
            match argument.as_str() {
                "--for" => options.duration = Some(arguments.duration("--for")?),
                "--json" => options.json = true,
                "--scenario" => options.scenario = arguments.scenario("--scenario")?,
                "--rate" => options.rate = arguments.rate("--rate")?,
                "--db" => {
                    let path = |text: &str| (!text.is_empty()).then(|| PathBuf::from(text));
                    options.database = arguments.value("--db", "a file path or :memory:", path)?;
                }
                "--help" | "-h" => return Ok(Self::Help),
                ROLE_ARGUMENT => {
                    let roles = "gateway, orders, inventory or payments";
                    let role = arguments.value(ROLE_ARGUMENT, roles, Role::from_name);
                    return role.map(Self::Serve);
                }
                _ => return Err(UsageError::Unknown(argument)),
            }
            arguments.nothing_left(&argument)?;
        }
        Ok(Self::Run(options))
    }
}

// === impl Options ===

impl Options {
    /// The option of that name that takes a port, and where it is kept.
    fn port(&mut self, name: &str) -> Option<(&'static str, &mut u16)> {
        Some(match name {
            "--gateway-port" => ("--gateway-port", &mut self.gateway_port),
            "--gateway-admin-port" => ("--gateway-admin-port", &mut self.gateway_admin_port),
            "--orders-port" => ("--orders-port", &mut self.orders_port),
            "--orders-admin-port" => ("--orders-admin-port", &mut self.orders_admin_port),
            "--inventory-port" => ("--inventory-port", &mut self.inventory_port),
            "--inventory-admin-port" => ("--inventory-admin-port", &mut self.inventory_admin_port),
            "--payments-port" => ("--payments-port", &mut self.payments_port),
            "--payments-admin-port" => ("--payments-admin-port", &mut self.payments_admin_port),
            "--otlp-grpc-port" => ("--otlp-grpc-port", &mut self.otlp_grpc_port),
            "--otlp-http-port" => ("--otlp-http-port", &mut self.otlp_http_port),
            "--panel-port" => ("--panel-port", &mut self.panel_port),
            _ => return None,
        })
    }

    /// A service's port and its admin port.
    pub(crate) const fn ports_of(&self, role: Role) -> (u16, u16) {
        match role {
            Role::Gateway => (self.gateway_port, self.gateway_admin_port),
            Role::Orders => (self.orders_port, self.orders_admin_port),
            Role::Inventory => (self.inventory_port, self.inventory_admin_port),
            Role::Payments => (self.payments_port, self.payments_admin_port),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            duration: None,
            json: false,
            scenario: Scenario::default(),
            rate: DEFAULT_RATE,
            database: PathBuf::from(orders::DEFAULT_DATABASE),
            gateway_port: gateway::DEFAULT_BIND.port(),
            gateway_admin_port: gateway::DEFAULT_ADMIN_BIND.port(),
            orders_port: orders::DEFAULT_BIND.port(),
            orders_admin_port: orders::DEFAULT_ADMIN_BIND.port(),
            inventory_port: inventory::DEFAULT_BIND.port(),
            inventory_admin_port: inventory::DEFAULT_ADMIN_BIND.port(),
            payments_port: payments::DEFAULT_BIND.port(),
            payments_admin_port: payments::DEFAULT_ADMIN_BIND.port(),
            otlp_grpc_port: 4317,
            otlp_http_port: 4318,
            panel_port: 9090,
        }
    }
}

fn port(
    arguments: &mut Arguments<impl Iterator<Item = OsString>>,
    option: &'static str,
) -> Result<u16, UsageError> {
    arguments.value(option, "a port, 0 to 65535", |text| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use loadgen::arguments::MAX_RATE;

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
        let mut options = Options::default();
        assert!(HELP.contains(&format!("1 to {MAX_RATE}; default {}\n", options.rate)));
        assert!(HELP.contains(&format!("default {}\n", options.database.display())));
        assert!(HELP.contains(&format!("default {}\n", options.scenario.name())));
        let names: Vec<_> = HELP
            .split_whitespace()
            .filter(|word| word.starts_with("--") && word.ends_with("-port"))
            .collect();
        assert_eq!(names.len(), 11);
        for name in names {
            let (_, port) = options.port(name).unwrap();
            let line = HELP.lines().find(|line| line.contains(&format!("{name} ")));
            let expected = format!("default {port}");
            assert!(line.is_some_and(|line| line.ends_with(&expected)), "{name}");
        }
    }

    #[test]
    fn options_take_their_value_as_the_next_argument_or_after_an_equals_sign() {
        let expected = Options {
            duration: Some(Duration::from_secs(3)),
            json: true,
            scenario: Scenario::Spike,
            otlp_grpc_port: 0,
            ..Options::default()
        };
        let line = "--for 3s --json --scenario spike --otlp-grpc-port 0";
        assert_eq!(options(line), expected);
        let line = "--for=3s --json --scenario=spike --otlp-grpc-port=0";
        assert_eq!(options(line), expected);
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
