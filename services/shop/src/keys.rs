//! What makes a call that is sent twice happen once.

use std::fmt;
use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::extract::BadRequest;

/// `idempotency-key`, by draft-ietf-httpapi-idempotency-key-header.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// The longest [`OrderId`], in bytes; the order service's have half as many.
pub const MAX_ORDER_ID: usize = 64;

/// An order's id between the services, which their calls are idempotent by: 1 to [`MAX_ORDER_ID`]
/// letters, digits, `-` and `_`.
///
/// Whoever calls has it before the call and not from the answer, so a call whose answer was lost can
/// be undone all the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct OrderId(String);

/// A text that is no [`OrderId`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the order id is `{0}`, expected 1 to {MAX_ORDER_ID} letters, digits, - and _")]
pub struct InvalidOrderId(String);

/// What a client names an operation by, so that sending it again does not do it again.
///
/// The draft's header is a string as structured fields write it (RFC 9651), in quotes. Since many
/// clients leave the quotes out, a key without them is taken as well, if it has only letters,
/// digits and the marks that need no quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

// === impl OrderId ===

impl OrderId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for OrderId {
    type Error = InvalidOrderId;

    fn try_from(text: String) -> Result<Self, InvalidOrderId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=MAX_ORDER_ID).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(InvalidOrderId(text))
        }
    }
}

impl From<OrderId> for String {
    fn from(id: OrderId) -> Self {
        id.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// === impl IdempotencyKey ===

impl IdempotencyKey {
    /// The request's key, or `None` if it has none.
    ///
    /// # Errors
    ///
    /// When the header is there more than once, is not a string, or is empty or longer than
    /// `max_len` bytes.
    pub fn from_headers(headers: &HeaderMap, max_len: usize) -> Result<Option<Self>, BadRequest> {
        let mut values = headers.get_all(&IDEMPOTENCY_KEY).into_iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        let key = if values.next().is_none() {
            unquoted(value).filter(|key| (1..=max_len).contains(&key.len()))
        } else {
            None
        };
        match key {
            Some(key) => Ok(Some(Self(key))),
            None => Err(BadRequest::new(
                StatusCode::BAD_REQUEST,
                format!(
                    "idempotency-key is {value:?}, expected one string of 1 to {max_len} bytes \
                     such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\""
                ),
            )),
        }
    }

    /// The key with its client in front of it, so that two clients who chose the same are told apart
    /// by a service further in.
    #[must_use]
    pub fn scoped(&self, client: IpAddr) -> Self {
        Self(format!("{client} {}", self.0))
    }

    /// The key without its quotes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The header's value, in quotes.
    #[expect(
        clippy::missing_panics_doc,
        reason = "every way to a key leaves visible ASCII and spaces alone"
    )]
    #[must_use]
    pub fn to_header(&self) -> HeaderValue {
        let mut quoted = String::with_capacity(self.0.len() + 2);
        quoted.push('"');
        for letter in self.0.chars() {
            if matches!(letter, '"' | '\\') {
                quoted.push('\\');
            }
            quoted.push(letter);
        }
        quoted.push('"');
        HeaderValue::try_from(quoted).expect("visible ASCII is a header's value")
    }
}

/// The text of an RFC 9651 string, or of one whose quotes were left out.
fn unquoted(value: &HeaderValue) -> Option<String> {
    let text = value.to_str().ok()?.trim();
    let Some(inner) = text.strip_prefix('"') else {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/=@".contains(&byte);
        return text.bytes().all(plain).then(|| text.to_owned());
    };
    let mut key = String::with_capacity(inner.len());
    let mut letters = inner.chars();
    loop {
        match letters.next()? {
            '"' => break,
            '\\' => key.push(letters.next().filter(|next| matches!(next, '"' | '\\'))?),
            letter @ ' '..='~' => key.push(letter),
            _ => return None,
        }
    }
    // Parameters may follow a string, and this one has none.
    letters.as_str().is_empty().then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(value).unwrap());
        IdempotencyKey::from_headers(&headers, 8)
            .ok()
            .flatten()
            .map(|key| key.as_str().to_owned())
    }

    #[test]
    fn a_key_is_a_structured_string_and_its_quotes_may_be_missing() {
        for (value, expected) in [
            (r#""abc""#, Some("abc")),
            (r#""a b""#, Some("a b")),
            (r#""a\"\\""#, Some(r#"a"\"#)),
            ("abc-1", Some("abc-1")),
            ("12345678", Some("12345678")),
            ("123456789", None),
            (r#""""#, None),
            ("", None),
            ("a b", None),
            (r#""a"#, None),
            (r#""a";b=1"#, None),
            (r#""a\b""#, None),
            ("a,b", None),
        ] {
            assert_eq!(parse(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_none_and_no_key_is_no_mistake() {
        let mut headers = HeaderMap::new();
        assert_eq!(IdempotencyKey::from_headers(&headers, 8).unwrap(), None);
        for _ in 0..2 {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_static("a"));
        }
        let error = IdempotencyKey::from_headers(&headers, 8).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("expected one string of 1 to 8 bytes")
        );
    }

    #[test]
    fn a_scoped_key_survives_its_way_through_a_header() {
        let key = IdempotencyKey(r#"a"\b"#.to_owned()).scoped(IpAddr::from([10, 0, 0, 1]));
        let mut headers = HeaderMap::new();
        headers.insert(IDEMPOTENCY_KEY, key.to_header());
        assert_eq!(
            IdempotencyKey::from_headers(&headers, 99).unwrap(),
            Some(key)
        );
    }

    #[test]
    fn an_order_id_is_short_and_plain() {
        for (text, valid) in [
            ("a-1_Z", true),
            ("", false),
            ("a/b", false),
            ("..", false),
            ("ö", false),
        ] {
            assert_eq!(OrderId::try_from(text.to_owned()).is_ok(), valid, "{text}");
        }
        let longest = "x".repeat(MAX_ORDER_ID);
        assert!(OrderId::try_from(longest.clone()).is_ok());
        assert!(OrderId::try_from(longest + "x").is_err());
    }
}
