//! Every span, attribute, metric and header name that Bartizan emits, once.
//!
//! The HTTP names are those of the OpenTelemetry semantic conventions 1.44; what is ours starts
//! with `bartizan.`.

use opentelemetry::metrics::{Counter, Histogram, Meter, UpDownCounter};

/// The instrumentation scope of all our spans, metrics and log records.
pub const SCOPE: &str = "bartizan";

/// The schema of the semantic conventions the names follow.
pub const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.44.0";

/// The target of the access log's OTLP records.
pub const ACCESS_TARGET: &str = "bartizan::access";

pub mod metric;

/// Attribute keys.
pub mod attr {
    /// Why an operation failed, in few distinct values.
    pub const ERROR_TYPE: &str = "error.type";
    /// The client's address, from a trusted forwarding header or else the peer's.
    pub const CLIENT_ADDRESS: &str = "client.address";
    /// The request method, or `_OTHER`.
    pub const HTTP_REQUEST_METHOD: &str = "http.request.method";
    /// The method as it was sent, when it was not a known one.
    pub const HTTP_REQUEST_METHOD_ORIGINAL: &str = "http.request.method_original";
    /// The request body's length in bytes.
    pub const HTTP_REQUEST_BODY_SIZE: &str = "http.request.body.size";
    /// The response body's length in bytes, as far as it was sent.
    pub const HTTP_RESPONSE_BODY_SIZE: &str = "http.response.body.size";
    /// How many times this request had been sent before.
    pub const HTTP_REQUEST_RESEND_COUNT: &str = "http.request.resend_count";
    /// The response's status code.
    pub const HTTP_RESPONSE_STATUS_CODE: &str = "http.response.status_code";
    /// The matched route template.
    pub const HTTP_ROUTE: &str = "http.route";
    /// The address of the socket's other end.
    pub const NETWORK_PEER_ADDRESS: &str = "network.peer.address";
    /// The port of the socket's other end.
    pub const NETWORK_PEER_PORT: &str = "network.peer.port";
    /// `1.0`, `1.1`, `2` or `3`.
    pub const NETWORK_PROTOCOL_VERSION: &str = "network.protocol.version";
    /// The server's name as the client addressed it.
    pub const SERVER_ADDRESS: &str = "server.address";
    /// The server's port as the client addressed it.
    pub const SERVER_PORT: &str = "server.port";
    /// The whole URL, without credentials.
    pub const URL_FULL: &str = "url.full";
    /// The path.
    pub const URL_PATH: &str = "url.path";
    /// The query, secrets redacted.
    pub const URL_QUERY: &str = "url.query";
    /// `http` or `https`.
    pub const URL_SCHEME: &str = "url.scheme";
    /// The `user-agent` header.
    pub const USER_AGENT_ORIGINAL: &str = "user_agent.original";
    /// How the request ended: an [`Outcome`](crate::Outcome).
    pub const OUTCOME: &str = "bartizan.outcome";
    /// The request's id.
    pub const REQUEST_ID: &str = "bartizan.request.id";
    /// How many events of the same call site were left out before this one.
    pub const LOG_SUPPRESSED: &str = "bartizan.log.suppressed";
    /// The id of the task that ran.
    pub const TASK_ID: &str = "bartizan.task.id";
    /// Seconds from arrival to the response's headers.
    pub const TIME_TO_HEADERS: &str = "bartizan.http.response.headers.duration";
    /// Seconds from arrival to the end of the response's body.
    pub const DURATION: &str = "bartizan.http.request.duration";
    /// Whether the request took longer than the slow-request threshold.
    pub const SLOW: &str = "bartizan.http.request.slow";
    /// `traces`, `metrics` or `logs`.
    pub const TELEMETRY_SIGNAL: &str = "bartizan.telemetry.signal";
    /// What became of an item: `exported`, `unconfirmed`, or why it was dropped.
    pub const TELEMETRY_RESULT: &str = "bartizan.telemetry.result";
    /// The name of a circuit breaker.
    pub const BREAKER_NAME: &str = "bartizan.breaker.name";
    /// The key of one of its circuits, or `_OTHER`.
    pub const BREAKER_KEY: &str = "bartizan.breaker.key";
    /// `closed`, `open`, `half_open`, `forced_open`, `disabled` or `metrics_only`.
    pub const BREAKER_STATE: &str = "bartizan.breaker.state";
    /// The state before.
    pub const BREAKER_FROM: &str = "bartizan.breaker.from";
    /// Why a circuit has changed its state.
    pub const BREAKER_REASON: &str = "bartizan.breaker.reason";
    /// What a call counts as: `success`, `failure`, `slow`, `ignored`, `backpressure`, `rejected`, or
    /// `stale` where it came too late to count.
    pub const BREAKER_OUTCOME: &str = "bartizan.breaker.outcome";
    /// For how long a circuit has opened, in seconds.
    pub const BREAKER_OPEN_FOR: &str = "bartizan.breaker.open_for";
    /// The name of the service that is called, as the caller has it.
    pub const UPSTREAM_NAME: &str = "bartizan.upstream.name";
    /// The number of an attempt at a request, from 0.
    pub const RETRY_ATTEMPT: &str = "bartizan.retry.attempt";
    /// How an attempt failed: its status, `timed_out` or `error`.
    pub const RETRY_REASON: &str = "bartizan.retry.reason";
    /// How long is waited before the next attempt, in seconds.
    pub const RETRY_DELAY: &str = "bartizan.retry.delay";
    /// Why there is no other attempt: `attempts`, `budget`, `deadline`, `not_replayable` or
    /// `retry_after_too_long`.
    pub const RETRY_GIVEN_UP: &str = "bartizan.retry.given_up";
    /// The name of a rate limiter's policy.
    pub const RATE_LIMIT_POLICY: &str = "bartizan.rate_limit.policy";
    /// What a policy says to a request: `allowed`, `rejected`, `shadow_rejected`, or `uncharged`
    /// where another has rejected it.
    pub const RATE_LIMIT_RESULT: &str = "bartizan.rate_limit.result";
    /// Why a policy has rejected a request: `quota_exceeded`, `cost_above_burst`, `table_full` or
    /// `key_missing`; where replicas share it, also `local_quota_exceeded` or `store_down`.
    pub const RATE_LIMIT_REASON: &str = "bartizan.rate_limit.reason";
    /// What has decided, where replicas share a policy: `lease`, which the store has said before;
    /// `store`; `store_down`, without it; or `policy`, where there was nothing to ask.
    pub const RATE_LIMIT_BY: &str = "bartizan.rate_limit.by";
    /// What became of a question to the store that replicas share: `answered`, `late`, `failed` or
    /// `bad_answer`.
    pub const RATE_LIMIT_STORE_RESULT: &str = "bartizan.rate_limit.store.result";
    /// The name of a bulkhead.
    pub const BULKHEAD_NAME: &str = "bartizan.bulkhead.name";
    /// What becomes of a call: `admitted`, `full`, `queue_timeout`, or `abandoned` while it waited.
    pub const BULKHEAD_RESULT: &str = "bartizan.bulkhead.result";
    /// The name of what sheds load.
    pub const SHED_NAME: &str = "bartizan.shed.name";
    /// The priority of a request that was shed.
    pub const SHED_PRIORITY: &str = "bartizan.shed.priority";
    /// In how many seconds a rejected call may be let through.
    pub const RETRY_AFTER: &str = "bartizan.retry_after";
    /// Set on the series that takes what no longer fits into a bounded table.
    pub const METRIC_OVERFLOW: &str = "otel.metric.overflow";
}

