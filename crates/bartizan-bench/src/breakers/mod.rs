//! What a circuit breaker costs a call, beside its peers: while it is closed, while it is open, and
//! what that has to do with the traffic, the window and the threads.

pub(crate) mod contention;
#[cfg(test)]
pub(crate) mod gate;
pub(crate) mod instructions;
pub(crate) mod measure;
mod ours;
mod peers;
pub(crate) mod report;
pub(crate) mod row;
mod rows;
pub(crate) mod series;
pub(crate) mod through;
pub(crate) mod upstream;

use std::io::{self, Write};

use crate::options::Rounds;
use crate::{BoxError, runtime};

/// Measures everything, and writes a table of each, and one JSON array if it is asked for.
pub(crate) fn run(rounds: &Rounds, json: bool, count: bool) -> Result<(), BoxError> {
    let runtime = runtime()?;
    let rows = rows::all(&runtime)?;
    let figures = measure::all(&runtime, &rows, rounds);
    let instructions = count
        .then(|| instructions::of("--breakers", &rows))
        .transpose()?;
    let series = series::measure(&runtime, &series::Sizes::default())?;
    let contention = contention::measure(&runtime, &contention::Effort::default())?;

    let table = report::Table {
        rows: &rows,
        figures: &figures,
        instructions: instructions.as_deref(),
        packages: report::PACKAGES,
    };
    let mut out = io::stdout().lock();
    table.write(&mut out, rounds)?;
    report::write_series(&mut out, &series)?;
    report::write_contention(&mut out, "breaker", &contention)?;
    if json {
        let rows = table.json().chain(report::json(&series, &contention));
        writeln!(out, "{}", serde_json::Value::Array(rows.collect()))?;
    }
    Ok(())
}

/// Runs one row for a profiler.
pub(crate) fn one(name: &str, iterations: u64) -> Result<(), BoxError> {
    let runtime = runtime()?;
    row::profile(&runtime, &rows::all(&runtime)?, name, iterations)
}
