//! How much is kept, and in what portions it goes out.

use std::num::NonZeroUsize;

use super::super::config::BatchConfig;
use super::super::error::TelemetryError;
use super::super::limits::Limits;
use super::vars::Vars;

pub(super) fn limits(vars: &Vars<'_>) -> Result<Limits, TelemetryError> {
    let mut limits = Limits::default();
    // The general ones first, then what each signal has of its own.
    if let Some(most) = vars.limit("OTEL_ATTRIBUTE_COUNT_LIMIT")? {
        (limits.span_attributes, limits.log_attributes) = (most, most);
    }
    if let Some(length) = vars.limit("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT")? {
        limits = limits.with_value_length(length);
    }
    let own = |name: &str, place: &mut u32| {
        vars.limit(name)
            .map(|limit| *place = limit.unwrap_or(*place))
    };
    own(
        "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
        &mut limits.span_attributes,
    )?;
    own("OTEL_SPAN_EVENT_COUNT_LIMIT", &mut limits.span_events)?;
    own("OTEL_SPAN_LINK_COUNT_LIMIT", &mut limits.span_links)?;
    own(
        "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
        &mut limits.event_attributes,
    )?;
    own(
        "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
        &mut limits.link_attributes,
    )?;
    own(
        "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
        &mut limits.log_attributes,
    )?;
    let length = vars.limit("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT")?;
    limits.span_value_length = length.or(limits.span_value_length);
    let length = vars.limit("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT")?;
    limits.log_value_length = length.or(limits.log_value_length);
    Ok(limits)
}

pub(super) fn batch(
    vars: &Vars<'_>,
    which: &str,
    default: BatchConfig,
) -> Result<BatchConfig, TelemetryError> {
    let name = |setting: &str| format!("OTEL_{which}_{setting}");
    let mut batch = default;
    if let Some(delay) = vars.millis(&name("SCHEDULE_DELAY"))? {
        batch.delay = delay;
    }
    if let Some(timeout) = vars.millis(&name("EXPORT_TIMEOUT"))? {
        batch.export_timeout = timeout;
    }
    if let Some(items) = vars.items(&name("MAX_QUEUE_SIZE"))? {
        batch.max_queue = items;
    }
    if let Some(items) = vars.items(&name("MAX_EXPORT_BATCH_SIZE"))? {
        batch.max_batch = items;
    }
    if let Some(bytes) = vars.parse(QUEUE_MAX_BYTES, "a positive number of bytes", bytes)? {
        batch.max_queue_bytes = bytes.get();
    }
    Ok(batch)
}

/// No specification's, and for each of spans and log records.
const QUEUE_MAX_BYTES: &str = "BARTIZAN_TELEMETRY_QUEUE_MAX_BYTES";

fn bytes(text: &str) -> Option<NonZeroUsize> {
    text.parse().ok()
}
