//! Rules on the attributes of a point.

use bartizan_panel::view::PointView;

use super::{
    super::common::{
        describe, int, is_error_type, is_host, is_known_method, is_other_protocol, is_port,
        is_route, is_scheme, is_status_code, is_version, unless,
    },
    spec::find,
};

/// Marks the series that takes what a bounded instrument has no room for; it has no attributes else.
const OVERFLOW: &str = "otel.metric.overflow";

pub(super) fn required(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    let missing = spec
        .required
        .iter()
        .find(|key| !point.attributes.contains_key(**key))?;
    (!is_overflow(point)).then(|| describe(missing, None))
}

pub(super) fn allowed(point: &PointView) -> Option<String> {
    let spec = find(point)?;
    let known =
        |key: &str| key == OVERFLOW || spec.required.contains(&key) || spec.optional.contains(&key);
    let (key, value) = point.attributes.iter().find(|(key, _)| !known(key))?;
    Some(describe(key, Some(value)))
}

pub(super) fn method(point: &PointView) -> Option<String> {
    unless(&point.attributes, "http.request.method", is_known_method)
}

pub(super) fn route(point: &PointView) -> Option<String> {
    unless(&point.attributes, "http.route", is_route)
}

pub(super) fn status(point: &PointView) -> Option<String> {
    unless(
        &point.attributes,
        "http.response.status_code",
        is_status_code,
    )
}

pub(super) fn error_type(point: &PointView) -> Option<String> {
    unless(&point.attributes, "error.type", is_error_type)
}

pub(super) fn error_if(point: &PointView) -> Option<String> {
    let code = int(&point.attributes, "http.response.status_code")?;
    let limit = if point.name.starts_with("http.client.") {
        400
    } else {
        500
    };
    let missing = code >= limit && !point.attributes.contains_key("error.type");
    missing.then(|| format!("no error.type for {code}"))
}

pub(super) fn version(point: &PointView) -> Option<String> {
    unless(&point.attributes, "network.protocol.version", is_version)
}

pub(super) fn protocol(point: &PointView) -> Option<String> {
    unless(
        &point.attributes,
        "network.protocol.name",
        is_other_protocol,
    )
}

pub(super) fn scheme(point: &PointView) -> Option<String> {
    unless(&point.attributes, "url.scheme", is_scheme)
}

pub(super) fn address(point: &PointView) -> Option<String> {
    unless(&point.attributes, "server.address", is_host)
        .or_else(|| unless(&point.attributes, "server.port", is_port))
}

fn is_overflow(point: &PointView) -> bool {
    point.attributes.contains_key(OVERFLOW)
}
