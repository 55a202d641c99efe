//! Rounds over all rows, and what they say of a call.

use tokio::runtime::Runtime;

use super::row::{Path, Row, measured_loop};
use crate::alloc;
use crate::measure::now;
use crate::options::Rounds;

/// What a call costs.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Figures {
    /// In the fastest round.
    pub(crate) ns: f64,
    /// In the median round.
    pub(crate) median: f64,
    pub(crate) allocations: f64,
}

/// Measures all rows, one round of each after the other, each round from the next row on.
pub(crate) fn all(runtime: &Runtime, rows: &[Row], rounds: &Rounds) -> Vec<Figures> {
    let mut took = vec![Vec::new(); rows.len()];
    let mut allocated = vec![u64::MAX; rows.len()];
    for round in 0..rounds.count {
        for turn in 0..rows.len() {
            let index = (round + turn) % rows.len();
            let row = &rows[index];
            row.run(runtime, rounds.warm_up);
            let before = alloc::count();
            took[index].push(time(row, runtime, rounds.requests));
            let allocations = (alloc::count() - before).allocations;
            // A table that grows does so once; what each call allocates is in every round.
            allocated[index] = allocated[index].min(allocations);
        }
    }
    let figures = took.iter_mut().zip(allocated).map(|(took, allocated)| {
        took.sort_by(f64::total_cmp);
        Figures {
            ns: took.first().copied().unwrap_or_default(),
            median: took.get(took.len() / 2).copied().unwrap_or_default(),
            allocations: allocated as f64 / rounds.requests as f64,
        }
    });
    figures.collect()
}

/// Nanoseconds per call, of so many in a row.
pub(crate) fn time(row: &Row, runtime: &Runtime, calls: u64) -> f64 {
    let start = now();
    measured_loop(row, runtime, calls);
    (now() - start).as_nanos() as f64 / calls as f64
}

/// Where the bases of a path are: nothing around the service, and the clock readings alone.
pub(crate) fn bases(rows: &[Row], path: Path) -> Option<[usize; 2]> {
    let names = match path {
        Path::Closed => ["bare", "bare_clock"],
        Path::Open => ["uncalled", "uncalled_clock"],
        Path::Admitted | Path::Refused => ["undecided", "undecided_clock"],
    };
    let at = |name| rows.iter().position(|row| row.name == name);
    Some([at(names[0])?, at(names[1])?])
}
