//! What CI holds of limiters and bulkheads: what each row does, and what ours allocate.

use super::addresses::Addresses;
use super::budget::{AMPLE, only};
use super::keys::{self, Sizes};
use super::rows::{self, CLIENTS, Quota};
use super::{PACKAGES, contention, ours};
use crate::alloc::allocations;
use crate::breakers::contention::Effort;
use crate::breakers::gate::assert_names_and_bases;
use crate::breakers::row::{Path, Row};
use crate::options::Rounds;
use crate::report::{LOCK, locked};
use crate::{BoxError, breakers, runtime};

const CALLS: u64 = 1_000;

/// Allocations for the fields of an answer: the text of what is left, and the two parts of the map.
/// That of the quotas is made once. A gate that nobody goes back through unnoticed; lower it with the code.
const FIELDS: u64 = 3;

#[test]
fn every_row_does_what_it_claims_and_its_bases_are_there() -> Result<(), BoxError> {
    assert_names_and_bases(&rows::all(&runtime()?)?);
    for package in PACKAGES {
        assert!(!locked(LOCK, package).is_empty(), "{package}");
    }
    Ok(())
}

/// Two clients with two requests each: that is what makes a limiter of a row, and one that is keyed.
#[test]
fn each_client_has_its_budget_and_no_more() -> Result<(), BoxError> {
    let runtime = runtime()?;
    for row in rows::limiters(Quota::Within, only(2), Addresses::shared(2))? {
        let expected = if row.name == "tower_resilience" { 2 } else { 4 };
        assert_eq!(row.run(&runtime, 10), expected, "{}", row.name);
    }
    Ok(())
}

#[test]
fn a_row_that_does_not_reject_is_found() -> Result<(), BoxError> {
    let runtime = runtime()?;
    let admits = || ours::raw(AMPLE, Addresses::shared(1), 1);
    let claims = Row::new("within", "", Path::Refused, admits()?);
    let error = claims.check(&runtime).unwrap_err().to_string();
    assert!(error.contains("3 were answered"), "{error}");
    Row::new("within", "", Path::Admitted, admits()?).check(&runtime)
}

#[test]
fn our_decisions_and_permits_allocate_nothing() -> Result<(), BoxError> {
    let runtime = runtime()?;
    for row in rows::all(&runtime)? {
        let is_ours = row.name.starts_with("bartizan") || row.name == "bulkhead_raw";
        if is_ours && matches!(row.path, Path::Admitted | Path::Refused) {
            let allocated = allocations(|| row.run(&runtime, CALLS));
            assert_eq!(allocated, 0, "{}: of {CALLS} decisions", row.name);
        }
    }
    Ok(())
}

/// Neither clients that come for the first time, nor more of them than there is room for.
#[test]
fn no_number_of_clients_allocates() -> Result<(), BoxError> {
    let runtime = runtime()?;
    for clients in [1, 1_000, 65_536] {
        for room in [clients as usize, 16] {
            let from = Addresses::shared(clients);
            let row = Row::new("new", "", Path::Admitted, ours::raw(AMPLE, from, room)?);
            let allocated = allocations(|| row.run(&runtime, clients.into()));
            assert_eq!(allocated, 0, "{clients} clients, room for {room}");
        }
    }
    Ok(())
}

/// What our layers allocate besides the request and the answer, which are the service's.
#[test]
fn our_layers_allocate_no_more_than_their_fields() -> Result<(), BoxError> {
    let runtime = runtime()?;
    let rows = rows::all(&runtime)?;
    let of = |name: &str| -> Result<u64, BoxError> {
        let row = rows.iter().find(|row| row.name == name).ok_or("no row")?;
        row.run(&runtime, CALLS);
        Ok(allocations(|| row.run(&runtime, CALLS)))
    };
    let bare = of("bare")?;
    let over = |name| Ok::<_, BoxError>(of(name)?.saturating_sub(bare));
    assert_eq!(over("bartizan_no_fields")?, 0);
    assert_eq!(over("bulkhead")?, 0);
    assert_eq!(over("bartizan")?, FIELDS * CALLS);
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
    let figures = breakers::measure::all(&runtime, &rows, &rounds);
    assert!(figures.iter().all(|it| it.ns > 0.0 && it.median >= it.ns));

    let sizes = Sizes {
        clients: [1, 2, 3, 4, CLIENTS],
        rounds: 1,
        calls: 2,
    };
    let series = keys::measure(&runtime, &sizes)?;
    let mut figures = series.rows.iter().flat_map(|(_, figures)| figures);
    assert!(figures.all(|ns| ns.is_finite() && *ns > 0.0), "{series:?}");

    let effort = Effort {
        rounds: 1,
        calls: 10,
    };
    let contended = contention::measure(&runtime, &effort)?;
    assert!(contended.iter().all(|row| row.one > 0.0 && row.two > 0.0));
    Ok(())
}
