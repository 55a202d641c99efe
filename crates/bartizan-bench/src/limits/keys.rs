//! What a decision costs by the number of clients whose budgets are not full.

use tokio::runtime::Runtime;

use super::addresses::Addresses;
use super::budget::AMPLE;
use super::undecided::Undecided;
use super::{ours, peers};
use crate::BoxError;
use crate::breakers::measure::time;
use crate::breakers::row::{Path, Row};
use crate::breakers::series::Series;
use crate::breakers::through::Through;

/// How many clients there are, and how often they are looked at.
#[derive(Debug)]
pub(super) struct Sizes {
    pub(super) clients: [u32; 5],
    pub(super) rounds: usize,
    /// Decisions in a round, each about the next client.
    pub(super) calls: u64,
}

/// One limiter at a time, since the largest ones have hundreds of megabytes.
pub(super) fn measure(runtime: &Runtime, sizes: &Sizes) -> Result<Series<5>, BoxError> {
    let [mut none, mut told, mut clock, mut governor] = [[0.0; 5]; 4];
    for (place, count) in sizes.clients.into_iter().enumerate() {
        let (from, keys) = (Addresses::shared(count), count as usize);
        let each = |row: Row| each(&row, count, runtime, sizes);
        none[place] = each(row(Undecided(from)))?;
        told[place] = each(row(ours::raw(AMPLE, from, keys)?))?;
        clock[place] = each(row(ours::raw_clock(AMPLE, from, keys)?))?;
        governor[place] = each(row(peers::by_governor(AMPLE, from)?))?;
    }
    Ok(Series {
        title: "clients",
        sizes: sizes.clients,
        rows: vec![
            ("undecided", none),
            ("bartizan_raw", told),
            ("bartizan_raw_clock", clock),
            ("governor", governor),
        ],
    })
}

fn row(through: impl Through) -> Row {
    Row::new("decision", "", Path::Admitted, through)
}

/// After every client has been there once.
fn each(row: &Row, clients: u32, runtime: &Runtime, sizes: &Sizes) -> Result<f64, BoxError> {
    row.run(runtime, clients.into());
    let took = (0..sizes.rounds).map(|_| time(row, runtime, sizes.calls));
    let fastest = took.fold(f64::INFINITY, f64::min);
    row.check(runtime)?;
    Ok(fastest)
}

// === impl Sizes ===

impl Default for Sizes {
    fn default() -> Self {
        Self {
            clients: [1, 1_000, 65_536, 1_000_000, 10_000_000],
            rounds: 10,
            calls: 100_000,
        }
    }
}
