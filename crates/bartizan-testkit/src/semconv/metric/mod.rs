//! Rules for `http.*` metrics.

mod attributes;
mod shape;
mod spec;

use bartizan_panel::view::PointView;

use super::Rule;

/// All rules for metric points, in the order they are checked.
pub const METRIC_RULES: &[Rule<PointView>] = &[
    rule(
        "metric.name",
        "the conventions have a metric of this name",
        shape::name,
    ),
    rule(
        "metric.kind",
        "the metric is of the kind the conventions say",
        shape::kind,
    ),
    rule(
        "metric.unit",
        "the unit is the one the conventions say",
        shape::unit,
    ),
    rule(
        "metric.buckets",
        "durations have the buckets the conventions advise",
        shape::buckets,
    ),
    rule(
        "metric.counts",
        "a histogram's buckets add up to its count",
        shape::counts,
    ),
    rule(
        "metric.required",
        "the required attributes are there",
        attributes::required,
    ),
    rule(
        "metric.allowed",
        "there are no attributes besides those of the conventions",
        attributes::allowed,
    ),
    rule(
        "metric.method",
        "http.request.method is a known method or _OTHER",
        attributes::method,
    ),
    rule(
        "metric.route",
        "http.route is a template, never the path",
        attributes::route,
    ),
    rule(
        "metric.status_code",
        "http.response.status_code is an integer from 100 to 599",
        attributes::status,
    ),
    rule(
        "metric.error.type",
        "error.type is a low-cardinality identifier",
        attributes::error_type,
    ),
    rule(
        "metric.error.if",
        "error.type is there for a status code that is an error",
        attributes::error_if,
    ),
    rule(
        "metric.version",
        "network.protocol.version is 1.0, 1.1, 2 or 3",
        attributes::version,
    ),
    rule(
        "metric.protocol",
        "network.protocol.name is given only if it is not http",
        attributes::protocol,
    ),
    rule(
        "metric.scheme",
        "url.scheme is not empty",
        attributes::scheme,
    ),
    rule(
        "metric.address",
        "server.address is a host without port, server.port a port",
        attributes::address,
    ),
];

const fn rule(
    id: &'static str,
    text: &'static str,
    check: fn(&PointView) -> Option<String>,
) -> Rule<PointView> {
    Rule { id, text, check }
}
