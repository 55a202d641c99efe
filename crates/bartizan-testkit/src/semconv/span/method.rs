//! Rules on the method, and on the span's name, which begins with it.

use bartizan_panel::view::{SpanView, Value};

use super::{
    super::common::{OTHER, is_known_method, not_text, text, unless},
    is_client,
};

pub(super) fn required(span: &SpanView) -> Option<String> {
    not_text(&span.attributes, "http.request.method")
}

pub(super) fn known(span: &SpanView) -> Option<String> {
    let method = text(&span.attributes, "http.request.method")?;
    let known = method.is_empty() || is_known_method(&Value::from(method));
    (!known).then(|| method.to_owned())
}

pub(super) fn original(span: &SpanView) -> Option<String> {
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

pub(super) fn name(span: &SpanView) -> Option<String> {
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
