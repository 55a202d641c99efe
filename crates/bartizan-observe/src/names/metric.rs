//! Every metric, with its unit, help and label set.

use super::Metric;
use super::attr::{
    BREAKER_FROM, BREAKER_KEY, BREAKER_NAME, BREAKER_OUTCOME, BREAKER_REASON, BREAKER_STATE,
    BULKHEAD_NAME, BULKHEAD_RESULT, ERROR_TYPE, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE, METRIC_OVERFLOW, NETWORK_PROTOCOL_VERSION, RATE_LIMIT_BY, RATE_LIMIT_POLICY,
    RATE_LIMIT_RESULT, RATE_LIMIT_STORE_RESULT, RETRY_GIVEN_UP, RETRY_REASON, SERVER_ADDRESS,
    SERVER_PORT, SHED_NAME, SHED_PRIORITY, TELEMETRY_RESULT, TELEMETRY_SIGNAL, UPSTREAM_NAME,
    URL_SCHEME,
};

const SERVER: &[&str] = &[
    ERROR_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    HTTP_ROUTE,
    METRIC_OVERFLOW,
    NETWORK_PROTOCOL_VERSION,
    URL_SCHEME,
];
const CLIENT: &[&str] = &[
    ERROR_TYPE,
    HTTP_REQUEST_METHOD,
    HTTP_RESPONSE_STATUS_CODE,
    METRIC_OVERFLOW,
    NETWORK_PROTOCOL_VERSION,
    SERVER_ADDRESS,
    SERVER_PORT,
    URL_SCHEME,
];

/// Arrival to the end of the body; to the headers for event streams and upgrades.
pub const SERVER_REQUEST_DURATION: Metric = Metric {
    name: "http.server.request.duration",
    unit: "s",
    help: "Duration of HTTP server requests.",
    labels: SERVER,
};
/// Requests that have arrived and not ended.
pub const SERVER_ACTIVE_REQUESTS: Metric = Metric {
    name: "http.server.active_requests",
    unit: "{request}",
    help: "Number of active HTTP server requests.",
    labels: &[HTTP_REQUEST_METHOD, URL_SCHEME],
};
/// Request bodies of known length.
pub const SERVER_REQUEST_BODY_SIZE: Metric = Metric {
    name: "http.server.request.body.size",
    unit: "By",
    help: "Size of HTTP server request bodies.",
    labels: SERVER,
};
/// Bytes of the response body that were handed to the server.
pub const SERVER_RESPONSE_BODY_SIZE: Metric = Metric {
    name: "http.server.response.body.size",
    unit: "By",
    help: "Size of HTTP server response bodies.",
    labels: SERVER,
};
/// Arrival to the response's headers.
pub const SERVER_TIME_TO_HEADERS: Metric = Metric {
    name: "bartizan.http.server.response.headers.duration",
    unit: "s",
    help: "Time from the arrival of a request to the headers of its response.",
    labels: SERVER,
};
/// How long event streams and upgraded connections lived after their headers.
pub const SERVER_STREAM_DURATION: Metric = Metric {
    name: "bartizan.http.server.stream.duration",
    unit: "s",
    help: "Lifetime of event streams and upgraded connections, from their headers on.",
    labels: SERVER,
};
/// One attempt, to the end of the response body.
pub const CLIENT_REQUEST_DURATION: Metric = Metric {
    name: "http.client.request.duration",
    unit: "s",
    help: "Duration of HTTP client requests.",
    labels: CLIENT,
};
/// Attempts that have been sent and not ended.
pub const CLIENT_ACTIVE_REQUESTS: Metric = Metric {
    name: "http.client.active_requests",
    unit: "{request}",
    help: "Number of active HTTP client requests.",
    labels: &[HTTP_REQUEST_METHOD, SERVER_ADDRESS, SERVER_PORT, URL_SCHEME],
};
/// Request bodies of known length.
pub const CLIENT_REQUEST_BODY_SIZE: Metric = Metric {
    name: "http.client.request.body.size",
    unit: "By",
    help: "Size of HTTP client request bodies.",
    labels: CLIENT,
};
/// Bytes of the response body that were read.
pub const CLIENT_RESPONSE_BODY_SIZE: Metric = Metric {
    name: "http.client.response.body.size",
    unit: "By",
    help: "Size of HTTP client response bodies.",
    labels: CLIENT,
};

