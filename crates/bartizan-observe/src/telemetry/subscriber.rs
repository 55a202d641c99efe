use opentelemetry::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use tracing::Subscriber;
use tracing_subscriber::filter::{EnvFilter, FilterExt, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use super::Telemetry;
use super::error::TelemetryError;

/// What is shown when `RUST_LOG` is not set: `info`, a line or two for what matters in production.
pub const DEFAULT_DIRECTIVES: &str = "info";

/// The instrumentation scope of spans that come by way of `tracing`: it is the application that
/// makes them, and not we.
const SCOPE: &str = "tracing";

/// The variable that all Rust programs use.
const VARIABLE: &str = "RUST_LOG";

/// What HTTP and telemetry libraries say about themselves; kept out of the exported signals, where
/// it would speak about the export of what it speaks about.
const TRANSPORT: [&str; 5] = [
    "h2=off",
    "hyper=off",
    "opentelemetry=off",
    "tonic=off",
    "tower=off",
];

impl Telemetry {
    /// The layers of a `tracing` subscriber: spans to OpenTelemetry, where they nest under the
    /// server's and have the scope `tracing`; events to OTLP logs; and `lines`, which writes events for people.
    ///
    /// `directives` filters each layer by itself. A filter over the whole registry would, at
    /// `warn`, also remove the spans, and with them the ids in what is left.
    ///
    /// # Errors
    ///
    /// When `directives` are not of the form that `RUST_LOG` has.
    pub fn layers<S, L>(
        &self,
        directives: &str,
        lines: L,
    ) -> Result<impl Layer<S> + Send + Sync + use<S, L>, TelemetryError>
    where
        S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
        L: Layer<S> + Send + Sync,
    {
        // The attributes that are switched off are not in the semantic conventions, and cost.
        let spans = tracing_opentelemetry::layer()
            .with_tracer(self.tracer_provider().tracer(SCOPE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            // Events are log records already; as span events they would be there twice.
            .with_filter(exported(directives)?.and(filter_fn(|metadata| metadata.is_span())));
        let logs = OpenTelemetryTracingBridge::new(self.logger_provider())
            .with_filter(exported(directives)?);
        // On the export thread only our own word counts, such as that exports fail.
        let told = dynamic_filter_fn(|metadata, _| {
            !Context::is_current_telemetry_suppressed()
                || metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
        });
        let lines = lines.with_filter(parse(directives)?.and(told));
        Ok(spans.and_then(logs).and_then(lines))
    }

    /// Makes [`Self::layers`] the process's subscriber, with the directives of `RUST_LOG`, or
    /// [`DEFAULT_DIRECTIVES`].
    ///
    /// # Errors
    ///
    /// When `RUST_LOG` cannot be used, or another subscriber is set already.
    pub fn install_subscriber<L>(&self, lines: L) -> Result<(), TelemetryError>
    where
        L: Layer<Registry> + Send + Sync + 'static,
    {
        let given = std::env::var(VARIABLE)
            .ok()
            .filter(|text| !text.trim().is_empty());
        let directives = given.as_deref().unwrap_or(DEFAULT_DIRECTIVES);
        let subscriber = tracing_subscriber::registry().with(self.layers(directives, lines)?);
        tracing::subscriber::set_global_default(subscriber).map_err(TelemetryError::SubscriberSet)
    }
}

fn parse(directives: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder().parse(directives).map_err(|error| {
        let expected = format!("a list of directives like info,my_crate=debug: {error}");
        TelemetryError::invalid(VARIABLE, directives, expected)
    })
}

/// The same without the transport's own words.
fn exported(directives: &str) -> Result<EnvFilter, TelemetryError> {
    let quiet = TRANSPORT.join(",");
    // Parsed by itself first, so that an error names what was given and not what was added.
    parse(directives)?;
    parse(&format!("{directives},{quiet}"))
}
