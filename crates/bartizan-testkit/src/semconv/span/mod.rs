//! Rules for HTTP server and client spans.

mod attributes;
mod method;
mod outcome;
mod target;

use bartizan_panel::view::{SpanKind, SpanView};

use super::{Rule, common::unless};

/// All rules for spans, in the order they are checked.
pub const SPAN_RULES: &[Rule<SpanView>] = &[
    rule(
        "attributes.unique",
        "attribute keys are not repeated",
        attributes::unique,
    ),
    rule(
        "attributes.stable",
        "no names from before the conventions were stable",
        attributes::stable_names,
    ),
    rule(
        "attributes.types",
        "addresses, user agent and peer port are of their types",
        attributes::types,
    ),
    rule(
        "headers.sensitive",
        "credentials in headers are never recorded",
        attributes::sensitive_headers,
    ),
    rule(
        "headers.shape",
        "recorded headers are lower-case keys with lists of strings",
        attributes::header_shape,
    ),
    rule(
        "method.required",
        "http.request.method is there",
        method::required,
    ),
    rule(
        "method.known",
        "http.request.method is a known method or _OTHER",
        method::known,
    ),
    rule(
        "method.original",
        "http.request.method_original says what _OTHER stands for",
        method::original,
    ),
    rule(
        "name",
        "the name is {method} {route or template}, or {method}, with HTTP for _OTHER",
        method::name,
    ),
    rule(
        "route",
        "http.route is a template, never the path",
        target::route,
    ),
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

fn resends(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "http.request.resend_count", |value| {
        value.as_int().is_some_and(|count| count >= 1)
    })
}
