//! What a circuit breaker costs a call, beside its peers: while it is closed, while it is open, and
//! what that has to do with the traffic, the window and the threads.

mod contention;
#[cfg(test)]
mod gate;
mod instructions;
mod measure;
mod ours;
mod peers;
mod report;
mod row;
mod rows;
mod series;
mod through;
mod upstream;

use std::io::{self, Write};

use crate::options::Rounds;
use crate::{BoxError, alloc, runtime};

/// Calls before the ones that a profiler sees.
const WARM_UP: u64 = 1_000;

/// Measures everything, and writes a table of each, and one JSON array if it is asked for.
pub(crate) fn run(rounds: &Rounds, json: bool, count: bool) -> Result<(), BoxError> {
    let runtime = runtime()?;
    let rows = rows::all(&runtime)?;
    let figures = measure::all(&runtime, &rows, rounds);
    let instructions = count.then(|| instructions::of(&rows)).transpose()?;
    let series = series::measure(&runtime, &series::Sizes::default())?;
    let contention = contention::measure(&runtime, &contention::Effort::default())?;

    let table = report::Table {
        rows: &rows,
        figures: &figures,
        instructions: instructions.as_deref(),
    };
    let mut out = io::stdout().lock();
    table.write(&mut out, rounds)?;
    report::write_series(&mut out, &series)?;
    report::write_contention(&mut out, &contention)?;
    if json {
        let rows = table.json().chain(report::json(&series, &contention));
        writeln!(out, "{}", serde_json::Value::Array(rows.collect()))?;
    }
    Ok(())
}

/// Runs one row for a profiler.
pub(crate) fn one(name: &str, iterations: u64) -> Result<(), BoxError> {
    let runtime = runtime()?;
    let rows = rows::all(&runtime)?;
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    let row = rows
        .iter()
        .find(|row| row.name == name)
        .ok_or_else(|| format!("no row is named {name:?}; there are {}", names.join(", ")))?;
    row.run(&runtime, WARM_UP);
    let before = alloc::count();
    row::measured_loop(row, &runtime, iterations);
    let allocated = alloc::count() - before;
    let allocations = allocated.allocations as f64 / iterations as f64;
    writeln!(
        io::stdout(),
        "{name}: {iterations} calls, {allocations:.2} allocations each"
    )?;
    Ok(())
}
