use opentelemetry::KeyValue;

use super::super::error::TelemetryError;
use super::vars::{Vars, pairs};

/// The service's name, if it has a variable of its own, and the resource attributes.
pub(super) fn read(vars: &Vars<'_>) -> Result<(Option<String>, Vec<KeyValue>), TelemetryError> {
    let attributes = vars
        .parse(
            "OTEL_RESOURCE_ATTRIBUTES",
            "a list key=value,key=value, percent-encoded",
            pairs,
        )?
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| KeyValue::new(key, value))
        .collect();
    Ok((vars.get("OTEL_SERVICE_NAME"), attributes))
}
