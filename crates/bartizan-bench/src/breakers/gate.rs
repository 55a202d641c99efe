//! What CI holds of the breakers: what each row does, and what ours allocate, which is nothing.

use std::collections::BTreeSet;

use super::contention::{self, Effort};
use super::measure::{self, bases};
use super::row::{Path, Row};
use super::series::{self, Sizes};
use super::through::{Layered, trip};
use super::upstream::Upstream;
use super::{ours, rows};
use crate::alloc::allocations;
use crate::options::Rounds;
use crate::{BoxError, runtime};

/// Calls before those that are counted: a circuit of a new key is made by the first.
const WARM_UP: u64 = 200;

const CALLS: u64 = 1_000;

pub(crate) fn assert_names_and_bases(rows: &[Row]) {
    let names: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), rows.len(), "two rows have one name");
    for row in rows {
        assert!(bases(rows, row.path).is_some(), "{}", row.name);
    }
}

#[test]
fn every_row_does_what_it_claims_and_its_bases_are_there() -> Result<(), BoxError> {
    let rows = rows::all(&runtime()?)?;
    assert_names_and_bases(&rows);
    for path in [Path::Closed, Path::Open] {
        for who in ["bartizan", "tower_resilience", "recloser", "failsafe"] {
            let mut of = rows.iter().filter(|row| row.path == path);
            assert!(of.any(|row| row.name.starts_with(who)), "{who}, {path:?}");
        }
    }
    Ok(())
}

#[test]
fn a_row_that_does_not_do_what_it_claims_is_found() -> Result<(), BoxError> {
    let runtime = runtime()?;
    let never_opens = Layered(Upstream);
    assert!(trip(&runtime, &never_opens).is_err());
    let claims = Row::new("closed", "", Path::Open, never_opens);
    let error = claims.check(&runtime).unwrap_err().to_string();
    assert!(error.contains("3 came to the service"), "{error}");

    let opens = ours::layered(ours::count(100))?;
    trip(&runtime, &opens)?;
    let claims = Row::new("open", "", Path::Closed, opens);
    let error = claims.check(&runtime).unwrap_err().to_string();
    assert!(error.contains("0 came to the service"), "{error}");
    Ok(())
}

/// Neither a call that passes nor a rejection, before anybody makes a response of it.
#[test]
fn our_breaker_allocates_nothing() -> Result<(), BoxError> {
    let runtime = runtime()?;
    for row in rows::all(&runtime)? {
        if !row.name.starts_with("bartizan") {
            continue;
        }
        row.run(&runtime, WARM_UP);
        let allocated = allocations(|| row.run(&runtime, CALLS));
        assert_eq!(allocated, 0, "{}: of {CALLS} calls", row.name);
    }
    Ok(())
}

/// The same with full windows of every size.
#[test]
fn no_window_allocates() -> Result<(), BoxError> {
    let runtime = runtime()?;
    for length in Sizes::default().lengths {
        let through = ours::layered(ours::slow(ours::count(length)))?;
        let row = Row::new("window", "", Path::Closed, through);
        row.run(&runtime, u64::from(length) + WARM_UP);
        let allocated = allocations(|| row.run(&runtime, CALLS));
        assert_eq!(allocated, 0, "{length}");
    }
    Ok(())
}

#[test]
fn every_table_has_a_figure_in_each_place() -> Result<(), BoxError> {
    let runtime = runtime()?;
    let rounds = Rounds {
        count: 2,
        requests: 5,
        warm_up: 2,
    };
    let rows = rows::all(&runtime)?;
    let figures = measure::all(&runtime, &rows, &rounds);
    assert_eq!(figures.len(), rows.len());
    assert!(figures.iter().all(|it| it.ns > 0.0 && it.median >= it.ns));
    let boxed = rows.iter().position(|row| row.name == "tower_resilience");
    assert!(boxed.is_some_and(|at| figures[at].allocations >= 1.0));

    let sizes = Sizes {
        traffic: [1, 2, 3],
        lengths: [10, 11, 12],
        rounds: 1,
        calls: 2,
    };
    for series in series::measure(&runtime, &sizes)? {
        let mut figures = series.rows.iter().flat_map(|(_, figures)| figures);
        assert!(figures.all(|ns| ns.is_finite() && *ns > 0.0), "{series:?}");
    }
    let effort = Effort {
        rounds: 1,
        calls: 10,
    };
    let contended = contention::measure(&runtime, &effort)?;
    assert!(contended.iter().all(|row| row.one > 0.0 && row.two > 0.0));
    Ok(())
}
