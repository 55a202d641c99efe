use std::fmt;
use std::str::FromStr;

use axum::http::{HeaderValue, Uri};

/// A web page's origin as browsers send it: scheme, host and, unless it is the scheme's own, port.
///
/// ```
/// use bartizan::edge::Origin;
///
/// assert!("https://shop.example".parse::<Origin>().is_ok());
/// assert_eq!(
///     "https://shop.example/".parse::<Origin>().unwrap_err().to_string(),
///     "`https://shop.example/` is not an origin such as https://shop.example or \
///      http://localhost:3000, in lower case"
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// A text is no origin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an origin such as https://shop.example or http://localhost:3000, in lower case"
)]
pub struct InvalidOrigin(String);

// === impl Origin ===

impl Origin {
    /// The value of the header `Origin`.
    #[must_use]
    pub const fn as_header(&self) -> &HeaderValue {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    fn from_str(text: &str) -> Result<Self, InvalidOrigin> {
        let origin = || {
            let uri: Uri = text.parse().ok()?;
            let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
            // What browsers write, byte for byte, since that is how it is compared: a path, a user
            // or a port that goes without saying would never match.
            let is_as_sent = text == format!("{scheme}://{authority}")
                && matches!(scheme, "http" | "https")
                && !authority.as_str().contains('@')
                && !authority.host().is_empty()
                && !text.chars().any(|char| char.is_ascii_uppercase())
                && !matches!(
                    (scheme, authority.port_u16()),
                    ("http", Some(80)) | ("https", Some(443))
                )
                && !text.ends_with(':');
            is_as_sent.then(|| HeaderValue::from_str(text).ok())?
        };
        origin()
            .map(Self)
            .ok_or_else(|| InvalidOrigin(text.to_owned()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for (text, is_one) in [
            ("https://shop.example", true),
            ("http://localhost:3000", true),
            ("http://[::1]:3000", true),
            ("https://shop.example:8443", true),
            ("https://shop.example/", false),
            ("https://shop.example/cart", false),
            ("https://shop.example?x", false),
            ("https://Shop.example", false),
            ("HTTPS://shop.example", false),
            ("https://user@shop.example", false),
            ("https://shop.example:443", false),
            ("http://shop.example:80", false),
            ("https://shop.example:", false),
            ("ftp://shop.example", false),
            ("shop.example", false),
            ("//shop.example", false),
            ("https://", false),
            ("null", false),
            ("*", false),
            ("", false),
        ] {
            let origin = text.parse::<Origin>();
            assert_eq!(origin.is_ok(), is_one, "{text}");
            if let Ok(origin) = origin {
                assert_eq!(origin.to_string(), text);
            }
        }
    }
}
