//! Rules for `http.*` metrics.

use bartizan_panel::view::{MetricKind, PointView, Temporality};

use super::{
    Rule,
    common::{
        describe, int, is_error_type, is_host, is_known_method, is_other_protocol, is_port,
        is_route, is_scheme, is_status_code, is_version, unless,
    },
};

/// All rules for metric points, in the order they are checked.
pub const METRIC_RULES: &[Rule<PointView>] = &[
    rule(
        "metric.name",
        "the conventions have a metric of this name",
        name,
    ),
    rule(
        "metric.kind",
        "the metric is of the kind the conventions say",
        kind,
    ),
    rule(
        "metric.unit",
        "the unit is the one the conventions say",
        unit,
    ),
    rule(
        "metric.buckets",
        "durations have the buckets the conventions advise",
        buckets,
    ),
    rule(
        "metric.counts",
        "a histogram's buckets add up to its count",
        counts,
    ),
    rule(
        "metric.required",
        "the required attributes are there",
        required,
    ),
    rule(
        "metric.allowed",
        "there are no attributes besides those of the conventions",
        allowed,
    ),
    rule(
        "metric.method",
        "http.request.method is a known method or _OTHER",
        method,
    ),
    rule(
        "metric.route",
        "http.route is a template, never the path",
        route,
    ),
    rule(
        "metric.status_code",
        "http.response.status_code is an integer from 100 to 599",
        status,
    ),
    rule(
        "metric.error.type",
        "error.type is a low-cardinality identifier",
        error_type,
    ),
    rule(
        "metric.error.if",
        "error.type is there for a status code that is an error",
        error_if,
    ),
    rule(
        "metric.version",
        "network.protocol.version is 1.0, 1.1, 2 or 3",
        version,
    ),
    rule(
        "metric.protocol",
        "network.protocol.name is given only if it is not http",
        protocol,
    ),
    rule("metric.scheme", "url.scheme is not empty", scheme),
    rule(
        "metric.address",
        "server.address is a host without port, server.port a port",
        address,
    ),
];

/// Seconds.
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Marks the series that takes what a bounded instrument has no room for; it has no attributes else.
const OVERFLOW: &str = "otel.metric.overflow";

/// What the conventions say of a metric.
struct Spec {
    name: &'static str,
    kind: MetricKind,
    unit: &'static str,
    required: &'static [&'static str],
    /// Besides the required ones. `server.*` on a server's metrics is opt-in for its cardinality
    /// (it is what the client says), so it is left out.
    optional: &'static [&'static str],
}

const SERVER_REQUIRED: &[&str] = &["http.request.method", "url.scheme"];
const SERVER_OPTIONAL: &[&str] = &[
    "error.type",
    "http.response.status_code",
    "http.route",
    "network.protocol.name",
    "network.protocol.version",
    "user_agent.synthetic.type",
];
const CLIENT_REQUIRED: &[&str] = &["http.request.method", "server.address", "server.port"];
const CLIENT_OPTIONAL: &[&str] = &[
    "error.type",
    "http.response.status_code",
    "network.protocol.name",
    "network.protocol.version",
    "url.scheme",
    "url.template",
];
const CONNECTION_REQUIRED: &[&str] = &["server.address", "server.port"];

const SPECS: [Spec; 10] = [
    spec(
        "http.server.request.duration",
        MetricKind::Histogram,
        "s",
        SERVER_REQUIRED,
        SERVER_OPTIONAL,
    ),
    spec(
        "http.server.request.body.size",
        MetricKind::Histogram,
        "By",
        SERVER_REQUIRED,
        SERVER_OPTIONAL,
    ),
    spec(
        "http.server.response.body.size",
        MetricKind::Histogram,
        "By",
        SERVER_REQUIRED,
        SERVER_OPTIONAL,
    ),
    spec(
        "http.server.active_requests",
        MetricKind::UpDownCounter,
        "{request}",
        SERVER_REQUIRED,
        &[],
    ),
    spec(
        "http.client.request.duration",
        MetricKind::Histogram,
        "s",
        CLIENT_REQUIRED,
        CLIENT_OPTIONAL,
    ),
    spec(
        "http.client.request.body.size",
        MetricKind::Histogram,
        "By",
        CLIENT_REQUIRED,
        CLIENT_OPTIONAL,
    ),
    spec(
        "http.client.response.body.size",
        MetricKind::Histogram,
        "By",
        CLIENT_REQUIRED,
        CLIENT_OPTIONAL,
    ),
    spec(
        "http.client.active_requests",
        MetricKind::UpDownCounter,
        "{request}",
        CONNECTION_REQUIRED,
        &["http.request.method", "url.scheme", "url.template"],
    ),
    spec(
        "http.client.open_connections",
        MetricKind::UpDownCounter,
        "{connection}",
        &["http.connection.state", "server.address", "server.port"],
        &[
            "network.peer.address",
            "network.protocol.version",
            "url.scheme",
        ],
    ),
    spec(
        "http.client.connection.duration",
        MetricKind::Histogram,
        "s",
        CONNECTION_REQUIRED,
        &[
            "network.peer.address",
            "network.protocol.version",
            "url.scheme",
        ],
    ),
];

