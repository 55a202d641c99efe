//! Where something is asked.

use std::fmt;

/// The address of a server, with a path and without credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url(reqwest::Url);

// === impl Url ===

impl Url {
    /// What [`Self::plain`] takes.
    pub(crate) const PLAIN: &str =
        "an http:// URL without credentials such as http://127.0.0.1:8090/readyz";

    /// One that is asked over plain HTTP.
    pub(crate) fn plain(text: &str) -> Option<Self> {
        Self::of(text, &["http"])
    }

    /// What [`Self::parse`] takes.
    pub(crate) const ANY: &str =
        "an http:// or https:// URL without credentials such as http://127.0.0.1:16686";

    /// One that may be asked over TLS as well.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::of(text, &["http", "https"])
    }

    fn of(text: &str, schemes: &[&str]) -> Option<Self> {
        let url: reqwest::Url = text.parse().ok()?;
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        (schemes.contains(&url.scheme()) && !has_credentials).then_some(Self(url))
    }

    /// What is at `path`, which begins with a slash, below this.
    pub(crate) fn under(&self, path: &str) -> Self {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path().trim_end_matches('/')));
        Self(url)
    }

    /// A name or an address, an IPv6 one without its brackets.
    pub(crate) fn host(&self) -> &str {
        let host = self.0.host_str().unwrap_or_default();
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port_or_known_default().unwrap_or(80)
    }

    /// What the `Host` field says.
    pub(crate) fn authority(&self) -> &str {
        self.0.authority()
    }

    /// What the request line says.
    pub(crate) fn target(&self) -> String {
        let path = self.0.path();
        self.0
            .query()
            .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"))
    }
}

impl AsRef<reqwest::Url> for Url {
    fn as_ref(&self) -> &reqwest::Url {
        &self.0
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_says_whom_to_ask_for_what() {
        for (text, host, port, authority, target) in [
            ("http://gateway", "gateway", 80, "gateway", "/"),
            (
                "HTTP://127.0.0.1:8090/readyz",
                "127.0.0.1",
                8090,
                "127.0.0.1:8090",
                "/readyz",
            ),
            ("http://[::1]:1/a?b=c#d", "::1", 1, "[::1]:1", "/a?b=c"),
            ("http://h:2?q", "h", 2, "h:2", "/?q"),
        ] {
            let url = Url::plain(text).unwrap();
            assert_eq!((url.host(), url.port()), (host, port), "{text}");
            assert_eq!(
                (url.authority(), &*url.target()),
                (authority, target),
                "{text}"
            );
        }
    }

    #[test]
    fn paths_go_below_the_base() {
        for (base, expected) in [
            ("http://h", "http://h/api/x"),
            ("https://h:1/", "https://h:1/api/x"),
            ("http://h/jaeger/", "http://h/jaeger/api/x"),
        ] {
            let url = Url::parse(base).unwrap().under("/api/x");
            assert_eq!(url.to_string(), expected);
        }
    }

    #[test]
    fn what_cannot_be_asked_is_no_url() {
        for text in [
            "",
            "gateway",
            "gateway:80",
            "/readyz",
            "https://gateway",
            "http://",
            "http://user:secret@gateway/",
            "http://user@gateway/",
            "http://gateway:99999/",
            "http://gate way/",
        ] {
            assert_eq!(Url::plain(text), None, "{text}");
        }
    }
}
