use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use opentelemetry::global;
use opentelemetry::metrics::Meter;
use tower_layer::Layer;

use super::metrics::{DEFAULT_MAX_SERIES, Metrics};
use super::{Client, error_type};
use crate::redact::Redaction;
use crate::telemetry::Telemetry;
use crate::tracing_source::{Tracer, scope};
use crate::{Clock, names};

/// Wraps HTTP client services so that each attempt has a client span and is measured.
///
/// The instruments and their series live in the layer: every service it makes, and every clone of
/// it, shares them. Set the options before the first use of [`Layer::layer`].
#[derive(Clone)]
pub struct ClientLayer {
    shared: Arc<Shared>,
}

/// What all attempts of a layer have in common.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) tracer: Arc<Tracer>,
    pub(super) metrics: Arc<Metrics>,
    meter: Meter,
    pub(super) clock: Clock,
    pub(super) redaction: Redaction,
    pub(super) request_ids: RequestIds,
    /// The user's, asked before ours.
    namer: Option<Arc<UserNamer>>,
}

type UserNamer = dyn Fn(&dyn Any) -> Option<&'static str> + Send + Sync;

/// Whether a request without an id is given the current task's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestIds {
    Forwarded,
    Kept,
}

// === impl ClientLayer ===

impl ClientLayer {
    /// A layer that reports to `telemetry`.
    #[must_use]
    pub fn new(telemetry: &Telemetry) -> Self {
        Self::with_sources(Tracer::ours(telemetry), telemetry.meter().clone())
    }

    /// A layer that reports to OpenTelemetry's global providers, as they are now.
    #[must_use]
    pub fn from_globals() -> Self {
        Self::with_sources(Tracer::global(), global::meter_with_scope(scope()))
    }

    pub(super) fn with_sources(tracer: Tracer, meter: Meter) -> Self {
        Self {
            shared: Arc::new(Shared {
                tracer: Arc::new(tracer),
                metrics: Arc::new(Metrics::new(&meter, DEFAULT_MAX_SERIES)),
                meter,
                clock: Clock::default(),
                redaction: Redaction::DEFAULT,
                request_ids: RequestIds::Forwarded,
                namer: None,
            }),
        }
    }

    /// Where the time is read. Default: [`Clock::default`].
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.options().clock = clock;
        self
    }

    /// The bound of the two series tables: servers (with method, scheme and port), and durations
    /// (a server's by status, protocol version and error).
    ///
    /// What comes after goes to one series with `otel.metric.overflow`. Nothing is evicted. An
    /// entry of both, with its three histograms in the SDK, takes about 6 KiB, so that the default
    /// is a bound of about 6 MiB. Starts the tables anew. Default: [`DEFAULT_MAX_SERIES`].
    #[must_use]
    pub fn with_max_series(mut self, max: usize) -> Self {
        let options = self.options();
        options.metrics = Arc::new(Metrics::new(&options.meter, max));
        self
    }

    /// Exactly these query parameters lose their values in `url.full`, compared
    /// case-sensitively. Default: those that the semantic conventions name, such as
    /// `X-Amz-Signature` and `sig`.
    #[must_use]
    pub fn with_redacted_query_keys(
        mut self,
        keys: impl IntoIterator<Item = impl Into<Cow<'static, str>>>,
    ) -> Self {
        self.options().redaction = Redaction::of(keys);
        self
    }

    /// Gives `x-request-id` of the current [`Task`](bartizan_task::Task) to requests that have
    /// none. This is the default.
    #[must_use]
    pub fn with_request_id(mut self) -> Self {
        self.options().request_ids = RequestIds::Forwarded;
        self
    }

    /// Keeps the request's id inside, as for servers of others.
    #[must_use]
    pub fn without_request_id(mut self) -> Self {
        self.options().request_ids = RequestIds::Kept;
        self
    }

    /// Names errors of types that this crate does not know, for `error.type`.
    ///
    /// `name` is given the service's or the body's error by its own type, and is asked first; it
    /// must give few distinct values. Default: `timeout`, `connect` and `connection_closed` where
    /// hyper, tower, tokio or the standard library say so, else `_OTHER`.
    #[must_use]
    pub fn with_error_type(
        mut self,
        name: impl Fn(&dyn Any) -> Option<&'static str> + Send + Sync + 'static,
    ) -> Self {
        self.options().namer = Some(Arc::new(name));
        self
    }

    #[cfg(feature = "reqwest")]
    pub(super) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn options(&mut self) -> &mut Shared {
        Arc::make_mut(&mut self.shared)
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = Client<S>;

    fn layer(&self, inner: S) -> Client<S> {
        Client::new(inner, Arc::clone(&self.shared))
    }
}

impl fmt::Debug for ClientLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ClientLayer").field(&self.shared).finish()
    }
}

// === impl Shared ===

impl Shared {
    /// The value of `error.type`; `namer` knows the types of one client library.
    pub(super) fn name_error(
        &self,
        error: &dyn Any,
        namer: Option<error_type::Namer>,
    ) -> &'static str {
        self.namer
            .as_ref()
            .and_then(|namer| namer(error))
            .or_else(|| namer.and_then(|namer| namer(error)))
            .or_else(|| error_type::name(error))
            .unwrap_or(names::error_type::OTHER)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("clock", &self.clock)
            .field("redaction", &self.redaction)
            .field("request_ids", &self.request_ids)
            .finish_non_exhaustive()
    }
}
