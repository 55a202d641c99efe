//! The command line.

use std::str::FromStr;

use crate::BoxError;

pub(crate) const HELP: &str = "\
What Bartizan and its peers cost per request, in one process, over one axum application.

    cargo run --release -p bartizan-bench [-- OPTIONS]

  --json             also print one JSON array, an object per row, as the last line
  --filter TEXT      only rows whose name contains TEXT (and bare_layer, which is the base)
  --rounds N         rounds over all rows (default 300)
  --requests N       requests per row and round (default 1000); beyond 1500, the peers' queues of
                     2048 spans may overflow, which the table then says
  --collectors       instead of the table: requests beside a collector that is well, slow or
                     flapping, refuses or resets connections, never answers, or answers 503 or 429,
                     with and without a time to wait; and how long flushes take
  --breakers         instead of the table: calls through circuit breakers
  --limits           instead of the table: requests through rate limiters and bulkheads; it takes up
                     to 600 MiB, for ten million clients
  --instructions     with --breakers or --limits: also count instructions, which takes valgrind and
                     a minute
  --row NAME         run this one row, of the breakers with --breakers and of the limits with
                     --limits, and report no times: for a profiler
  --iterations N     requests in that one row (default 10000)
  --help             this text

Instructions per request, free of the machine's noise:

    cargo build --release -p bartizan-bench
    valgrind --tool=callgrind --toggle-collect='*measured_loop*' --callgrind-out-file=/dev/null \\
        target/release/bartizan-bench --row bartizan_sampled --iterations 10000

Divide what it collected by the requests that the row says it ran, and subtract the same for
bare_layer.

Columns: ns is the wall time of the calling thread, median over the rounds, with the fastest round
and the quartiles. cpu is the processor time of all threads until the queues are empty, so that
work which is only moved to another thread shows; one flush of the queues a round is a part of it.
allocs and bytes are the calling thread's; a reallocation counts as one of its new size. +ns and
+allocs are over bare_layer.

Of the breakers: a call clones, readies and calls a ready service. ns is the fastest round, +ns is
over the bare service and +clock over the bare service with the clock readings that the path needs,
two while closed and one while open; a rejection is held against a service that is not called.
+instr is over the bare service; the inside of a clock reading is not in it. What reads no clock is
below 0 in +clock.

Of the limits: the same columns, from 100 addresses, with one clock reading. Rows in ..._beyond are
rejections. What decides with no service behind it is held against what finds the address and does
not decide; a rejection through a layer, against a service that is not called. The table by clients
is of decisions alone, each about the next client, and all clients have used some of their budgets.
In the table by threads, one is a client that all threads have, and own are 100 for each thread.

Before anything is measured, each row is checked to deliver the spans, measurements and lines that
it claims. Subscribers of `tracing` are installed per row and thread; a process that has a single
global one spends some nanoseconds less in each span and event of the rows that use `tracing`.
";

/// What to do.
#[derive(Debug, PartialEq)]
pub(crate) enum Command {
    Help,
    Table {
        filter: Option<String>,
        rounds: Rounds,
        json: bool,
    },
    Row {
        name: String,
        iterations: u64,
    },
    Collectors {
        rounds: Rounds,
        json: bool,
    },
    Breakers {
        rounds: Rounds,
        json: bool,
        instructions: bool,
    },
    Breaker {
        name: String,
        iterations: u64,
    },
    Limits {
        rounds: Rounds,
        json: bool,
        instructions: bool,
    },
    Limit {
        name: String,
        iterations: u64,
    },
}

/// How much to measure.
#[derive(Debug, PartialEq)]
pub(crate) struct Rounds {
    pub(crate) count: usize,
    /// Requests per row and round that are timed.
    pub(crate) requests: u64,
    /// Requests before them that are not.
    pub(crate) warm_up: u64,
}

