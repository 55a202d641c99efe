use opentelemetry::Context;
use opentelemetry::trace::TracerProvider;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::{FilterExt, dynamic_filter_fn, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use super::Telemetry;
use super::error::TelemetryError;
use crate::log_control::{self, Events, LogLevels, LogLimits};

/// What is shown when `RUST_LOG` is not set: `info`, a line or two for what matters in production.
pub const DEFAULT_DIRECTIVES: &str = "info";

/// The instrumentation scope of spans that come by way of `tracing`: it is the application that
/// makes them, and not we.
const SCOPE: &str = "tracing";

/// The variable that all Rust programs use.
const VARIABLE: &str = "RUST_LOG";

/// What HTTP and telemetry libraries say about themselves; kept out of the exported signals, where
/// it would speak about the export of what it speaks about.
const TRANSPORT: [&str; 9] = [
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "opentelemetry_http",
    "opentelemetry_otlp",
    "opentelemetry_sdk",
    "tonic",
    "tower",
];

impl Telemetry {
    /// The layers of a `tracing` subscriber: spans to OpenTelemetry, where they nest under the
    /// server's and have the scope `tracing`; events to OTLP logs; and `lines`, which writes events for people.
    ///
    /// `directives` filter spans and events, each by themselves. A filter over the whole registry
    /// would, at `warn`, also remove the spans, and with them the ids in what is left. They can be
    /// changed through [`Self::log_levels`].
    ///
    /// Events over the call site's [`LogLimit`](crate::log_control::LogLimit) are in neither. How
    /// many were left out is the attribute `bartizan.log.suppressed` of the next record and on the
    /// next line of [`LineLayer`](crate::log_format::LineLayer); other lines do not say it.
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
        let levels = self.log_levels();
        // The attributes that are switched off are not in the semantic conventions, and cost.
        let spans = tracing_opentelemetry::layer()
            .with_tracer(self.tracer_provider().tracer(SCOPE))
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_level(false)
            .with_tracked_inactivity(false)
            // Events are log records already; as span events they would be there twice.
            .with_filter(
                levels
                    .filter(VARIABLE, directives)?
                    .and(filter_fn(|metadata| {
                        metadata.is_span() && is_exported(metadata)
                    })),
            );
        // On the export thread only our own word counts, such as that exports fail.
        let told = dynamic_filter_fn(|metadata, _| {
            !Context::is_current_telemetry_suppressed()
                || metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
        });
        // That levels change is said at any level.
        let changes = filter_fn(|metadata| metadata.target() == log_control::TARGET);
        let filter = levels.filter(VARIABLE, directives)?.or(changes).and(told);
        let events = Events::new(
            self.logger_provider(),
            is_exported,
            lines,
            self.0.log_control.clone(),
        );
        Ok(spans.and_then(events.with_filter(filter)))
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

    /// Reads and changes the levels of what [`Self::layers`] makes.
    #[must_use]
    pub fn log_levels(&self) -> &LogLevels {
        &self.0.log_control.levels
    }

    /// What the limit of each call site has left out.
    #[must_use]
    pub fn log_limits(&self) -> &LogLimits {
        &self.0.log_control.limits
    }
}

/// Not one of [`TRANSPORT`]. By whole crate names, which directives do not know: `tower=off` would
/// also silence an application's `tower_of_london`.
fn is_exported(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let crate_name = target.split_once("::").map_or(target, |(name, _)| name);
    !TRANSPORT.contains(&crate_name)
}
