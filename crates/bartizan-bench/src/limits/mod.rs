//! What a rate limiter and a bulkhead cost a request, beside their peers: whether it is within its
//! quota or beyond, and what that has to do with the number of clients and the threads.
//!
//! Rows, rounds and tables are those of the [breakers](crate::breakers).

mod addresses;
mod budget;
mod contention;
#[cfg(test)]
mod gate;
mod keys;
mod ours;
mod peers;
mod rows;
mod undecided;
mod upstream;

use std::io::{self, Write};

use crate::breakers::contention::Effort;
use crate::breakers::{instructions, measure, report, row};
use crate::options::Rounds;
use crate::{BoxError, runtime};

/// The packages whose versions the figures depend on.
const PACKAGES: &[&str] = &[
    "axum-governor",
    "governor",
    "tokio",
    "tower",
    "tower-resilience-ratelimiter",
    "tower_governor",
];

/// Measures everything, and writes a table of each, and one JSON array if it is asked for.
pub(crate) fn run(rounds: &Rounds, json: bool, count: bool) -> Result<(), BoxError> {
    let runtime = runtime()?;
    let rows = rows::all(&runtime)?;
    let figures = measure::all(&runtime, &rows, rounds);
    // So many rounds may have used a budget up, and a rejection is another path.
    rows.iter().try_for_each(|row| row.check(&runtime))?;
    let instructions = count
        .then(|| instructions::of("--limits", &rows))
        .transpose()?;
    let keys = [keys::measure(&runtime, &keys::Sizes::default())?];
    let contention = contention::measure(&runtime, &Effort::default())?;

    let table = report::Table {
        rows: &rows,
        figures: &figures,
        instructions: instructions.as_deref(),
        packages: PACKAGES,
    };
    let mut out = io::stdout().lock();
    table.write(&mut out, rounds)?;
    report::write_series(&mut out, &keys)?;
    report::write_contention(&mut out, "limiter", &contention)?;
    if json {
        let rows = table.json().chain(report::json(&keys, &contention));
        writeln!(out, "{}", serde_json::Value::Array(rows.collect()))?;
    }
    Ok(())
}

/// Runs one row for a profiler.
pub(crate) fn one(name: &str, iterations: u64) -> Result<(), BoxError> {
    let runtime = runtime()?;
    row::profile(&runtime, &rows::all(&runtime)?, name, iterations)
}
