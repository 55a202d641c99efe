use std::fmt;
use std::hint::black_box;
use std::io::{self, Write};

use tokio::runtime::Runtime;

use super::through::{Through, send};
use super::upstream::calls;
use crate::{BoxError, alloc};

/// One way to the service, ready to be measured.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What it is, for the table.
    pub(crate) about: &'static str,
    pub(crate) path: Path,
    work: Box<Work>,
}

type Work = dyn Fn(&Runtime, u64) -> u64 + Send + Sync;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Path {
    /// The service is called, and answers.
    Closed,
    /// The service is not called.
    Open,
    /// There is no service, and whoever decides says yes.
    Admitted,
    /// There is no service, and whoever decides says no.
    Refused,
}

/// Calls that a check looks at.
const CHECKED: u64 = 3;

/// Calls before the ones that a profiler sees.
const WARM_UP: u64 = 1_000;

/// Runs the row of that name for a profiler.
pub(crate) fn profile(
    runtime: &Runtime,
    rows: &[Row],
    name: &str,
    iterations: u64,
) -> Result<(), BoxError> {
    let names: Vec<_> = rows.iter().map(|row| row.name).collect();
    let row = rows
        .iter()
        .find(|row| row.name == name)
        .ok_or_else(|| format!("no row is named {name:?}; there are {}", names.join(", ")))?;
    row.run(runtime, WARM_UP);
    let before = alloc::count();
    measured_loop(row, runtime, iterations);
    let allocated = alloc::count() - before;
    let allocations = allocated.allocations as f64 / iterations as f64;
    writeln!(
        io::stdout(),
        "{name}: {iterations} calls, {allocations:.2} allocations each"
    )?;
    Ok(())
}

/// [`Row::run`] under a name that a profiler can be told to look for.
#[inline(never)]
pub(crate) fn measured_loop(row: &Row, runtime: &Runtime, calls: u64) -> u64 {
    black_box(row.run(runtime, black_box(calls)))
}

// === impl Row ===

impl Row {
    pub(crate) fn new(
        name: &'static str,
        about: &'static str,
        path: Path,
        through: impl Through,
    ) -> Self {
        Self {
            name,
            about,
            path,
            // The loop is compiled for each row, so that nothing is called through a pointer in it.
            work: Box::new(move |runtime, count| send(runtime, &through, count)),
        }
    }

    /// Makes so many calls, and says how many were answered.
    pub(crate) fn run(&self, runtime: &Runtime, count: u64) -> u64 {
        (self.work)(runtime, count)
    }

    /// Proof that it does what its path says.
    pub(crate) fn check(&self, runtime: &Runtime) -> Result<(), BoxError> {
        let before = calls();
        let answered = self.run(runtime, CHECKED);
        let called = calls() - before;
        let expected = match self.path {
            Path::Closed => (CHECKED, CHECKED),
            Path::Admitted => (0, CHECKED),
            Path::Open | Path::Refused => (0, 0),
        };
        if (called, answered) == expected {
            return Ok(());
        }
        let name = self.name;
        Err(format!(
            "row {name} does not do what it claims: of {CHECKED} calls {called} came to the \
             service and {answered} were answered, {expected:?} expected"
        )
        .into())
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("name", &self.name)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
