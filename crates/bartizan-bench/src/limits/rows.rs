//! The rows of the table, in its order: what decides alone, what decides around a service, and the
//! bulkheads. Each is held against what it does besides deciding, with and without a clock reading.

use bartizan_protect::rate_limit::{Answers, DEFAULT_CAPACITY};
use tokio::runtime::Runtime;

use super::addresses::Addresses;
use super::budget::{AMPLE, Budget, only};
use super::undecided::{Clocked, Uncalled, Undecided, bare};
use super::{ours, peers};
use crate::BoxError;
use crate::breakers::row::{Path, Row};
use crate::breakers::through::Through;

/// What becomes of the requests of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quota {
    Within,
    Beyond,
}

/// The clients of a row: as few as are all there in the calls before those that are measured, since
/// what caches have to do with it is in the table by clients.
pub(super) const CLIENTS: u32 = 100;

/// Every row, checked to do what it claims.
pub(super) fn all(runtime: &Runtime) -> Result<Vec<Row>, BoxError> {
    let from = Addresses::shared(CLIENTS);
    let mut rows = bases(from);
    rows.extend(limiters(Quota::Within, AMPLE, from)?);
    let beyond = limiters(Quota::Beyond, only(1), from)?;
    for row in &beyond {
        // The one request that each client has.
        row.run(runtime, CLIENTS.into());
    }
    rows.extend(beyond);
    rows.extend(bulkheads(from)?);
    rows.iter().try_for_each(|row| row.check(runtime))?;
    Ok(rows)
}

/// All limiters, with a budget that requests are within or beyond.
pub(super) fn limiters(
    quota: Quota,
    budget: Budget,
    from: Addresses,
) -> Result<Vec<Row>, BoxError> {
    let keys = DEFAULT_CAPACITY;
    let fields = |answers| ours::layered(budget, from, answers);
    Ok(vec![
        quota.decides(
            ["bartizan_raw", "bartizan_raw_beyond"],
            "told the time",
            ours::raw(budget, from, keys)?,
        ),
        quota.decides(
            ["bartizan_raw_clock", "bartizan_raw_clock_beyond"],
            "reads the clock",
            ours::raw_clock(budget, from, keys)?,
        ),
        quota.decides(
            ["governor", "governor_beyond"],
            "system's clock, no bound on keys",
            peers::by_governor(budget, from)?,
        ),
        quota.layers(
            ["bartizan", "bartizan_beyond"],
            "layer, with fields",
            fields(Answers::All)?,
        ),
        quota.layers(
            ["bartizan_no_fields", "bartizan_no_fields_beyond"],
            "layer",
            fields(Answers::None)?,
        ),
        quota.layers(
            ["bartizan_shared", "bartizan_shared_beyond"],
            "layer, with fields, leases of a store",
            ours::shared(budget, from, Answers::All)?,
        ),
        quota.layers(
            [
                "bartizan_shared_no_fields",
                "bartizan_shared_no_fields_beyond",
            ],
            "layer, leases of a store",
            ours::shared(budget, from, Answers::None)?,
        ),
        quota.layers(
            ["tower_governor_fields", "tower_governor_fields_beyond"],
            "layer, with fields",
            peers::tower_governor_fields(budget, from)?,
        ),
        quota.layers(
            ["tower_governor", "tower_governor_beyond"],
            "layer",
            peers::tower_governor(budget, from)?,
        ),
        quota.layers(
            ["axum_governor", "axum_governor_beyond"],
            "layer, with fields",
            peers::axum_governor(budget, from)?,
        ),
        quota.layers(
            ["tower_resilience", "tower_resilience_beyond"],
            "layer, one budget for all",
            peers::tower_resilience(budget, from)?,
        ),
    ])
}

fn bases(from: Addresses) -> Vec<Row> {
    let same = "the same, one clock reading";
    let (decision, call) = (Path::Admitted, Path::Closed);
    let clocked = Clocked(Undecided(from));
    vec![
        Row::new("undecided", "an address", decision, Undecided(from)),
        Row::new("undecided_clock", same, decision, clocked),
        Row::new("bare", "no layer", call, bare(from)),
        Row::new("bare_clock", same, call, Clocked(bare(from))),
        Row::new(
            "uncalled",
            "readied, not called",
            Path::Open,
            Uncalled(from),
        ),
        Row::new("uncalled_clock", same, Path::Open, Clocked(Uncalled(from))),
    ]
}

/// With a place for every call.
fn bulkheads(from: Addresses) -> Result<Vec<Row>, BoxError> {
    Ok(vec![
        Row::new(
            "bulkhead_raw",
            "permit and its end",
            Path::Admitted,
            ours::permits()?,
        ),
        Row::new("bulkhead", "layer", Path::Closed, ours::bulkhead(from)?),
        Row::new(
            "tower_concurrency_limit",
            "layer, reads no clock",
            Path::Closed,
            peers::concurrency_limit(from),
        ),
    ])
}

// === impl Quota ===

impl Quota {
    /// A limiter that is asked, with no service behind it; named for either.
    fn decides(self, names: [&'static str; 2], about: &'static str, by: impl Through) -> Row {
        match self {
            Self::Within => Row::new(names[0], about, Path::Admitted, by),
            Self::Beyond => Row::new(names[1], about, Path::Refused, by),
        }
    }

    /// A limiter around the service.
    fn layers(self, names: [&'static str; 2], about: &'static str, by: impl Through) -> Row {
        match self {
            Self::Within => Row::new(names[0], about, Path::Closed, by),
            Self::Beyond => Row::new(names[1], about, Path::Open, by),
        }
    }
}
