//! What Bartizan costs per request, beside its peers: one table from one run.
//!
//! `cargo run --release -p bartizan-bench -- --help` says what there is.

mod alloc;
mod breakers;
mod check;
mod collectors;
mod exchange;
#[cfg(test)]
mod gate;
mod limits;
mod measure;
mod options;
mod report;
mod rows;
mod sinks;

use std::io::{self, Write};

use tokio::runtime::{Builder, Runtime};

use crate::options::{Command, Rounds};
use crate::report::Report;
use crate::rows::Row;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The row that the others are compared with: any layer at all costs this much on axum.
const BASE: &str = "bare_layer";

/// Requests before the ones that a profiler sees.
const WARM_UP: u64 = 100;

fn main() -> Result<(), BoxError> {
    match options::parse(std::env::args().skip(1))? {
        Command::Help => Ok(io::stdout().write_all(options::HELP.as_bytes())?),
        Command::Table {
            filter,
            rounds,
            json,
        } => table(filter.as_deref(), &rounds, json),
        Command::Row { name, iterations } => one_row(&name, iterations),
        Command::Collectors { rounds, json } => collectors::run(&rounds, json),
        Command::Breakers {
            rounds,
            json,
            instructions,
        } => breakers::run(&rounds, json, instructions),
        Command::Breaker { name, iterations } => breakers::one(&name, iterations),
        Command::Limits {
            rounds,
            json,
            instructions,
        } => limits::run(&rounds, json, instructions),
        Command::Limit { name, iterations } => limits::one(&name, iterations),
    }
}

fn table(filter: Option<&str>, rounds: &Rounds, json: bool) -> Result<(), BoxError> {
    let runtime = runtime()?;
    let mut rows = rows::all()?;
    check::rows(&runtime, &rows)?;
    rows.retain(|row| row.name == BASE || filter.is_none_or(|text| row.name.contains(text)));

    let figures = measure::all(&runtime, &rows, rounds)?;
    let report = Report {
        rows: &rows,
        figures: &figures,
        rounds,
    };
    let mut out = io::stdout().lock();
    report.write_table(&mut out)?;
    if json {
        report.write_json(&mut out)?;
    }
    Ok(())
}

/// Runs one row for a profiler.
fn one_row(name: &str, iterations: u64) -> Result<(), BoxError> {
    let runtime = runtime()?;
    let rows = rows::all()?;
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    let row: &Row = rows
        .iter()
        .find(|row| row.name == name)
        .ok_or_else(|| format!("no row is named {name:?}; there are {}", names.join(", ")))?;
    check::rows(&runtime, &rows)?;

    let allocated = row.enter(|| {
        exchange::send(&runtime, &row.router, WARM_UP);
        let before = alloc::count();
        exchange::measured_loop(&runtime, &row.router, iterations);
        alloc::count() - before
    });
    row.pipelines.drain()?;
    let allocations = allocated.allocations as f64 / iterations as f64;
    writeln!(
        io::stdout(),
        "{name}: {iterations} requests, {allocations:.2} allocations each"
    )?;
    Ok(())
}

/// One thread, so that the calling thread does all the work of a request.
fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_time().build()
}