/// Header names.
pub mod header {
    use http::HeaderName;

    /// W3C Trace Context.
    pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
    /// W3C Trace Context.
    pub const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
    /// W3C Baggage.
    pub const BAGGAGE: HeaderName = HeaderName::from_static("baggage");
    /// The request's id, in and out.
    pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
    /// W3C Server Timing, for the trace id on a response.
    pub const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
}

/// Names of span events.
pub mod event {
    /// A circuit breaker has rejected a call.
    pub const BREAKER_REJECTED: &str = "bartizan.breaker.rejected";
    /// A call has changed the state of its circuit.
    pub const BREAKER_TRANSITION: &str = "bartizan.breaker.transition";
    /// A circuit that only measures would have opened.
    pub const BREAKER_WOULD_OPEN: &str = "bartizan.breaker.would_open";
    /// A policy has rejected the request, or would have.
    pub const RATE_LIMIT_REJECTED: &str = "bartizan.rate_limit.rejected";
    /// A bulkhead has rejected a call.
    pub const BULKHEAD_REJECTED: &str = "bartizan.bulkhead.rejected";
    /// The request was shed.
    pub const SHED_REJECTED: &str = "bartizan.shed.rejected";
    /// An attempt has failed, and there will be another.
    pub const RETRY: &str = "bartizan.retry";
    /// An attempt has failed, and there will be no other.
    pub const RETRY_GIVEN_UP: &str = "bartizan.retry.given_up";
}

