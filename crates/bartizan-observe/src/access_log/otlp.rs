//! An access record as an OTLP log record.

use http::{Method, StatusCode};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, Severity};
use opentelemetry::{Key, StringValue, TraceFlags};
use opentelemetry_sdk::logs::SdkLogger;

use super::line::has_span;
use super::queue::RecordLine;
use super::{Level, LineKind};
use crate::capture::clip;
use crate::method::KnownMethod;
use crate::names::{ACCESS_TARGET, attr};

/// Hands the line to the logger's processors, under the names of the semantic conventions.
///
/// The body is for people: method, route and status.
pub(super) fn emit(logger: &SdkLogger, line: RecordLine<'_>) {
    let record = line.record;
    let severity = severity(record.level);
    if !logger.event_enabled(severity, ACCESS_TARGET, None) {
        return;
    }
    let mut log = logger.create_log_record();
    log.set_target(ACCESS_TARGET);
    log.set_timestamp(record.timestamp);
    log.set_severity_number(severity);
    log.set_severity_text(record.level.as_str());
    log.set_body(body(line).into());
    if has_span(record) {
        let flags = TraceFlags::default().with_sampled(record.sampled);
        log.set_trace_context(record.trace_id, record.span_id, Some(flags));
    }
    add_attributes(&mut log, line);
    logger.emit(log);
}

fn body(line: RecordLine<'_>) -> String {
    let route = line.record.route.as_deref().unwrap_or("-");
    let status = line.record.status.as_ref();
    let status = status.map_or("-", StatusCode::as_str);
    match line.record.kind {
        LineKind::Request => format!("{} {route} {status}", line.method),
        LineKind::Stream => format!("{} {route} {status} stream closed", line.method),
    }
}

fn add_attributes(log: &mut impl LogRecord, line: RecordLine<'_>) {
    let record = line.record;
    let mut add = |key: &'static str, value: AnyValue| log.add_attribute(key, value);
    let method = Method::from_bytes(line.method.as_bytes()).ok();
    if let Some(known) = method
        .as_ref()
        .map(KnownMethod::of)
        .filter(|known| !known.is_other())
    {
        add(attr::HTTP_REQUEST_METHOD, known.as_str().into());
    } else {
        add(attr::HTTP_REQUEST_METHOD, "_OTHER".into());
        add(
            attr::HTTP_REQUEST_METHOD_ORIGINAL,
            clip(line.method).to_owned().into(),
        );
    }
    if let Some(route) = &record.route {
        add(attr::HTTP_ROUTE, StringValue::from(route.clone()).into());
    }
    if let Some(path) = line.path {
        add(attr::URL_PATH, clip(path).to_owned().into());
    }
    if let Some(status) = record.status {
        add(attr::HTTP_RESPONSE_STATUS_CODE, status.as_u16().into());
    }
    if let Some(peer) = record.peer {
        add(
            attr::NETWORK_PEER_ADDRESS,
            peer.ip().to_canonical().to_string().into(),
        );
        add(attr::NETWORK_PEER_PORT, peer.port().into());
    }
    if let Some(duration) = record.to_headers {
        add(attr::TIME_TO_HEADERS, duration.as_secs_f64().into());
    }
    add(attr::DURATION, record.duration.as_secs_f64().into());
    if let Some(bytes) = record.request_bytes {
        add(attr::HTTP_REQUEST_BODY_SIZE, integer(bytes));
    }
    add(
        attr::HTTP_RESPONSE_BODY_SIZE,
        integer(record.response_bytes),
    );
    if let Some(id) = &record.request_id {
        add(attr::REQUEST_ID, id.as_str().to_owned().into());
    }
    add(attr::TASK_ID, integer(record.task_id.get()));
    add(attr::OUTCOME, record.outcome.as_str().into());
    if record.slow {
        add(attr::SLOW, true.into());
    }
    for (key, value) in &record.baggage {
        log.add_attribute(Key::clone(key), value.clone());
    }
}

/// OTLP integers are signed; no count of ours comes near the end of them.
fn integer(number: u64) -> AnyValue {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

const fn severity(level: Level) -> Severity {
    match level {
        Level::Info => Severity::Info,
        Level::Warn => Severity::Warn,
        Level::Error => Severity::Error,
    }
}
