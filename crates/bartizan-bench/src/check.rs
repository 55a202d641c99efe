//! Proof that every row does what its name says: a benchmark of something that is switched off is
//! worse than none.

use std::time::Duration;

use opentelemetry::trace::SpanKind;
use serde_json::Value;
use tokio::runtime::Runtime;
use tracing::level_filters::LevelFilter;

use crate::BoxError;
use crate::alloc;
use crate::exchange;
use crate::measure::now;
use crate::rows::Row;
use crate::sinks::Captured;

/// Requests that are looked at.
const REQUESTS: u64 = 3;
/// How long a background thread may take to deliver what it was given.
const DEADLINE: Duration = Duration::from_secs(5);

/// Sends a few requests through every row and compares what arrived at its sinks, and what it
/// allocated, with what it claims.
pub(crate) fn rows(runtime: &Runtime, rows: &[Row]) -> Result<(), BoxError> {
    let mut floor = 0;
    for row in rows {
        let allocations = check(runtime, row)
            .map_err(|error| format!("row {} does not do what it claims: {error}", row.name))?;
        // Rows that deliver nothing can still be told from rows that are not there.
        if row.name == "bare" {
            floor = allocations;
        } else if allocations <= floor {
            let name = row.name;
            return Err(format!("row {name} allocates no more than the bare router").into());
        }
    }
    Ok(())
}

fn check(runtime: &Runtime, row: &Row) -> Result<u64, BoxError> {
    row.seen.capture(true);
    let allocations = row.enter(|| -> Result<u64, BoxError> {
        let answer = exchange::once(runtime, &row.router)?;
        if answer != exchange::ANSWER {
            return Err(format!("it answered {:?}", String::from_utf8_lossy(&answer)).into());
        }
        let before = alloc::count();
        exchange::send(runtime, &row.router, REQUESTS - 1);
        Ok((alloc::count() - before).allocations)
    })?;
    if LevelFilter::current() != LevelFilter::OFF {
        return Err("its subscriber is still asked after it is gone".into());
    }

    row.pipelines.drain()?;
    row.pipelines.collect_metrics()?;
    let times = |each: bool| if each { REQUESTS } else { 0 };
    let (seen, expected) = (&row.seen, row.expected);
    wait_for("spans", times(expected.span), || seen.spans())?;
    wait_for("lines", times(expected.line), || seen.lines())?;
    wait_for(
        "measurements of the duration",
        times(expected.duration),
        || seen.durations(),
    )?;
    row.seen.capture(false);
    look_at(&row.seen.take_captured())?;
    Ok(allocations)
}

/// Waits for at least `expected` to arrive, then insists on exactly that many.
fn wait_for(what: &str, expected: u64, seen: impl Fn() -> u64) -> Result<(), BoxError> {
    let start = now();
    while seen() < expected && now() - start < DEADLINE {
        std::thread::park_timeout(Duration::from_millis(1));
    }
    match seen() {
        seen if seen == expected => Ok(()),
        seen => Err(format!("{seen} {what} for {REQUESTS} requests, {expected} expected").into()),
    }
}

/// Checks the content: a span of the caller's trace under the route's name, a line that is JSON
/// and says which path was asked for.
fn look_at(captured: &Captured) -> Result<(), BoxError> {
    for span in &captured.spans {
        if span.name != format!("GET {}", exchange::ROUTE)
            || span.trace_id != exchange::TRACE_ID
            || span.kind != SpanKind::Server
            || span.attributes < 5
        {
            return Err(format!("it made {span:?}").into());
        }
    }
    for line in std::str::from_utf8(&captured.text)?.lines() {
        if !line.contains(exchange::PATH) || serde_json::from_str::<Value>(line).is_err() {
            return Err(format!("it wrote {line:?}").into());
        }
    }
    Ok(())
}
