//! The line of a span, an event or a log record.
//!
//! `head` is what stands before it: the lines of the tree.

use super::{bar, text};
use crate::view::{EventView, LogView, SpanView, StatusCode, Value};

/// The attributes worth a place, in this order.
const KEY_ATTRIBUTES: [&str; 10] = [
    "http.response.status_code",
    "error.type",
    "bartizan.outcome",
    "http.request.resend_count",
    "db.system.name",
    // Before what it says again, since the line is cut at its end.
    "db.query.text",
    "db.namespace",
    "db.operation.name",
    "db.collection.name",
    "db.query.summary",
];

/// Attributes of a log line that are not shown: the ids that it has in common with its span, and
/// what an access line tells about the request, which the span tells too.
const OF_THE_SPAN: [&str; 7] = [
    "bartizan.",
    "client.",
    "http.",
    "network.",
    "server.",
    "url.",
    "user_agent.",
];

/// What all lines of a drawing are drawn to, in columns and nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    pub(super) width: usize,
    pub(super) start: u64,
    pub(super) total: u64,
}

/// Service and name, offset, length and a bar.
pub(super) fn span(span: &SpanView, head: &str, scale: Scale) -> String {
    let offset = span.start_unix_nanos.saturating_sub(scale.start);
    let length = span.end_unix_nanos.saturating_sub(span.start_unix_nanos);
    let duration = match span.end_unix_nanos {
        0 => "open".to_owned(),
        _ => text::duration(length),
    };
    let bar_width = scale.width / 4;
    let label_width = scale.width - bar_width - 20;
    let mark = if span.status == StatusCode::Error {
        "✗ "
    } else {
        ""
    };
    let label = format!("{head}{mark}{}  {}", span.service(), span.name);
    let label = text::pad(&text::clean(&label, label_width), label_width);
    let bar = bar::draw(offset, length, scale.total, bar_width);
    let line = format!(
        "{label} {:>9} {duration:>8} {bar}",
        format!("+{}", text::duration(offset))
    );
    text::clean(line.trim_end(), scale.width)
}

/// Why it failed, and the attributes worth a place; `None` where there is nothing to say.
pub(super) fn details(span: &SpanView, head: &str, scale: Scale) -> Option<String> {
    let status = Some(&span.status_message)
        .filter(|message| !message.is_empty())
        .map(|message| format!("status={message}"));
    let attributes = KEY_ATTRIBUTES.into_iter().filter_map(|key| {
        let value = span.attributes.get(key)?;
        Some(format!("{key}={value}"))
    });
    let parts: Vec<_> = status.into_iter().chain(attributes).collect();
    (!parts.is_empty()).then(|| text::clean(&format!("{head}{}", parts.join(" ")), scale.width))
}

/// An event with its attributes.
pub(super) fn event(event: &EventView, head: &str, scale: Scale) -> String {
    let attributes: Vec<_> = event
        .attributes
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let what = format!("EVENT {} {}", event.name, attributes.join(" "));
    note(head, event.unix_nanos, &what, scale)
}

/// A log record with its level.
pub(super) fn log(log: &LogView, head: &str, scale: Scale) -> String {
    let body = match &log.body {
        Value::Null => log.event_name.clone(),
        body => body.to_string(),
    };
    let mut what = format!("{:<5} {body}", log.level());
    for (key, value) in &log.attributes {
        if !OF_THE_SPAN.iter().any(|prefix| key.starts_with(prefix)) {
            what.push_str(&format!(" {key}={value}"));
        }
    }
    note(head, log.unix_nanos, &what, scale)
}

fn note(head: &str, unix_nanos: u64, what: &str, scale: Scale) -> String {
    let at = text::signed(unix_nanos, scale.start);
    let line = text::clean(&format!("{head}{at} {what}"), scale.width);
    line.trim_end().to_owned()
}
