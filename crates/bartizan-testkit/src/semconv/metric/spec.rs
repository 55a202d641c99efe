//! The conventions' metrics.

use bartizan_panel::view::{MetricKind, PointView};

/// What the conventions say of a metric.
pub(super) struct Spec {
    pub(super) name: &'static str,
    pub(super) kind: MetricKind,
    pub(super) unit: &'static str,
    pub(super) required: &'static [&'static str],
    /// Besides the required ones. `server.*` on a server's metrics is opt-in for its cardinality
    /// (it is what the client says), so it is left out.
    pub(super) optional: &'static [&'static str],
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

/// What the conventions say of the point's metric.
pub(super) fn find(point: &PointView) -> Option<&'static Spec> {
    SPECS.iter().find(|spec| spec.name == point.name)
}