/// Reads the arguments after the program's name.
pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Command, BoxError> {
    let (mut filter, mut row, mut json, mut collectors) = (None, None, false, false);
    let (mut breakers, mut limits, mut instructions) = (false, false, false);
    let mut rounds = Rounds::default();
    let mut iterations = 10_000;
    while let Some(name) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{name} needs a value"))
        };
        match name.as_str() {
            "--help" | "-h" => return Ok(Command::Help),
            "--json" => json = true,
            "--collectors" => collectors = true,
            "--breakers" => breakers = true,
            "--limits" => limits = true,
            "--instructions" => instructions = true,
            "--filter" => filter = Some(value()?),
            "--rounds" => rounds.count = number(&name, &value()?)?,
            "--requests" => rounds.requests = number(&name, &value()?)?,
            "--row" => row = Some(value()?),
            "--iterations" => iterations = number(&name, &value()?)?,
            _ => return Err(format!("no such option: {name} (there is --help)").into()),
        }
    }
    Ok(match row {
        None if collectors => Command::Collectors { rounds, json },
        None if breakers => Command::Breakers {
            rounds,
            json,
            instructions,
        },
        None if limits => Command::Limits {
            rounds,
            json,
            instructions,
        },
        Some(name) if breakers => Command::Breaker { name, iterations },
        Some(name) if limits => Command::Limit { name, iterations },
        Some(name) => Command::Row { name, iterations },
        None => Command::Table {
            filter,
            rounds,
            json,
        },
    })
}

fn number<N: FromStr + PartialOrd + From<u8>>(name: &str, value: &str) -> Result<N, BoxError> {
    value
        .parse()
        .ok()
        .filter(|number| *number >= N::from(1))
        .ok_or_else(|| format!("{name} takes a whole number from 1, not {value:?}").into())
}

// === impl Rounds ===

impl Default for Rounds {
    fn default() -> Self {
        Self {
            count: 300,
            requests: 1_000,
            warm_up: 100,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned)).map_err(|error| error.to_string())
    }

    #[test]
    fn options_have_defaults_and_can_be_given() {
        let rounds = Rounds::default();
        assert_eq!(
            parsed(""),
            Ok(Command::Table {
                filter: None,
                rounds,
                json: false
            })
        );
        let rounds = Rounds {
            count: 3,
            requests: 5,
            ..Rounds::default()
        };
        let filter = Some("oit".to_owned());
        assert_eq!(
            parsed("--rounds 3 --requests 5 --filter oit --json"),
            Ok(Command::Table {
                filter,
                rounds,
                json: true
            })
        );
        let rounds = Rounds::default();
        assert_eq!(
            parsed("--collectors --json"),
            Ok(Command::Collectors { rounds, json: true })
        );
        let name = "bare".to_owned();
        assert_eq!(
            parsed("--row bare --iterations 7"),
            Ok(Command::Row {
                name,
                iterations: 7
            })
        );
    }

    #[test]
    fn breakers_have_a_table_and_rows_of_their_own() {
        let rounds = Rounds::default();
        assert_eq!(
            parsed("--breakers --instructions --json"),
            Ok(Command::Breakers {
                rounds,
                json: true,
                instructions: true
            })
        );
        let name = "recloser".to_owned();
        assert_eq!(
            parsed("--breakers --row recloser --iterations 7"),
            Ok(Command::Breaker {
                name,
                iterations: 7
            })
        );
    }

    #[test]
    fn limits_have_a_table_and_rows_of_their_own() {
        let rounds = Rounds::default();
        assert_eq!(
            parsed("--limits --instructions"),
            Ok(Command::Limits {
                rounds,
                json: false,
                instructions: true
            })
        );
        let name = "governor".to_owned();
        assert_eq!(
            parsed("--row governor --limits --iterations 7"),
            Ok(Command::Limit {
                name,
                iterations: 7
            })
        );
    }

    #[test]
    fn mistakes_are_named() {
        let error = |line| parsed(line).unwrap_err();
        assert_eq!(
            error("--rounds 0"),
            "--rounds takes a whole number from 1, not \"0\""
        );
        assert_eq!(error("--row"), "--row needs a value");
        assert_eq!(error("--jsn"), "no such option: --jsn (there is --help)");
    }
}
