//! Rules on how a request ended: status code, status, `error.type`.

use bartizan_panel::view::{SpanKind, SpanView, StatusCode};

use super::{
    super::common::{describe, int, is_error_type, is_status_code, text, unless},
    is_client,
};

pub(super) fn status_code(span: &SpanView) -> Option<String> {
    unless(
        &span.attributes,
        "http.response.status_code",
        is_status_code,
    )
}

pub(super) fn error_type(span: &SpanView) -> Option<String> {
    unless(&span.attributes, "error.type", is_error_type)
}

pub(super) fn error_iff(span: &SpanView) -> Option<String> {
    let typed = span.attributes.contains_key("error.type");
    let error = span.status == StatusCode::Error;
    (typed != error).then(|| {
        let found = describe("error.type", span.attributes.get("error.type"));
        format!("{found} with status {:?}", span.status)
    })
}

pub(super) fn error_code(span: &SpanView) -> Option<String> {
    let error = text(&span.attributes, "error.type")?;
    let number = error.parse::<i64>().ok()?;
    (code(span) != Some(number)).then(|| format!("error.type {error} with code {:?}", code(span)))
}

pub(super) fn never_ok(span: &SpanView) -> Option<String> {
    (span.status == StatusCode::Ok).then(|| "Ok".to_owned())
}

pub(super) fn server_unset(span: &SpanView) -> Option<String> {
    unset_below(span, SpanKind::Server, 500)
}

pub(super) fn client_unset(span: &SpanView) -> Option<String> {
    unset_below(span, SpanKind::Client, 400)
}

fn unset_below(span: &SpanView, kind: SpanKind, limit: i64) -> Option<String> {
    let code = code(span)?;
    let alone = span.kind == kind && code < limit && !has_error_of_its_own(span);
    (alone && span.status == StatusCode::Error).then(|| format!("Error for {code}"))
}

pub(super) fn server_error(span: &SpanView) -> Option<String> {
    let code = code(span)?;
    (code >= 500 && span.status == StatusCode::Unset).then(|| format!("Unset for {code}"))
}

pub(super) fn client_error(span: &SpanView) -> Option<String> {
    let code = code(span)?;
    let wrong = is_client(span) && (400..500).contains(&code) && span.status == StatusCode::Unset;
    wrong.then(|| format!("Unset for {code}"))
}

pub(super) fn description(span: &SpanView) -> Option<String> {
    let said = code(span).is_some() && !has_error_of_its_own(span);
    (said && !span.status_message.is_empty()).then(|| format!("{:?}", span.status_message))
}

fn code(span: &SpanView) -> Option<i64> {
    int(&span.attributes, "http.response.status_code")
}

/// Whether `error.type` names something the status code does not say.
fn has_error_of_its_own(span: &SpanView) -> bool {
    let error = text(&span.attributes, "error.type");
    error.is_some_and(|error| code(span).is_none_or(|code| code.to_string() != error))
}
