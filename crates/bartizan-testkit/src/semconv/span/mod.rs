//! Rules for HTTP server and client spans.

mod outcome;
mod target;

use bartizan_panel::view::{SpanKind, SpanView, Value};

use super::{
    Rule,
    common::{OTHER, describe, is_known_method, is_port, is_route, not_text, text, unless},
};

/// All rules for spans, in the order they are checked.
pub const SPAN_RULES: &[Rule<SpanView>] = &[
    rule(
        "attributes.unique",
        "attribute keys are not repeated",
        attributes_unique,
    ),
    rule(
        "attributes.stable",
        "no names from before the conventions were stable",
        stable_names,
    ),
    rule(
        "attributes.types",
        "addresses, user agent and peer port are of their types",
        types,
    ),
    rule(
        "headers.sensitive",
        "credentials in headers are never recorded",
        sensitive_headers,
    ),
    rule(
        "headers.shape",
        "recorded headers are lower-case keys with lists of strings",
        header_shape,
    ),
    rule(
        "method.required",
        "http.request.method is there",
        method_required,
    ),
    rule(
        "method.known",
        "http.request.method is a known method or _OTHER",
        method_known,
    ),
    rule(
        "method.original",
        "http.request.method_original says what _OTHER stands for",
        method_original,
    ),
    rule(
        "name",
        "the name is {method} {route or template}, or {method}, with HTTP for _OTHER",
        name,
    ),
    rule("route", "http.route is a template, never the path", route),
    rule(
        "status_code",
        "http.response.status_code is an integer from 100 to 599",
        outcome::status_code,
    ),
    rule(
        "error.type",
        "error.type is a low-cardinality identifier",
        outcome::error_type,
    ),
    rule(
        "error.iff",
        "error.type is there if and only if the status is Error",
        outcome::error_iff,
    ),
    rule(
        "error.code",
        "an error.type that is a number is the response's status code",
        outcome::error_code,
    ),
    rule(
        "status.never_ok",
        "the status is never Ok",
        outcome::never_ok,
    ),
    rule(
        "status.server_unset",
        "1xx to 4xx alone leave a server's status unset",
        outcome::server_unset,
    ),
    rule(
        "status.client_unset",
        "1xx to 3xx alone leave a client's status unset",
        outcome::client_unset,
    ),
    rule("status.5xx", "5xx is an Error", outcome::server_error),
    rule(
        "status.client_4xx",
        "4xx is an Error on the client",
        outcome::client_error,
    ),
    rule(
        "status.description",
        "no description if the status code says it all",
        outcome::description,
    ),
    rule(
        "protocol.version",
        "network.protocol.version is 1.0, 1.1, 2 or 3",
        target::version,
    ),
    rule(
        "protocol.name",
        "network.protocol.name is given only if it is not http",
        target::protocol_name,
    ),
    rule(
        "scheme",
        "url.scheme is there on a server, and never empty",
        target::scheme,
    ),
    rule(
        "server.address",
        "server.address is a host without port, required on a client",
        target::address,
    ),
    rule(
        "server.port",
        "server.port goes with server.address",
        target::port,
    ),
    rule(
        "url.path",
        "url.path is there on a server, without query",
        target::path,
    ),
    rule(
        "url.query",
        "url.query is not empty and has no leading ?",
        target::query,
    ),
    rule(
        "url.redacted",
        "values of signatures and credentials in queries are REDACTED",
        target::redacted,
    ),
    rule(
        "url.full",
        "url.full is there on a client, absolute",
        target::full,
    ),
    rule(
        "url.credentials",
        "credentials in url.full are REDACTED:REDACTED",
        target::credentials,
    ),
    rule(
        "resend_count",
        "http.request.resend_count is given from the first resend on",
        resends,
    ),
];

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

const fn rule(
    id: &'static str,
    text: &'static str,
    check: fn(&SpanView) -> Option<String>,
) -> Rule<SpanView> {
    Rule { id, text, check }
}

pub(super) fn is_http(span: &SpanView) -> bool {
    let other = |key: &String| {
        ["db.", "rpc.", "messaging."]
            .iter()
            .any(|prefix| key.starts_with(prefix))
    };
    matches!(span.kind, SpanKind::Server | SpanKind::Client) && !span.attributes.keys().any(other)
}

fn is_client(span: &SpanView) -> bool {
    span.kind == SpanKind::Client
}

fn attributes_unique(span: &SpanView) -> Option<String> {
    (!span.repeated_keys.is_empty()).then(|| format!("{:?} repeated", span.repeated_keys))
}

fn stable_names(span: &SpanView) -> Option<String> {
    OLD_NAMES
        .into_iter()
        .find(|name| span.attributes.contains_key(*name))
        .map(str::to_owned)
}

fn types(span: &SpanView) -> Option<String> {
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

fn sensitive_headers(span: &SpanView) -> Option<String> {
    header_names(span)
        .find(|(name, _)| SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, _)| name.to_owned())
}

fn header_shape(span: &SpanView) -> Option<String> {
    let good = |name: &str, value: &Value| {
        let strings = matches!(value, Value::Array(values) if values.iter().all(|value| value.as_str().is_some()));
        strings && !name.contains(char::is_uppercase)
    };
    header_names(span)
        .find(|(name, value)| !good(name, value))
        .map(|(name, value)| describe(name, Some(value)))
}

fn method_required(span: &SpanView) -> Option<String> {
    not_text(&span.attributes, "http.request.method")
}

fn method_known(span: &SpanView) -> Option<String> {
    let method = text(&span.attributes, "http.request.method")?;
    let known = method.is_empty() || is_known_method(&Value::from(method));
    (!known).then(|| method.to_owned())
}

fn method_original(span: &SpanView) -> Option<String> {
    const KEY: &str = "http.request.method_original";
    match text(&span.attributes, "http.request.method")? {
        OTHER => not_text(&span.attributes, KEY),
        // It is there if it differs, as `get` does from `GET`.
        method => unless(&span.attributes, KEY, |original| {
            original
                .as_str()
                .is_some_and(|original| original != method && original.eq_ignore_ascii_case(method))
        }),
    }
}

fn name(span: &SpanView) -> Option<String> {
    let method = match text(&span.attributes, "http.request.method")? {
        OTHER => "HTTP",
        method => method,
    };
    let target = if is_client(span) {
        "url.template"
    } else {
        "http.route"
    };
    let name = match text(&span.attributes, target) {
        Some(target) => format!("{method} {target}"),
        None => method.to_owned(),
    };
    (span.name != name).then(|| format!("{:?}, expected {name:?}", span.name))
}

fn route(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "http.route", is_route)
}

fn resends(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "http.request.resend_count", |value| {
        value.as_int().is_some_and(|count| count >= 1)
    })
}
