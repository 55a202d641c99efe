//! What CI holds of the table: allocations, which are the same on every machine.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::runtime::Runtime;

use crate::rows::Row;
use crate::{BASE, BoxError, alloc, check, exchange, rows, runtime};

// Allocations of a request over `bare_layer`. They are what there is today, a gate that nobody goes
// back through unnoticed; the goals are in the README's table. Lower them with the code.
const UNSAMPLED: u64 = 5;
const SAMPLED: u64 = 9;
const FULL: u64 = 9;

/// Requests before those that are counted: tables and caches have grown by then.
const WARM_UP: u64 = 200;

/// Requests that are counted at a time, few enough for every queue.
const REQUESTS: u64 = 100;

/// How often they are. The fewest count: a table that grows does so for one request in many.
const TIMES: usize = 3;

/// Rows set global providers and make `tracing` forget what it knew of its call sites.
fn one_at_a_time() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allocations of a request of a row.
fn allocations(runtime: &Runtime, rows: &[Row], name: &str) -> Result<u64, BoxError> {
    let row = rows.iter().find(|row| row.name == name);
    let row = row.ok_or_else(|| format!("no row is named {name}"))?;
    let mut fewest = u64::MAX;
    row.enter(|| {
        exchange::send(runtime, &row.router, WARM_UP);
        for _ in 0..TIMES {
            row.pipelines.drain()?;
            let before = alloc::count();
            exchange::send(runtime, &row.router, REQUESTS);
            fewest = fewest.min((alloc::count() - before).allocations);
        }
        Ok(fewest.div_ceil(REQUESTS))
    })
}

#[test]
fn every_row_does_what_it_claims() -> Result<(), BoxError> {
    let _turn = one_at_a_time();
    check::rows(&runtime()?, &rows::all()?)
}

#[test]
fn a_request_allocates_no_more_than_it_did() -> Result<(), BoxError> {
    let _turn = one_at_a_time();
    let (runtime, rows) = (runtime()?, rows::all()?);
    let base = allocations(&runtime, &rows, BASE)?;
    for (name, most) in [
        ("bartizan_unsampled", UNSAMPLED),
        ("bartizan_sampled", SAMPLED),
        ("bartizan_full", FULL),
    ] {
        let over = allocations(&runtime, &rows, name)?.saturating_sub(base);
        assert!(
            over <= most,
            "{name}: {over} allocations over {BASE}, at most {most} are let through"
        );
    }
    Ok(())
}
