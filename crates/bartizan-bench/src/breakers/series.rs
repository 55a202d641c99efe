//! What a call costs by the calls that a window holds: of a window by time with the traffic, of one
//! by number with its length.

use std::time::Duration;

use tokio::runtime::Runtime;

use super::measure::time;
use super::ours;
use super::peers;
use super::row::{Path, Row};
use super::through::Through;
use crate::BoxError;

/// How large the windows are, and how often they are looked at.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Calls within a window by time.
    pub(crate) traffic: [u32; 3],
    /// Lengths of a window by number.
    pub(crate) lengths: [u32; 3],
    pub(crate) rounds: usize,
    /// Calls in a round, few enough that a window by time does not grow much by them.
    pub(crate) calls: u64,
}

/// One table: its rows are named, and have a figure for each size.
#[derive(Debug)]
pub(crate) struct Series<const N: usize> {
    pub(crate) title: &'static str,
    pub(crate) sizes: [u32; N],
    pub(crate) rows: Vec<(&'static str, [f64; N])>,
}

/// Longer than any run, so that everything stays in the window.
const LONG: Duration = Duration::from_secs(60 * 60);

pub(crate) fn measure(runtime: &Runtime, sizes: &Sizes) -> Result<[Series<3>; 2], BoxError> {
    let each = |size: u32, row: Row| -> Result<f64, BoxError> {
        row.check(runtime)?;
        row.run(runtime, size.into());
        let took = (0..sizes.rounds).map(|_| time(&row, runtime, sizes.calls));
        Ok(took.fold(f64::INFINITY, f64::min))
    };
    let [mut ours_time, mut theirs_time] = [[0.0; 3]; 2];
    for (place, size) in sizes.traffic.into_iter().enumerate() {
        let config = ours::slow(ours::time(LONG));
        ours_time[place] = each(size, row("bartizan", ours::layered(config)?))?;
        let theirs = peers::tower_resilience_time(LONG)?;
        theirs_time[place] = each(size, row("tower_resilience", theirs))?;
    }
    let [mut ours_count, mut theirs_count, mut recloser] = [[0.0; 3]; 3];
    for (place, size) in sizes.lengths.into_iter().enumerate() {
        let config = ours::slow(ours::count(size));
        ours_count[place] = each(size, row("bartizan", ours::layered(config)?))?;
        let theirs = peers::tower_resilience_count(size as usize)?;
        theirs_count[place] = each(size, row("tower_resilience", theirs))?;
        recloser[place] = each(size, row("recloser", peers::recloser(size as usize)))?;
    }
    Ok([
        Series {
            title: "calls in the window, by time",
            sizes: sizes.traffic,
            rows: vec![("bartizan", ours_time), ("tower_resilience", theirs_time)],
        },
        Series {
            title: "length of the window, by number, full",
            sizes: sizes.lengths,
            rows: vec![
                ("bartizan", ours_count),
                ("tower_resilience", theirs_count),
                ("recloser", recloser),
            ],
        },
    ])
}

fn row(name: &'static str, through: impl Through) -> Row {
    Row::new(name, "", Path::Closed, through)
}

// === impl Sizes ===

impl Default for Sizes {
    fn default() -> Self {
        Self {
            traffic: [1_000, 10_000, 100_000],
            lengths: [100, 10_000, 65_536],
            rounds: 10,
            calls: 50,
        }
    }
}
