use tracing_subscriber::EnvFilter;

use crate::telemetry::TelemetryError;

/// Reads what `name` has for its value. Directives are those of `RUST_LOG`, on all of which
/// [`EnvFilter`] has the last word.
pub(crate) fn parse(name: &str, directives: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder().parse(directives).map_err(|error| {
        let expected = format!("a list of directives like info,my_crate=debug: {error}");
        TelemetryError::invalid(name, directives, expected)
    })
}
