//! What was found, step by step.

use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::text::without_credentials;

/// All steps so far.
#[derive(Debug)]
pub(super) struct Report {
    steps: Vec<Step>,
    form: Form,
}

/// How it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Each step as soon as it is over.
    Lines,
    /// One JSON object at the end.
    Json,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    name: String,
    status: Status,
    detail: String,
    /// What to do about it.
    fix: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Fail,
    Skipped,
}

#[derive(Serialize)]
struct Whole<'a> {
    ok: bool,
    steps: &'a [Step],
}

// === impl Step ===

impl Step {
    pub(super) fn ok(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Ok, &detail.into(), None)
    }

    pub(super) fn skipped(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(name, Status::Skipped, &detail.into(), None)
    }

    pub(super) fn failed(
        name: impl Into<String>,
        detail: impl Into<String>,
        fix: impl Into<String>,
    ) -> Self {
        Self::new(name, Status::Fail, &detail.into(), Some(fix.into()))
    }

    fn new(name: impl Into<String>, status: Status, detail: &str, fix: Option<String>) -> Self {
        Self {
            name: name.into(),
            status,
            detail: without_credentials(detail),
            fix,
        }
    }

    pub(super) fn is_ok(&self) -> bool {
        self.status == Status::Ok
    }
}

// === impl Report ===

impl Report {
    pub(super) const fn new(form: Form) -> Self {
        Self {
            steps: Vec::new(),
            form,
        }
    }

    /// Adds a step, and says whether it was well.
    pub(super) fn add(&mut self, step: Step) -> io::Result<bool> {
        if self.form == Form::Lines {
            writeln!(io::stdout(), "{step}")?;
        }
        let is_ok = step.is_ok();
        self.steps.push(step);
        Ok(is_ok)
    }

    /// Tells the whole, and says whether nothing has failed.
    pub(super) fn close(&self) -> io::Result<bool> {
        let count = |status| {
            self.steps
                .iter()
                .filter(|step| step.status == status)
                .count()
        };
        let failed = count(Status::Fail);
        match self.form {
            Form::Lines => writeln!(
                io::stdout(),
                "{} ok, {failed} failed, {} skipped",
                count(Status::Ok),
                count(Status::Skipped)
            )?,
            Form::Json => {
                let whole = Whole {
                    ok: failed == 0,
                    steps: &self.steps,
                };
                writeln!(io::stdout(), "{}", serde_json::to_string(&whole)?)?;
            }
        }
        Ok(failed == 0)
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.status {
            Status::Ok => "ok",
            Status::Fail => "FAIL",
            Status::Skipped => "skipped",
        };
        write!(f, "{status:<8} {:<24} {}", self.name, self.detail)?;
        match &self.fix {
            Some(fix) => write!(f, "\n{:>8} {fix}", "fix:"),
            None => Ok(()),
        }
    }
}
