use axum::http::Uri;

/// What [`is_base_url`] takes, in an error's words.
pub const EXPECTED_URL: &str = "an http or https URL such as http://127.0.0.1:8081";

/// Whether a text is a URL that paths can be put behind: `http` or `https`, with a host and without
/// a query or a fragment.
#[must_use]
pub fn is_base_url(text: &str) -> bool {
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
            assert_eq!(is_base_url(text), expected, "{text}");
        }
    }
}
