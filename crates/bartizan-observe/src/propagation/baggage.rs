//! The `baggage` field (W3C Baggage section 3): grammar, percent-encoding, limits.
//!
//! The API's [`Baggage`] holds one value per key, in no order, so of members with the same key
//! the last one stays, as with its own `insert`; the specification leaves the choice open.

use std::fmt::Write;

use opentelemetry::baggage::Baggage;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

use super::trim_ows;

/// How many members are taken from a request and sent with one: the number that the
/// specification demands to be passed on. There is no reason to serve a client with more.
pub const MAX_BAGGAGE_MEMBERS: usize = 64;

/// How many bytes of members and the commas between them are taken from a request and sent with
/// one: the number that the specification demands to be passed on.
pub const MAX_BAGGAGE_BYTES: usize = 8192;

/// What a value can't hold as it is. No more than that, lest a header grow past the limit only
/// because it was passed on.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b',')
    .add(b';')
    .add(b'\\')
    .add(b'%');

/// Reads all lines as one list. Members that are not valid are dropped, as are those that would
/// exceed a limit, always whole; `None` if nothing is left.
pub(super) fn parse<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Option<Baggage> {
    let mut baggage = Baggage::new();
    let (mut members, mut bytes) = (0, 0);
    for raw in lines.flat_map(|line| line.split(|&byte| byte == b',')) {
        let Some(Member {
            key,
            value,
            properties,
            bytes: size,
        }) = Member::parse(raw)
        else {
            continue;
        };
        bytes += size + usize::from(members > 0);
        members += 1;
        if members > MAX_BAGGAGE_MEMBERS || bytes > MAX_BAGGAGE_BYTES {
            break;
        }
        // The API's limits are the same, over the decoded text, which is never the longer one.
        let properties = properties.strip_prefix(';').unwrap_or_default();
        baggage.insert_with_metadata(key.to_owned(), value, properties);
    }
    (!baggage.is_empty()).then_some(baggage)
}

/// The field value; `None` when there is nothing to send. A member that would exceed a limit is
/// left out whole, as is a property that is not valid.
pub(super) fn format(baggage: &Baggage) -> Option<String> {
    let mut line = String::new();
    for (key, (value, properties)) in baggage.iter().take(MAX_BAGGAGE_MEMBERS) {
        let start = line.len();
        if start > 0 {
            line.push(',');
        }
        let value = utf8_percent_encode(value.as_str(), ENCODED);
        // Writing to a `String` can't fail.
        let _ = write!(line, "{key}={value}");
        let properties = properties.as_str().split(';');
        for property in properties.filter_map(|text| parse_property(text.as_bytes())) {
            put_property(&mut line, property);
        }
        if line.len() > MAX_BAGGAGE_BYTES {
            line.truncate(start);
        }
    }
    (!line.is_empty()).then_some(line)
}

struct Member<'a> {
    key: &'a str,
    value: String,
    /// With a `;` before each.
    properties: String,
    /// What it takes in the header, without optional whitespace.
    bytes: usize,
}

// === impl Member ===

impl<'a> Member<'a> {
    fn parse(raw: &'a [u8]) -> Option<Self> {
        let mut parts = raw.split(|&byte| byte == b';');
        let (key, value) = split_pair(parts.next()?);
        let (key, value) = (as_token(key)?, as_octets(value?)?);
        let mut properties = String::new();
        for part in parts.filter(|part| !trim_ows(part).is_empty()) {
            put_property(&mut properties, parse_property(part)?);
        }
        let bytes = key.len() + 1 + value.len() + properties.len();
        // Octets that are not UTF-8 become U+FFFD, as section 3.3.1.3 has it.
        let value = percent_decode(value.as_bytes())
            .decode_utf8_lossy()
            .into_owned();
        Some(Self {
            key,
            value,
            properties,
            bytes,
        })
    }
}

/// A property's key and value. The value means nothing to us, so it stays encoded as it is.
type Property<'a> = (&'a str, Option<&'a str>);

fn parse_property(raw: &[u8]) -> Option<Property<'_>> {
    let (key, value) = split_pair(raw);
    let value = match value {
        Some(value) => Some(as_octets(value)?),
        None => None,
    };
    Some((as_token(key)?, value))
}

fn put_property(line: &mut String, (key, value): Property<'_>) {
    line.push(';');
    line.push_str(key);
    if let Some(value) = value {
        line.push('=');
        line.push_str(value);
    }
}

/// Splits at the first `=`: a value may hold more of them.
fn split_pair(raw: &[u8]) -> (&[u8], Option<&[u8]>) {
    match raw.iter().position(|&byte| byte == b'=') {
        Some(at) => (trim_ows(&raw[..at]), Some(trim_ows(&raw[at + 1..]))),
        None => (trim_ows(raw), None),
    }
}

/// A `token` of RFC 9110 section 5.6.2.
fn as_token(text: &[u8]) -> Option<&str> {
    let is_char = |&byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (!text.is_empty() && text.iter().all(is_char)).then(|| std::str::from_utf8(text).ok())?
}

/// `*baggage-octet`: visible ASCII without `"`, `,`, `;` and `\`.
fn as_octets(text: &[u8]) -> Option<&str> {
    let is_octet = |&byte: &u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
    text.iter()
        .all(is_octet)
        .then(|| std::str::from_utf8(text).ok())?
}