const fn spec(
    name: &'static str,
    kind: MetricKind,
    unit: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
) -> Spec {
    Spec {
        name,
        kind,
        unit,
        required,
        optional,
    }
}

const fn rule(
    id: &'static str,
    text: &'static str,
    check: fn(&PointView) -> Option<String>,
) -> Rule<PointView> {
    Rule { id, text, check }
}

fn find(point: &PointView) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == point.name)
}

fn is_overflow(point: &PointView) -> bool {
    point.attributes.contains_key(OVERFLOW)
}

fn name(point: &PointView) -> Option<String> {
    find(point).is_none().then(|| point.name.clone())
}

fn kind(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    // A wider histogram is the same instrument under another aggregation.
    let exponential =
        spec.kind == MetricKind::Histogram && point.kind == MetricKind::ExponentialHistogram;
    let wrong = spec.kind != point.kind && !exponential;
    let untimed = point.temporality == Temporality::Unspecified;
    (wrong || untimed).then(|| format!("{:?}, {:?}", point.kind, point.temporality))
}

fn unit(point: &PointView) -> Option<String> {
    (find(point)?.unit != point.unit).then(|| format!("{:?}", point.unit))
}

fn buckets(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    let applies = spec.name.ends_with(".request.duration") && point.kind == MetricKind::Histogram;
    let histogram = point.histogram()?;
    (applies && histogram.bounds != BUCKETS).then(|| format!("{:?}", histogram.bounds))
}

fn counts(point: &PointView) -> Option<String> {
    let histogram = point.histogram()?;
    let sum: u64 = histogram.buckets.iter().sum();
    let shaped = histogram.buckets.len() == histogram.bounds.len() + 1 && sum == histogram.count;
    (point.kind == MetricKind::Histogram && !shaped)
        .then(|| format!("count {} in {:?}", histogram.count, histogram.buckets))
}

fn required(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    let missing = spec
        .required
        .iter()
        .find(|key| !point.attributes.contains_key(**key))?;
    (!is_overflow(point)).then(|| describe(missing, None))
}

fn allowed(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    let known =
        |key: &str| key == OVERFLOW || spec.required.contains(&key) || spec.optional.contains(&key);
    let (key, value) = point.attributes.iter().find(|(key, _)| !known(key))?;
    Some(describe(key, Some(value)))
}

fn method(point: &PointView) -> Option<String> {
    unless(&point.attributes, "http.request.method", is_known_method)
}

fn route(point: &PointView) -> Option<String> {
    unless(&point.attributes, "http.route", is_route)
}

fn status(point: &PointView) -> Option<String> {
    unless(
        &point.attributes,
        "http.response.status_code",
        is_status_code,
    )
}

fn error_type(point: &PointView) -> Option<String> {
    unless(&point.attributes, "error.type", is_error_type)
}

fn error_if(point: &PointView) -> Option<String> {
    let code = int(&point.attributes, "http.response.status_code")?;
    let limit = if point.name.starts_with("http.client.") {
        400
    } else {
        500
    };
    let missing = code >= limit && !point.attributes.contains_key("error.type");
    missing.then(|| format!("no error.type for {code}"))
}

fn version(point: &PointView) -> Option<String> {
    unless(&point.attributes, "network.protocol.version", is_version)
}

fn protocol(point: &PointView) -> Option<String> {
    unless(
        &point.attributes,
        "network.protocol.name",
        is_other_protocol,
    )
}

fn scheme(point: &PointView) -> Option<String> {
    unless(&point.attributes, "url.scheme", is_scheme)
}

fn address(point: &PointView) -> Option<String> {
    unless(&point.attributes, "server.address", is_host)
        .or_else(|| unless(&point.attributes, "server.port", is_port))
}
