//! Rules on which attributes a span may have at all: names, types and recorded headers.

use bartizan_panel::view::{SpanView, Value};

use super::super::common::{describe, is_port, unless};

const SECRET_HEADERS: [&str; 5] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-api-key",
];

const OLD_NAMES: [&str; 18] = [
    "http.client_ip",
    "http.flavor",
    "http.host",
    "http.method",
    "http.request_content_length",
    "http.response_content_length",
    "http.scheme",
    "http.server_name",
    "http.status_code",
    "http.target",
    "http.url",
    "http.user_agent",
    "net.host.name",
    "net.host.port",
    "net.peer.name",
    "net.peer.port",
    "net.protocol.name",
    "net.protocol.version",
];

pub(super) fn unique(span: &SpanView) -> Option<String> {
    (!span.repeated_keys.is_empty()).then(|| format!("{:?} repeated", span.repeated_keys))
}

pub(super) fn stable_names(span: &SpanView) -> Option<String> {
    OLD_NAMES
        .into_iter()
        .find(|name| span.attributes.contains_key(*name))
        .map(str::to_owned)
}

pub(super) fn types(span: &SpanView) -> Option<String> {
    let attributes = &span.attributes;
    let texts = [
        "client.address",
        "network.peer.address",
        "user_agent.original",
    ];
    texts
        .into_iter()
        .find_map(|key| unless(attributes, key, |value| value.as_str().is_some()))
        .or_else(|| unless(attributes, "network.peer.port", is_port))
}

fn header_names(span: &SpanView) -> impl Iterator<Item = (&str, &Value)> {
    span.attributes.iter().filter_map(|(key, value)| {
        let rest = key.strip_prefix("http.request.header.");
        let name = rest.or_else(|| key.strip_prefix("http.response.header."))?;
        Some((name, value))
    })
}

pub(super) fn sensitive_headers(span: &SpanView) -> Option<String> {
    header_names(span)
        .find(|(name, _)| SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, _)| name.to_owned())
}

pub(super) fn header_shape(span: &SpanView) -> Option<String> {
    let good = |name: &str, value: &Value| {
        let strings = matches!(value, Value::Array(values) if values.iter().all(|value| value.as_str().is_some()));
        strings && !name.contains(char::is_uppercase)
    };
    header_names(span)
        .find(|(name, value)| !good(name, value))
        .map(|(name, value)| describe(name, Some(value)))
}
