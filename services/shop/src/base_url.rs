//! A URL that paths can be put behind, for `#[serde(with = "shop::base_url")]` in a configuration:
//! `http` or `https`, with a host and without a query or a fragment.

use std::fmt::Display;
use std::str::FromStr;

use axum::http::Uri;
use bartizan::config;
use serde::{Deserializer, Serializer};

const EXPECTED: &str = "an http or https URL such as http://127.0.0.1:8081";

/// Reads one, as whatever type of URL is wanted.
///
/// # Errors
///
/// When it is none.
pub fn deserialize<'de, D: Deserializer<'de>, T: FromStr>(deserializer: D) -> Result<T, D::Error> {
    config::text(deserializer, EXPECTED, |text| {
        text.parse().ok().filter(|_| is_one(text))
    })
}

/// Writes one.
///
/// # Errors
///
/// When it cannot be written.
pub fn serialize<S: Serializer>(url: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(url)
}

fn is_one(text: &str) -> bool {
    // `Uri` cuts a fragment off instead of refusing it.
    if text.contains(['?', '#']) {
        return false;
    }
    text.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_http_and_ends_with_its_path() {
        for (text, expected) in [
            ("http://127.0.0.1:8081", true),
            ("https://orders.internal/v1/", true),
            ("http://[::1]:80", true),
            ("orders:8081", false),
            ("ftp://orders", false),
            ("http://orders/?a=b", false),
            ("http://orders/#top", false),
            ("/orders", false),
            ("", false),
        ] {
            assert_eq!(is_one(text), expected, "{text}");
        }
    }
}
