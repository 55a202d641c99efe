use std::fmt;
use std::hint::black_box;

use tokio::runtime::Runtime;

use super::through::{Through, send};
use super::upstream::calls;
use crate::BoxError;

/// One way to the service, ready to be measured.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// What it is, for the table.
    pub(super) about: &'static str,
    pub(super) path: Path,
    work: Box<Work>,
}

type Work = dyn Fn(&Runtime, u64) -> u64 + Send + Sync;

/// What becomes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    /// The service is called, and answers.
    Closed,
    /// The service is not called.
    Open,
}

/// Calls that a check looks at.
const CHECKED: u64 = 3;

/// [`Row::run`] under a name that a profiler can be told to look for.
#[inline(never)]
pub(super) fn measured_loop(row: &Row, runtime: &Runtime, calls: u64) -> u64 {
    black_box(row.run(runtime, black_box(calls)))
}

// === impl Row ===

impl Row {
    pub(super) fn new(
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
    pub(super) fn run(&self, runtime: &Runtime, count: u64) -> u64 {
        (self.work)(runtime, count)
    }

    /// Proof that it does what its path says.
    pub(super) fn check(&self, runtime: &Runtime) -> Result<(), BoxError> {
        let before = calls();
        let answered = self.run(runtime, CHECKED);
        let called = calls() - before;
        let expected = match self.path {
            Path::Closed => CHECKED,
            Path::Open => 0,
        };
        if (answered, called) == (expected, expected) {
            return Ok(());
        }
        let name = self.name;
        Err(format!(
            "row {name} does not do what it claims: of {CHECKED} calls {called} came to the \
             service and {answered} were answered, {expected} expected of both"
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
