//! What spans and metrics have in common.

use bartizan_panel::view::{Attributes, Value};

/// RFC 9110, RFC 5789 (PATCH) and the QUERY method.
const KNOWN_METHODS: [&str; 10] = [
    "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE",
];

/// What an unknown method is called.
pub(super) const OTHER: &str = "_OTHER";

pub(super) fn text<'a>(attributes: &'a Attributes, key: &str) -> Option<&'a str> {
    attributes.get(key).and_then(Value::as_str)
}

pub(super) fn int(attributes: &Attributes, key: &str) -> Option<i64> {
    attributes.get(key).and_then(Value::as_int)
}

/// `None` if the attribute is text that is not empty, else what it is.
pub(super) fn not_text(attributes: &Attributes, key: &str) -> Option<String> {
    match attributes.get(key) {
        Some(Value::Str(text)) if !text.is_empty() => None,
        other => Some(describe(key, other)),
    }
}

/// `None` if the attribute is absent or passes, else what it is.
pub(super) fn unless(
    attributes: &Attributes,
    key: &str,
    passes: impl FnOnce(&Value) -> bool,
) -> Option<String> {
    let value = attributes.get(key)?;
    (!passes(value)).then(|| describe(key, Some(value)))
}

pub(super) fn describe(key: &str, value: Option<&Value>) -> String {
    match value {
        None => format!("no {key}"),
        Some(value) => format!("{key} = {value:?}"),
    }
}

pub(super) fn is_known_method(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|method| method == OTHER || KNOWN_METHODS.contains(&method))
}

pub(super) fn is_status_code(value: &Value) -> bool {
    value
        .as_int()
        .is_some_and(|code| (100..=599).contains(&code))
}

/// Text in few distinct values: a class name or a code, not a message.
pub(super) fn is_error_type(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        !text.is_empty() && text.len() <= 128 && !text.contains(char::is_whitespace)
    })
}

pub(super) fn is_version(value: &Value) -> bool {
    matches!(value.as_str(), Some("1.0" | "1.1" | "2" | "3"))
}

/// Lower case, and not `http`, which is what its absence says.
pub(super) fn is_other_protocol(value: &Value) -> bool {
    value.as_str().is_some_and(|name| {
        !name.is_empty() && name != "http" && !name.contains(char::is_uppercase)
    })
}

/// Lower case, without `:`.
pub(super) fn is_scheme(value: &Value) -> bool {
    value.as_str().is_some_and(|scheme| {
        !scheme.is_empty()
            && scheme
                .bytes()
                .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
    })
}

pub(super) fn is_port(value: &Value) -> bool {
    value
        .as_int()
        .is_some_and(|port| (1..=65535).contains(&port))
}

/// A name or address without a port.
pub(super) fn is_host(value: &Value) -> bool {
    value.as_str().is_some_and(|host| {
        let with_port = host.rsplit_once(':').is_some_and(|(name, port)| {
            let one_colon = !name.contains(':') || name.ends_with(']');
            one_colon && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        !host.is_empty() && !with_port
    })
}

/// A template: no segment is a number or looks like an id, which a raw path would have.
pub(super) fn is_route(value: &Value) -> bool {
    value.as_str().is_some_and(|route| {
        let raw = |segment: &str| {
            let digits = segment.bytes().filter(u8::is_ascii_digit).count();
            let id = segment
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
            digits > 0 && (digits == segment.len() || (id && segment.len() >= 16))
        };
        route.starts_with('/') && !route.contains('?') && !route.split('/').any(raw)
    })
}
