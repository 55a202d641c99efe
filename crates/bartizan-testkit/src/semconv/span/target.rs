//! Rules on where a request went: protocol, server, URL and route.

use bartizan_panel::view::SpanView;

use super::{
    super::common::{
        describe, is_host, is_other_protocol, is_port, is_route, is_scheme, is_version, text,
        unless,
    },
    is_client,
};

/// The query parameters whose values the conventions redact, case-sensitive.
const SECRET_PARAMETERS: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Signature",
    "sig",
];

pub(super) fn version(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "network.protocol.version", is_version)
}

pub(super) fn protocol_name(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "network.protocol.name", is_other_protocol)
}

pub(super) fn scheme(span: &SpanView) -> Option<String> {
    const KEY: &str = "url.scheme";
    if !is_client(span) && !span.attributes.contains_key(KEY) {
        return Some(describe(KEY, None));
    }
    unless(&span.attributes, KEY, is_scheme)
}

pub(super) fn address(span: &SpanView) -> Option<String> {
    const KEY: &str = "server.address";
    if is_client(span) && !span.attributes.contains_key(KEY) {
        return Some(describe(KEY, None));
    }
    unless(&span.attributes, KEY, is_host)
}

pub(super) fn port(span: &SpanView) -> Option<String> {
    const KEY: &str = "server.port";
    let needed = is_client(span) || span.attributes.contains_key("server.address");
    if needed && !span.attributes.contains_key(KEY) {
        return Some(describe(KEY, None));
    }
    unless(&span.attributes, KEY, is_port)
}

pub(super) fn path(span: &SpanView) -> Option<String> {
    const KEY: &str = "url.path";
    if !is_client(span) && !span.attributes.contains_key(KEY) {
        return Some(describe(KEY, None));
    }
    unless(&span.attributes, KEY, |value| {
        value
            .as_str()
            .is_some_and(|path| !path.is_empty() && !path.contains(['?', '#']))
    })
}

pub(super) fn query(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "url.query", |value| {
        value
            .as_str()
            .is_some_and(|query| !query.is_empty() && !query.starts_with('?'))
    })
}

pub(super) fn redacted(span: &SpanView) -> Option<String> {
    let full = text(&span.attributes, "url.full").and_then(|url| url.split_once('?'));
    let queries = [
        text(&span.attributes, "url.query"),
        full.map(|(_, query)| query),
    ];
    let mut parameters = queries.into_iter().flatten().flat_map(|query| {
        let query = query.split('#').next().unwrap_or_default();
        query.split('&').filter_map(|pair| pair.split_once('='))
    });
    parameters
        .find(|(key, value)| SECRET_PARAMETERS.contains(key) && *value != "REDACTED")
        .map(|(key, _)| format!("{key} in clear"))
}

pub(super) fn full(span: &SpanView) -> Option<String> {
    const KEY: &str = "url.full";
    if is_client(span) && !span.attributes.contains_key(KEY) {
        return Some(describe(KEY, None));
    }
    unless(&span.attributes, KEY, |value| {
        let parts = value.as_str().and_then(|url| url.split_once("://"));
        parts.is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty())
    })
}

pub(super) fn credentials(span: &SpanView) -> Option<String> {
    let (_, rest) = text(&span.attributes, "url.full")?.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let (credentials, _) = authority.rsplit_once('@')?;
    (credentials != "REDACTED:REDACTED").then(|| "credentials in clear".to_owned())
}

pub(super) fn route(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "http.route", is_route)
}
