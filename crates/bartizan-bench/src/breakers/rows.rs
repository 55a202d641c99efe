//! The rows of the table, in its order. Each path has two bases: nothing around the service, and
//! the clock readings alone that the path needs.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::ours;
use super::peers;
use super::row::{Path, Row};
use super::through::{Layered, NotCalled, NotCalledOneReading, Through, TwoReadings, trip};
use super::upstream::Upstream;
use crate::BoxError;

/// The calls in every window by number.
const CALLS: u32 = 100;

/// The length of every window by time.
const WINDOW: Duration = Duration::from_secs(10);

/// Every row, checked to do what it claims.
pub(super) fn all(runtime: &Runtime) -> Result<Vec<Row>, BoxError> {
    let mut rows = closed()?;
    rows.extend(open(runtime)?);
    for row in &rows {
        row.check(runtime)?;
    }
    Ok(rows)
}

fn closed() -> Result<Vec<Row>, BoxError> {
    let (count, time) = (|| ours::count(CALLS), || ours::time(WINDOW));
    let slow = || ours::slow(time());
    Ok(vec![
        of("bare", "no breaker", Layered(Upstream)),
        of("bare_clock", "no breaker, two clock readings", TwoReadings),
        of("bartizan_count", "100 calls", ours::layered(count())?),
        of("bartizan_time", "10 s", ours::layered(time())?),
        of("bartizan_slow", "10 s, slow rate", ours::layered(slow())?),
        of(
            "bartizan_host",
            "10 s, slow rate, a circuit per host",
            ours::by_host(slow())?,
        ),
        of(
            "bartizan_raw",
            "10 s, permit and outcome",
            ours::raw(time())?,
        ),
        of(
            "tower_resilience",
            "100 calls, no slow rate",
            peers::tower_resilience_count(CALLS as usize)?,
        ),
        of("recloser", "100 calls", peers::recloser(CALLS as usize)),
        of(
            "failsafe",
            "moving average of 10 s",
            peers::failsafe_rate(WINDOW),
        ),
    ])
}

fn open(runtime: &Runtime) -> Result<Vec<Row>, BoxError> {
    let time = || ours::slow(ours::time(WINDOW));
    Ok(vec![
        Row::new(
            "uncalled",
            "cloned and readied, not called",
            Path::Open,
            NotCalled,
        ),
        Row::new(
            "uncalled_clock",
            "the same, one clock reading",
            Path::Open,
            NotCalledOneReading,
        ),
        tripped("bartizan_open", "open", runtime, ours::layered(time())?)?,
        tripped(
            "bartizan_host_open",
            "open, a circuit per host",
            runtime,
            ours::by_host(time())?,
        )?,
        tripped(
            "bartizan_raw_open",
            "open, no permit",
            runtime,
            ours::raw(time())?,
        )?,
        tripped(
            "tower_resilience_open",
            "open",
            runtime,
            peers::tower_resilience_count(CALLS as usize)?,
        )?,
        tripped(
            "recloser_open",
            "open",
            runtime,
            peers::recloser(CALLS as usize),
        )?,
        tripped(
            "failsafe_open",
            "open",
            runtime,
            peers::failsafe_consecutive(),
        )?,
    ])
}

fn of(name: &'static str, about: &'static str, through: impl Through) -> Row {
    Row::new(name, about, Path::Closed, through)
}

fn tripped(
    name: &'static str,
    about: &'static str,
    runtime: &Runtime,
    through: impl Through,
) -> Result<Row, BoxError> {
    trip(runtime, &through).map_err(|error| format!("row {name}: {error}"))?;
    Ok(Row::new(name, about, Path::Open, through))
}
