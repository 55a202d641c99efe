//! Where spans, metrics and log records go.

use std::env::{self, VarError};
use std::io::{IsTerminal, Write, stderr, stdout};

use bartizan_observe::access_log::AccessLog;
pub use bartizan_observe::log_control::{
    ActiveLevels, LogLevels, LogLimit, LogLimitStats, LogLimits,
};
use bartizan_observe::log_format::{LineLayer, LogFormat};
pub use bartizan_observe::telemetry::*;

use crate::Error;
use crate::config::{self, InvalidVar};

/// The variable that chooses how lines look: `json`, `human`, or `auto`, which is `human` on a
/// terminal and `json` elsewhere. Default: `auto`.
pub const LOG_FORMAT_VARIABLE: &str = "BARTIZAN_LOG_FORMAT";

/// Sets everything up from the environment (`OTEL_*`, `RUST_LOG`, [`LOG_FORMAT_VARIABLE`]):
/// [`install`] with what [`TelemetryBuilder::from_env`] reads.
///
/// # Errors
///
/// When a variable has a value that cannot be used, which the error names, or a `tracing`
/// subscriber is set already.
pub fn from_env() -> Result<Telemetry, Error> {
    install(TelemetryBuilder::from_env()?)
}

/// Builds the telemetry and makes it the process's: the pipelines, OpenTelemetry's globals, the
/// `tracing` subscriber, and an access log in the format of [`LOG_FORMAT_VARIABLE`].
///
/// Lines go to standard output, access lines and `tracing` events alike. What is on is told at the
/// start: on a terminal as a screen on standard error, elsewhere as an event.
///
/// # Errors
///
/// When the variable or the builder has a value that cannot be used, which the error names, or a
/// `tracing` subscriber is set already.
///
/// ```no_run
/// use bartizan::telemetry::{self, TelemetryBuilder};
///
/// // As `from_env`, with an exposition for the admin port's `/metrics` whatever the environment says.
/// let telemetry = telemetry::install(TelemetryBuilder::from_env()?.with_exposition())?;
/// # let _ = telemetry;
/// # Ok::<(), bartizan::Error>(())
/// ```
pub fn install(builder: TelemetryBuilder) -> Result<Telemetry, Error> {
    let format = log_format_from_env()?;
    let telemetry = builder
        .with_access_log(AccessLog::builder().with_format(format))
        .build()?;
    telemetry.install_global();
    if let Some(log) = telemetry.access_log() {
        telemetry.install_subscriber(LineLayer::new(format, log.line_writer()))?;
    }
    announce(&telemetry, stderr().is_terminal());
    Ok(telemetry)
}

/// Says what is on: as a screen to people, and as an event where only machines read.
fn announce(telemetry: &Telemetry, to_people: bool) {
    let overview = telemetry.overview();
    if to_people {
        // Who closed the error output does not want to know.
        let _ = write!(stderr(), "{overview}");
        return;
    }
    let rows: Vec<_> = overview
        .rows
        .iter()
        .map(|(name, text)| format!("{name}: {text}"))
        .collect();
    tracing::info!(service = overview.service, "{}", rows.join("; "));
    for hint in &overview.hints {
        tracing::warn!("{hint}");
    }
}

/// How lines on standard output look, as [`LOG_FORMAT_VARIABLE`] has it.
///
/// # Errors
///
/// When the variable has a value that is none of those.
pub fn log_format_from_env() -> Result<LogFormat, InvalidVar> {
    log_format(env::var, stdout().is_terminal())
}

fn log_format(
    source: impl FnOnce(&'static str) -> Result<String, VarError>,
    is_terminal: bool,
) -> Result<LogFormat, InvalidVar> {
    const EXPECTED: &str = "json, human or auto";
    config::var(source, LOG_FORMAT_VARIABLE, "auto", EXPECTED, |text| {
        Some(match text {
            "json" => LogFormat::Json,
            "human" => LogFormat::Human,
            "auto" if is_terminal => LogFormat::HumanColour,
            "auto" => LogFormat::Json,
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_follows_the_variable_and_else_the_terminal() {
        for (asked, is_terminal, expected) in [
            (None, true, LogFormat::HumanColour),
            (None, false, LogFormat::Json),
            (Some("auto"), false, LogFormat::Json),
            (Some("json"), true, LogFormat::Json),
            (Some("human"), false, LogFormat::Human),
        ] {
            let source = |_| asked.map(str::to_owned).ok_or(VarError::NotPresent);
            let format = log_format(source, is_terminal);
            assert_eq!(format, Ok(expected), "{asked:?}");
        }
        let error = log_format(|_| Ok("xml".to_owned()), false).unwrap_err();
        assert_eq!(
            error.to_string(),
            "BARTIZAN_LOG_FORMAT: `xml` is not json, human or auto"
        );
    }
}