/// Values of `error.type` where it is not a status code.
pub mod error_type {
    /// The connection could not be made.
    pub const CONNECT: &str = "connect";
    /// The connection ended before the exchange did.
    pub const CONNECTION_CLOSED: &str = "connection_closed";
    /// The time allowed was up.
    pub const TIMEOUT: &str = "timeout";
    /// The code that did the work panicked.
    pub const PANIC: &str = "panic";
    /// The service returned an error instead of a response.
    pub const SERVICE: &str = "service_error";
    /// The call was dropped before there was a response.
    pub const CANCELLED: &str = "cancelled";
    /// The response body failed on the way.
    pub const BODY_ERROR: &str = "body_error";
    /// The response body was dropped before its end.
    pub const BODY_DROPPED: &str = "body_dropped";
    /// Anything else.
    pub const OTHER: &str = "_OTHER";
}

/// A metric's name, unit, help text and label set.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Metric {
    /// The name.
    pub name: &'static str,
    /// The unit, in UCUM.
    pub unit: &'static str,
    /// One sentence for a person.
    pub help: &'static str,
    /// All the attribute keys a series can have.
    pub labels: &'static [&'static str],
}

// === impl Metric ===

impl Metric {
    /// Its instrument, where it only grows.
    #[must_use]
    pub fn counter(self, meter: &Meter) -> Counter<u64> {
        meter
            .u64_counter(self.name)
            .with_unit(self.unit)
            .with_description(self.help)
            .build()
    }

    /// Its instrument, where it goes up and down.
    #[must_use]
    pub fn up_down_counter(self, meter: &Meter) -> UpDownCounter<i64> {
        meter
            .i64_up_down_counter(self.name)
            .with_unit(self.unit)
            .with_description(self.help)
            .build()
    }

    /// Its instrument, where it is a distribution of durations, with [`DURATION_BUCKETS`].
    #[must_use]
    pub fn seconds(self, meter: &Meter) -> Histogram<f64> {
        self.seconds_in(meter, &DURATION_BUCKETS)
    }

    /// The same with bucket bounds of its own.
    #[must_use]
    pub fn seconds_in(self, meter: &Meter, bounds: &[f64]) -> Histogram<f64> {
        meter
            .f64_histogram(self.name)
            .with_unit(self.unit)
            .with_description(self.help)
            .with_boundaries(bounds.to_vec())
            .build()
    }

    /// Its instrument, where it is a distribution of sizes.
    #[must_use]
    pub fn bytes(self, meter: &Meter) -> Histogram<u64> {
        meter
            .u64_histogram(self.name)
            .with_unit(self.unit)
            .with_description(self.help)
            .build()
    }
}

/// The bucket bounds that the semantic conventions advise for HTTP durations, in seconds.
pub const DURATION_BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