/// What became of spans, log records and collections of metrics.
pub const TELEMETRY_ITEMS: Metric = Metric {
    name: "bartizan.telemetry.items",
    unit: "{item}",
    help: "Spans, log records and collections of metrics, by what became of them.",
    labels: &[TELEMETRY_RESULT, TELEMETRY_SIGNAL],
};
/// What waits for its export, or is under way.
pub const TELEMETRY_PENDING: Metric = Metric {
    name: "bartizan.telemetry.pending",
    unit: "{item}",
    help: "Items that wait for their export or are under way.",
    labels: &[TELEMETRY_SIGNAL],
};
/// What became of the access log's lines.
pub const ACCESS_LOG_LINES: Metric = Metric {
    name: "bartizan.access_log.lines",
    unit: "{line}",
    help: "Lines of the access log, by whether they were written, dropped or failed.",
    labels: &[TELEMETRY_RESULT],
};

/// Calls that circuit breakers were asked for.
pub const BREAKER_CALLS: Metric = Metric {
    name: "bartizan.breaker.calls",
    unit: "{call}",
    help: "Calls through circuit breakers, by what they count as.",
    labels: &[BREAKER_KEY, BREAKER_NAME, BREAKER_OUTCOME],
};
/// Changes of state.
pub const BREAKER_TRANSITIONS: Metric = Metric {
    name: "bartizan.breaker.transitions",
    unit: "{transition}",
    help: "Changes of state of circuit breakers.",
    labels: &[
        BREAKER_FROM,
        BREAKER_KEY,
        BREAKER_NAME,
        BREAKER_REASON,
        BREAKER_STATE,
    ],
};
/// A circuit is in one state: that series is 1 and the others are 0.
pub const BREAKER_CIRCUITS: Metric = Metric {
    name: "bartizan.breaker.circuits",
    unit: "{circuit}",
    help: "Circuits, by the state that they are in.",
    labels: &[BREAKER_KEY, BREAKER_NAME, BREAKER_STATE],
};
/// Attempts after which there was another.
pub const RETRIES: Metric = Metric {
    name: "bartizan.retry.retries",
    unit: "{retry}",
    help: "Requests that were sent again, by how the attempt before had failed.",
    labels: &[RETRY_REASON, UPSTREAM_NAME],
};
/// Failed attempts that could have been retried.
pub const RETRIES_GIVEN_UP: Metric = Metric {
    name: "bartizan.retry.given_up",
    unit: "{request}",
    help: "Requests whose failure was passed on although it was worth a retry, by why.",
    labels: &[RETRY_GIVEN_UP, RETRY_REASON, UPSTREAM_NAME],
};
/// What the policies of rate limiters have said.
pub const RATE_LIMIT_REQUESTS: Metric = Metric {
    name: "bartizan.rate_limit.requests",
    unit: "{request}",
    help: "Requests by what each policy of a rate limiter said to them.",
    labels: &[RATE_LIMIT_BY, RATE_LIMIT_POLICY, RATE_LIMIT_RESULT],
};
/// How long the store of a shared limit takes, with [`RATE_LIMIT_STORE_BUCKETS`].
pub const RATE_LIMIT_STORE_DURATION: Metric = Metric {
    name: "bartizan.rate_limit.store.duration",
    unit: "s",
    help: "Duration of questions to the store of a shared rate limit, by what became of them.",
    labels: &[RATE_LIMIT_STORE_RESULT],
};
/// In seconds, from what a server in the same place takes up to a deadline that is too long.
pub const RATE_LIMIT_STORE_BUCKETS: [f64; 13] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
];
/// What became of calls through bulkheads.
pub const BULKHEAD_CALLS: Metric = Metric {
    name: "bartizan.bulkhead.calls",
    unit: "{call}",
    help: "Calls through bulkheads, by what became of them.",
    labels: &[BULKHEAD_NAME, BULKHEAD_RESULT],
};
/// What was shed.
pub const SHED_REQUESTS: Metric = Metric {
    name: "bartizan.shed.requests",
    unit: "{request}",
    help: "Requests that were shed, by priority.",
    labels: &[SHED_NAME, SHED_PRIORITY],
};

/// All of the above, for the documentation and its test.
pub const ALL: &[Metric] = &[
    SERVER_REQUEST_DURATION,
    SERVER_ACTIVE_REQUESTS,
    SERVER_REQUEST_BODY_SIZE,
    SERVER_RESPONSE_BODY_SIZE,
    SERVER_TIME_TO_HEADERS,
    SERVER_STREAM_DURATION,
    CLIENT_REQUEST_DURATION,
    CLIENT_ACTIVE_REQUESTS,
    CLIENT_REQUEST_BODY_SIZE,
    CLIENT_RESPONSE_BODY_SIZE,
    TELEMETRY_ITEMS,
    TELEMETRY_PENDING,
    ACCESS_LOG_LINES,
    BREAKER_CALLS,
    BREAKER_TRANSITIONS,
    BREAKER_CIRCUITS,
    RETRIES,
    RETRIES_GIVEN_UP,
    RATE_LIMIT_REQUESTS,
    RATE_LIMIT_STORE_DURATION,
    BULKHEAD_CALLS,
    SHED_REQUESTS,
];
