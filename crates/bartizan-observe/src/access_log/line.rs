//! An access record as text.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use opentelemetry::trace::{SpanId, TraceId};

use super::queue::RecordLine;
use super::{AccessRecord, LineKind};
use crate::log_format::LogFormat;
use crate::log_format::text::{
    Quotes, push_escaped, push_hex, push_json, push_millis, push_u64, push_word,
};
use crate::log_format::timestamp::{Precision, Timestamps};
use crate::log_format::{push_baggage_json, push_baggage_words, push_level};

/// Appends the line, line feed included.
pub(super) fn push(
    out: &mut Vec<u8>,
    stamps: &mut Timestamps,
    format: LogFormat,
    line: RecordLine<'_>,
) {
    match format {
        LogFormat::Json => json(out, stamps, line),
        LogFormat::Human | LogFormat::HumanColour => human(out, stamps, format, line),
    }
    out.push(b'\n');
}

fn json(out: &mut Vec<u8>, stamps: &mut Timestamps, line: RecordLine<'_>) {
    let record = line.record;
    out.extend_from_slice(b"{\"timestamp\":\"");
    stamps.push(out, record.timestamp, Precision::Micros);
    out.extend_from_slice(b"\",\"level\":\"");
    out.extend_from_slice(record.level.as_str().as_bytes());
    out.extend_from_slice(b"\",\"message\":\"");
    out.extend_from_slice(record.kind.message().as_bytes());
    out.extend_from_slice(b"\",\"method\":");
    push_json(out, line.method);
    if let Some(route) = &record.route {
        out.extend_from_slice(b",\"route\":");
        push_json(out, route);
    }
    if let Some(path) = line.path {
        out.extend_from_slice(b",\"path\":");
        push_json(out, path);
    }
    if let Some(status) = record.status {
        number(out, b",\"status\":", status.as_u16().into());
    }
    if let Some(duration) = record.to_headers {
        millis(out, b",\"headers_ms\":", duration);
    }
    millis(out, b",\"duration_ms\":", record.duration);
    if let Some(bytes) = record.request_bytes {
        number(out, b",\"request_bytes\":", bytes);
    }
    number(out, b",\"response_bytes\":", record.response_bytes);
    if has_span(record) {
        out.extend_from_slice(b",\"trace_id\":\"");
        push_hex(out, &record.trace_id.to_bytes());
        out.extend_from_slice(b"\",\"span_id\":\"");
        push_hex(out, &record.span_id.to_bytes());
        out.extend_from_slice(b"\",\"sampled\":");
        out.extend_from_slice(if record.sampled { b"true" } else { b"false" });
    }
    if let Some(id) = &record.request_id {
        out.extend_from_slice(b",\"request_id\":");
        push_json(out, id);
    }
    number(out, b",\"task_id\":", record.task_id.get());
    if let Some(addr) = record.peer {
        out.extend_from_slice(b",\"peer\":\"");
        peer(out, addr);
        out.push(b'"');
    }
    out.extend_from_slice(b",\"outcome\":\"");
    out.extend_from_slice(record.outcome.as_str().as_bytes());
    out.push(b'"');
    if record.slow {
        out.extend_from_slice(b",\"slow\":true");
    }
    push_baggage_json(out, baggage(record));
    out.push(b'}');
}

fn human(out: &mut Vec<u8>, stamps: &mut Timestamps, format: LogFormat, line: RecordLine<'_>) {
    let record = line.record;
    stamps.push(out, record.timestamp, Precision::Millis);
    push_level(out, record.level.as_str(), format);
    if record.kind == LineKind::Stream {
        out.extend_from_slice(b"stream closed ");
    }
    push_word(out, line.method);
    out.push(b' ');
    push_word(out, record.route.as_deref().unwrap_or("-"));
    if let Some(path) = line.path {
        out.extend_from_slice(b" (");
        push_escaped(out, path, Quotes::Keep);
        out.push(b')');
    }
    match record.status {
        Some(status) => number(out, b" ", status.as_u16().into()),
        None => out.extend_from_slice(b" -"),
    }
    millis(out, b" ", record.duration);
    out.extend_from_slice(b"ms");
    if let Some(duration) = record.to_headers.filter(|took| *took != record.duration) {
        millis(out, b" headers=", duration);
        out.extend_from_slice(b"ms");
    }
    if let Some(bytes) = record.request_bytes.filter(|bytes| *bytes > 0) {
        number(out, b" in=", bytes);
    }
    if record.response_bytes > 0 {
        number(out, b" out=", record.response_bytes);
    }
    if has_span(record) {
        out.extend_from_slice(b" trace=");
        push_hex(out, &record.trace_id.to_bytes());
        out.extend_from_slice(b" span=");
        push_hex(out, &record.span_id.to_bytes());
        if !record.sampled {
            out.extend_from_slice(b" unsampled");
        }
    }
    if let Some(id) = &record.request_id {
        out.extend_from_slice(b" req=");
        push_word(out, id);
    }
    number(out, b" task=", record.task_id.get());
    if let Some(addr) = record.peer {
        out.extend_from_slice(b" peer=");
        peer(out, addr);
    }
    push_baggage_words(out, baggage(record));
    out.push(b' ');
    out.extend_from_slice(record.outcome.as_str().as_bytes());
    if record.slow {
        out.extend_from_slice(b" slow");
    }
}

fn baggage(record: &AccessRecord) -> impl Iterator<Item = (&str, &str)> {
    record
        .baggage
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
}

/// Half an identity is none.
pub(super) fn has_span(record: &AccessRecord) -> bool {
    record.trace_id != TraceId::INVALID && record.span_id != SpanId::INVALID
}

fn number(out: &mut Vec<u8>, before: &[u8], number: u64) {
    out.extend_from_slice(before);
    push_u64(out, number);
}

fn millis(out: &mut Vec<u8>, before: &[u8], duration: Duration) {
    out.extend_from_slice(before);
    push_millis(out, duration);
}

/// An IPv4 address mapped into IPv6 is written as IPv4.
fn peer(out: &mut Vec<u8>, peer: SocketAddr) {
    let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
    // A vector takes everything.
    let _ = write!(out, "{peer}");
}
