use opentelemetry::InstrumentationScope;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::logs::{SdkLogRecord, SdkLogger, SdkLoggerProvider};
use tracing::dispatcher::Dispatch;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use super::LogControl;
use super::told::{Telling, suppressed};
use crate::names::attr;

/// Both ways out of an event: OTLP logs and lines, behind one limit.
///
/// The decision falls here and not in a filter's `event_enabled`: that is asked for each layer, and
/// leaves the state of nested per-layer filters behind when it says no.
pub(crate) struct Events<L> {
    logs: OpenTelemetryTracingBridge<Told<SdkLoggerProvider>, Told<SdkLogger>>,
    /// What is said about the transport of logs is not logged over it.
    is_exported: fn(&Metadata<'_>) -> bool,
    lines: L,
    control: LogControl,
}

/// Adds to each record what the event has to tell.
struct Told<T>(T);

// === impl Events ===

impl<L> Events<L> {
    pub(crate) fn new(
        logs: &SdkLoggerProvider,
        is_exported: fn(&Metadata<'_>) -> bool,
        lines: L,
        control: LogControl,
    ) -> Self {
        Self {
            logs: OpenTelemetryTracingBridge::new(&Told(logs.clone())),
            is_exported,
            lines,
            control,
        }
    }
}

/// All but events is the lines' alone; the bridge looks at nothing else.
impl<S, L> Layer<S> for Events<L>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    L: Layer<S>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        self.control.limits.add(dispatch);
        self.control.levels.add(dispatch);
        self.lines.on_register_dispatch(dispatch);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.lines.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.lines.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, ctx: Context<'_, S>) -> bool {
        self.lines.enabled(metadata, ctx)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        self.lines.on_new_span(attributes, id, ctx);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, ctx: Context<'_, S>) {
        self.lines.on_record(id, values, ctx);
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, ctx: Context<'_, S>) {
        self.lines.on_follows_from(id, follows, ctx);
    }

    fn event_enabled(&self, event: &Event<'_>, ctx: Context<'_, S>) -> bool {
        self.lines.event_enabled(event, ctx)
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let Some(suppressed) = self.control.limits.decide(event.metadata()) else {
            return;
        };
        let _telling = Telling::begin(suppressed);
        if (self.is_exported)(event.metadata()) {
            self.logs.on_event(event, ctx.clone());
        }
        self.lines.on_event(event, ctx);
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        self.lines.on_enter(id, ctx);
    }

    fn on_exit(&self, id: &Id, ctx: Context<'_, S>) {
        self.lines.on_exit(id, ctx);
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        self.lines.on_close(id, ctx);
    }

    fn on_id_change(&self, old: &Id, new: &Id, ctx: Context<'_, S>) {
        self.lines.on_id_change(old, new, ctx);
    }
}

// === impl Told ===

impl LoggerProvider for Told<SdkLoggerProvider> {
    type Logger = Told<SdkLogger>;

    fn logger_with_scope(&self, scope: InstrumentationScope) -> Self::Logger {
        Told(self.0.logger_with_scope(scope))
    }
}

impl Logger for Told<SdkLogger> {
    type LogRecord = SdkLogRecord;

    fn create_log_record(&self) -> SdkLogRecord {
        self.0.create_log_record()
    }

    fn emit(&self, mut record: SdkLogRecord) {
        let suppressed = suppressed();
        if suppressed > 0 {
            // The specification's integers are signed.
            let suppressed = i64::try_from(suppressed).unwrap_or(i64::MAX);
            record.add_attribute(attr::LOG_SUPPRESSED, suppressed);
        }
        self.0.emit(record);
    }

    fn event_enabled(&self, level: Severity, target: &str, name: Option<&str>) -> bool {
        self.0.event_enabled(level, target, name)
    }
}
