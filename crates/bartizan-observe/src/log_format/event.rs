//! One event as a line.

use bartizan_task::Task;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context as OtelContext, StringValue};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::LogFormat;
use super::fields::{Fields, Message, SpanFields, Style};
use super::text::{Quotes, push_hex, push_json, push_u64, push_word};
use crate::log_control::suppressed;

/// What the line takes from the current context.
#[derive(Default)]
pub(super) struct Current {
    span: Option<SpanIds>,
    baggage: Vec<(Box<str>, StringValue)>,
}

/// The current span's ids and baggage are copied out: inside `map_current` no span may be started
/// or dropped, and printing a field could do either.
pub(super) fn current(has_context: bool, baggage: &[Box<str>]) -> Current {
    if !has_context {
        return Current::default();
    }
    OtelContext::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        let entry = |key: &str| Some((key.into(), context.baggage().get(key)?.clone()));
        Current {
            span: span.is_valid().then(|| SpanIds::of(span)),
            baggage: baggage.iter().filter_map(|key| entry(key)).collect(),
        }
    })
}

impl Current {
    fn baggage(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.baggage.iter();
        entries.map(|(key, value)| (&**key, value.as_str()))
    }

    #[cfg(test)]
    pub(super) const fn is_empty(&self) -> bool {
        self.span.is_none() && self.baggage.is_empty()
    }
}

struct SpanIds {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    sampled: bool,
}

impl SpanIds {
    fn of(span: &SpanContext) -> Self {
        Self {
            trace_id: span.trace_id().to_bytes(),
            span_id: span.span_id().to_bytes(),
            sampled: span.is_sampled(),
        }
    }
}

/// Everything behind the timestamp's text.
pub(super) fn json<S>(out: &mut Vec<u8>, event: &Event<'_>, current: &Current, ctx: &Context<'_, S>)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let metadata = event.metadata();
    out.extend_from_slice(b"\",\"level\":\"");
    out.extend_from_slice(level_name(*metadata.level()).as_bytes());
    out.extend_from_slice(b"\",\"target\":");
    push_json(out, metadata.target());
    let before = b",\"message\":\"";
    let mut message = Message {
        out,
        quotes: Quotes::Escape,
        before,
        found: false,
    };
    event.record(&mut message);
    if message.found {
        out.push(b'"');
    }
    if let Some(span) = &current.span {
        out.extend_from_slice(b",\"trace_id\":\"");
        push_hex(out, &span.trace_id);
        out.extend_from_slice(b"\",\"span_id\":\"");
        push_hex(out, &span.span_id);
        out.extend_from_slice(if span.sampled {
            b"\",\"sampled\":true".as_slice()
        } else {
            b"\",\"sampled\":false"
        });
    }
    Task::with_current(|task| {
        let Some(task) = task else { return };
        if let Some(id) = task.request_id() {
            out.extend_from_slice(b",\"request_id\":");
            push_json(out, id);
        }
        out.extend_from_slice(b",\"task_id\":");
        push_u64(out, task.id().get());
    });
    push_baggage_json(out, current.baggage());
    let suppressed = suppressed();
    if suppressed > 0 {
        out.extend_from_slice(b",\"suppressed\":");
        push_u64(out, suppressed);
    }
    let mut fields = Fields::new(out, Style::Json);
    event.record(&mut fields);
    fields.end();
    let mut before: &[u8] = b",\"spans\":[{\"name\":";
    for span in spans(ctx, event) {
        out.extend_from_slice(before);
        before = b",{\"name\":";
        push_json(out, span.name());
        if let Some(fields) = span.extensions().get::<SpanFields>() {
            fields.write(out, Style::Json);
        }
        out.push(b'}');
    }
    if before.starts_with(b",{") {
        out.push(b']');
    }
    out.push(b'}');
}

/// The spans that the event is in, the outermost first.
fn spans<'a, S>(ctx: &'a Context<'_, S>, event: &Event<'_>) -> impl Iterator<Item = SpanRef<'a, S>>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
{
    let scope = ctx.event_scope(event).into_iter();
    scope.flat_map(|scope| scope.from_root())
}

/// Everything behind the level.
pub(super) fn human<S>(
    out: &mut Vec<u8>,
    event: &Event<'_>,
    current: &Current,
    ctx: &Context<'_, S>,
) where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    push_word(out, event.metadata().target());
    out.push(b':');
    event.record(&mut Message {
        out,
        quotes: Quotes::Keep,
        before: b" ",
        found: false,
    });
    let mut fields = Fields::new(out, Style::Words);
    event.record(&mut fields);
    fields.end();
    if let Some(span) = &current.span {
        out.extend_from_slice(b" trace=");
        push_hex(out, &span.trace_id);
        out.extend_from_slice(b" span=");
        push_hex(out, &span.span_id);
    }
    Task::with_current(|task| {
        let Some(task) = task else { return };
        if let Some(id) = task.request_id() {
            out.extend_from_slice(b" req=");
            push_word(out, id);
        }
        out.extend_from_slice(b" task=");
        push_u64(out, task.id().get());
    });
    push_baggage_words(out, current.baggage());
    let suppressed = suppressed();
    if suppressed > 0 {
        out.extend_from_slice(b" suppressed=");
        push_u64(out, suppressed);
    }
    let mut before: &[u8] = b" in ";
    for span in spans(ctx, event) {
        out.extend_from_slice(before);
        before = b" > ";
        push_word(out, span.name());
        if let Some(fields) = span.extensions().get::<SpanFields>() {
            let start = out.len();
            fields.write(out, Style::Words);
            // The space in front of the first field becomes the opening brace.
            if let Some(space) = out.get_mut(start) {
                *space = b'{';
                out.push(b'}');
            }
        }
    }
}

/// The level between two spaces, right-aligned, coloured if the format is.
pub(crate) fn push_level(out: &mut Vec<u8>, level: &str, format: LogFormat) {
    out.push(b' ');
    let colour: &[u8] = match (format, level) {
        (LogFormat::HumanColour, "ERROR") => b"\x1b[31m",
        (LogFormat::HumanColour, "WARN") => b"\x1b[33m",
        (LogFormat::HumanColour, "INFO") => b"\x1b[32m",
        (LogFormat::HumanColour, _) => b"\x1b[2m",
        _ => b"",
    };
    out.extend_from_slice(colour);
    out.resize(out.len() + 5_usize.saturating_sub(level.len()), b' ');
    out.extend_from_slice(level.as_bytes());
    if !colour.is_empty() {
        out.extend_from_slice(b"\x1b[0m");
    }
    out.push(b' ');
}

/// `,"baggage":{"key":"value"}`; nothing when there is none.
pub(crate) fn push_baggage_json<'a>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = (&'a str, &'a str)>,
) {
    let mut before: &[u8] = b",\"baggage\":{";
    let mut some = false;
    for (key, value) in entries {
        out.extend_from_slice(before);
        before = b",";
        some = true;
        push_json(out, key);
        out.push(b':');
        push_json(out, value);
    }
    if some {
        out.push(b'}');
    }
}

/// ` baggage.key=value` for each.
pub(crate) fn push_baggage_words<'a>(
    out: &mut Vec<u8>,
    entries: impl Iterator<Item = (&'a str, &'a str)>,
) {
    for (key, value) in entries {
        out.extend_from_slice(b" baggage.");
        push_word(out, key);
        out.push(b'=');
        push_word(out, value);
    }
}

pub(super) const fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}
