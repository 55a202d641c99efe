//! What the environment says, read the way that services read it.

use std::env;

use bartizan::telemetry::{
    OtlpEndpoint, Sampler, Telemetry, TelemetryBuilder, TelemetryError, log_format_from_env,
};

use super::names::{Verdict, verdict};
use super::report::Step;

/// By what name the doctor is known: not by the service's, whose figures it would spoil.
pub(super) const SERVICE: &str = "bartizan-doctor";

const NAME: &str = "environment";

/// What there is to work with.
#[derive(Debug)]
pub(super) struct Environment {
    pub(super) telemetry: Telemetry,
    /// Where the signals go that go anywhere.
    pub(super) endpoints: Vec<OtlpEndpoint>,
}

/// Looks at the variables; there is no environment where they cannot be used at all.
pub(super) fn check() -> (Step, Option<Environment>) {
    let (environment, mut problems, mut notes) = match read() {
        Ok((environment, notes)) => {
            let ignored = environment.telemetry.ignored().iter();
            let problems = ignored
                .map(|why| format!("{why}, so it is ignored"))
                .collect();
            (Some(environment), problems, notes)
        }
        Err(error) => (None, vec![error.to_string()], Vec::new()),
    };
    problems.extend(log_format_from_env().err().map(|error| error.to_string()));
    for (name, _) in env::vars_os() {
        if let Some(name) = name.to_str() {
            look_at(name, &mut problems, &mut notes);
        }
    }
    if problems.is_empty() {
        return (Step::ok(NAME, notes.join("; ")), environment);
    }
    let fix = "correct these variables, or unset them";
    (Step::failed(NAME, problems.join("; "), fix), environment)
}

/// The telemetry, and what is to be said of it.
fn read() -> Result<(Environment, Vec<String>), TelemetryError> {
    let builder = TelemetryBuilder::from_env()?;
    let overview = builder.overview();
    let rows = overview
        .rows
        .iter()
        .map(|(name, text)| format!("{name}: {text}"));
    let notes = std::iter::once(overview.service.clone())
        .chain(rows)
        .chain(overview.hints.iter().cloned())
        .collect();
    // All that it sends has to arrive, and what a service keeps is the service's.
    let builder = builder
        .with_service_name(SERVICE)
        .with_sampler(Sampler::ALWAYS_ON)
        .without_spool();
    let environment = Environment {
        telemetry: builder.build()?,
        endpoints: overview.endpoints,
    };
    Ok((environment, notes))
}

/// Values may be secrets: names alone are told.
fn look_at(name: &str, problems: &mut Vec<String>, notes: &mut Vec<String>) {
    if !name.starts_with("OTEL_") && !name.starts_with("BARTIZAN_") {
        return;
    }
    match verdict(name) {
        Verdict::Known => {}
        Verdict::Slip(meant) => problems.push(format!("{name} is read by nobody: {meant}?")),
        Verdict::Unread => notes.push(format!("{name} is not read by bartizan")),
    }
}
