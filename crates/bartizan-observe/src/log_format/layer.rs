use std::cell::RefCell;

use opentelemetry::Context as OtelContext;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;
use super::event::{current, human, json, level_name, push_level};
use super::fields::SpanFields;
use super::timestamp::{Precision, Timestamps};
use crate::Clock;
use crate::access_log::LineWriter;

/// Writes each `tracing` event as one line, with the ids of what it was written for: trace and span
/// from the current OpenTelemetry context, request and task from the current
/// [`Task`](bartizan_task::Task).
///
/// In JSON the event's fields are under `fields` and the enclosing spans, outermost first, under
/// `spans`, so that no field of the application can pose as one of ours. Never blocks: a line that
/// finds the queue full is dropped and counted in
/// [`AccessLogStats::dropped`](crate::access_log::AccessLogStats::dropped).
#[derive(Debug)]
pub struct LineLayer {
    format: LogFormat,
    writer: LineWriter,
    clock: Clock,
    baggage: Vec<Box<str>>,
}

/// Where a thread puts its lines together.
struct Scratch {
    line: Vec<u8>,
    stamps: Timestamps,
    /// Whether the thread's OpenTelemetry context can still be looked at.
    has_context: bool,
}

/// The most memory a thread keeps for its next line; longer lines are rare.
const KEPT_LINE_BYTES: usize = 16 * 1024;

/// The OpenTelemetry API crate warns about contexts while it holds the current one exclusively, and
/// looking at it then would panic.
const CONTEXT_TARGET: &str = "opentelemetry";

thread_local! {
    /// Thread-locals are destroyed in the reverse order of their making, and the OpenTelemetry
    /// context panics when it is used after that; made before the scratch, it outlives it.
    static SCRATCH: RefCell<Scratch> = {
        OtelContext::map_current(|_| ());
        RefCell::new(Scratch::new(true))
    };
}

// === impl LineLayer ===

impl LineLayer {
    /// Lines of this format into this writer.
    #[must_use]
    pub fn new(format: LogFormat, writer: LineWriter) -> Self {
        Self {
            format,
            writer,
            clock: Clock::default(),
            baggage: Vec::new(),
        }
    }

    /// Baggage entries that are written on each line, as on the access log's. Default: none.
    #[must_use]
    pub fn with_baggage_keys<K: Into<Box<str>>>(
        mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Self {
        self.baggage = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Where the lines' time comes from. Default: the system's clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn write<S>(&self, scratch: &mut Scratch, event: &Event<'_>, ctx: &Context<'_, S>)
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        scratch.line.clear();
        let now = self.clock.wall(self.clock.now());
        let current = current(scratch.has_context, &self.baggage);
        match self.format {
            LogFormat::Json => {
                scratch.line.extend_from_slice(b"{\"timestamp\":\"");
                scratch
                    .stamps
                    .push(&mut scratch.line, now, Precision::Micros);
                json(&mut scratch.line, event, &current, ctx);
            }
            LogFormat::Human | LogFormat::HumanColour => {
                scratch
                    .stamps
                    .push(&mut scratch.line, now, Precision::Millis);
                let level = *event.metadata().level();
                push_level(&mut scratch.line, level_name(level), self.format);
                human(&mut scratch.line, event, &current, ctx);
            }
        }
        scratch.line.push(b'\n');
        self.writer.push(&scratch.line);
        scratch.line.shrink_to(KEPT_LINE_BYTES);
    }
}

impl<S> Layer<S> for LineLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        merge_into_span(id, &ctx, fields);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        let mut fields = SpanFields::default();
        values.record(&mut fields);
        merge_into_span(id, &ctx, fields);
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        if event.metadata().target() == CONTEXT_TARGET {
            self.write(&mut Scratch::new(false), event, &ctx);
        } else {
            with_scratch(|scratch| self.write(scratch, event, &ctx));
        }
    }
}

// === impl Scratch ===

impl Scratch {
    const fn new(has_context: bool) -> Self {
        Self {
            line: Vec::new(),
            stamps: Timestamps::new(),
            has_context,
        }
    }
}

/// A field that logs while it is printed, or a thread that is being torn down, finds the thread's
/// scratch taken and gets one of its own.
fn with_scratch(work: impl FnOnce(&mut Scratch)) {
    let mut work = Some(work);
    let alive = SCRATCH.try_with(|scratch| {
        if let Ok(mut scratch) = scratch.try_borrow_mut()
            && let Some(work) = work.take()
        {
            work(&mut scratch);
        }
    });
    if let Some(work) = work {
        work(&mut Scratch::new(alive.is_ok()));
    }
}

/// Printed outside of the lock on the span's extensions: a value may log while it is printed.
fn merge_into_span<S>(id: &Id, ctx: &Context<'_, S>, fields: SpanFields)
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let Some(span) = ctx.span(id).filter(|_| !fields.is_empty()) else {
        return;
    };
    let mut extensions = span.extensions_mut();
    match extensions.get_mut::<SpanFields>() {
        Some(known) => known.merge(fields),
        None => extensions.insert(fields),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_inside_a_line_does_not_overwrite_it() {
        let mut inner = Vec::new();
        let mut outer = Vec::new();
        with_scratch(|scratch| {
            scratch.line.clear();
            scratch.line.push(b'a');
            with_scratch(|scratch| {
                scratch.line.push(b'b');
                inner.clone_from(&scratch.line);
            });
            outer.clone_from(&scratch.line);
        });
        assert_eq!((inner, outer), (b"b".to_vec(), b"a".to_vec()));
    }

    #[test]
    fn a_thread_that_is_torn_down_can_still_log() {
        struct Last(std::sync::mpsc::Sender<bool>);
        impl Drop for Last {
            fn drop(&mut self) {
                with_scratch(|scratch| {
                    let current = current(scratch.has_context, &[]);
                    let _ = self.0.send(current.is_empty());
                });
            }
        }
        thread_local! {
            static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
        }
        let (done, is_done) = std::sync::mpsc::channel();
        std::thread::spawn(|| {
            LAST.set(Some(Last(done)));
            with_scratch(|scratch| assert!(scratch.has_context));
        })
        .join()
        .unwrap();
        assert_eq!(is_done.recv(), Ok(true));
    }
}
