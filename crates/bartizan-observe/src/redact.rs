//! What must not leave the process inside a URL.

use std::borrow::Cow;

/// Query parameters that grant access, by the semantic conventions' list.
const SECRET_KEYS: [Cow<'static, str>; 7] = [
    Cow::Borrowed("AWSAccessKeyId"),
    Cow::Borrowed("Signature"),
    Cow::Borrowed("X-Amz-Credential"),
    Cow::Borrowed("X-Amz-Security-Token"),
    Cow::Borrowed("X-Amz-Signature"),
    Cow::Borrowed("X-Goog-Signature"),
    Cow::Borrowed("sig"),
];

const REDACTED: &str = "REDACTED";

/// Which query parameters lose their values, compared case-sensitively.
#[derive(Debug, Clone)]
pub(crate) struct Redaction {
    keys: Cow<'static, [Cow<'static, str>]>,
}

// === impl Redaction ===

impl Redaction {
    /// The keys of the semantic conventions.
    pub(crate) const DEFAULT: Self = Self {
        keys: Cow::Borrowed(&SECRET_KEYS),
    };

    /// Exactly these keys, in place of the default ones.
    pub(crate) fn of(keys: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        Self {
            keys: keys.into_iter().map(Into::into).collect(),
        }
    }

    /// A query without its leading `?`; borrowed when there was nothing to hide.
    pub(crate) fn query<'a>(&self, query: &'a str) -> Cow<'a, str> {
        if !query.split('&').any(|pair| self.hides(pair)) {
            return Cow::Borrowed(query);
        }
        let mut out = String::with_capacity(query.len() + REDACTED.len());
        for (at, pair) in query.split('&').enumerate() {
            if at > 0 {
                out.push('&');
            }
            match pair.split_once('=') {
                Some((key, _)) if self.is_secret(key) => {
                    out.push_str(key);
                    out.push('=');
                    out.push_str(REDACTED);
                }
                _ => out.push_str(pair),
            }
        }
        Cow::Owned(out)
    }

    /// An absolute URL: its credentials and the values of secret parameters.
    pub(crate) fn url<'a>(&self, url: &'a str) -> Cow<'a, str> {
        let authority = url.find("://").map_or(0, |at| at + 3);
        let path = url[authority..]
            .find(['/', '?', '#'])
            .map_or(url.len(), |at| authority + at);
        // The last one: user names and passwords may hold an unescaped `@`.
        let credentials = url[authority..path].rfind('@').map(|at| authority + at + 1);

        let fragment = url[path..].find('#').map_or(url.len(), |at| path + at);
        let query = url[path..fragment]
            .find('?')
            .map_or(fragment, |at| path + at + 1);
        let shown = self.query(&url[query..fragment]);

        if credentials.is_none() && matches!(shown, Cow::Borrowed(_)) {
            return Cow::Borrowed(url);
        }
        let mut out = String::with_capacity(url.len() + 2 * REDACTED.len());
        match credentials {
            Some(host) => {
                out.push_str(&url[..authority]);
                out.push_str("REDACTED:REDACTED@");
                out.push_str(&url[host..query]);
            }
            None => out.push_str(&url[..query]),
        }
        out.push_str(&shown);
        out.push_str(&url[fragment..]);
        Cow::Owned(out)
    }

    fn hides(&self, pair: &str) -> bool {
        pair.split_once('=')
            .is_some_and(|(key, _)| self.is_secret(key))
    }

    fn is_secret(&self, key: &str) -> bool {
        self.keys.iter().any(|secret| secret == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_secret_parameter_loses_its_value_and_keeps_its_key() {
        for key in &SECRET_KEYS {
            let query = format!("a=1&{key}=s%3Dcret&b=2");
            assert_eq!(
                Redaction::DEFAULT.query(&query),
                format!("a=1&{key}=REDACTED&b=2")
            );
        }
    }

    #[test]
    fn other_queries_are_borrowed_as_they_are() {
        for query in [
            "",
            "a=1",
            "sig",
            "SIG=x",
            "signature=x",
            "a=sig",
            "&&",
            "xsig=1",
        ] {
            assert!(matches!(Redaction::DEFAULT.query(query), Cow::Borrowed(q) if q == query));
        }
    }

    #[test]
    fn a_list_of_keys_replaces_the_default_one() {
        let ours = Redaction::of(["token"]);
        assert_eq!(ours.query("sig=1&token=2"), "sig=1&token=REDACTED");
    }

    #[test]
    fn credentials_and_secrets_leave_a_url_and_nothing_else_does() {
        for (url, shown) in [
            ("http://a/", "http://a/"),
            ("http://a", "http://a"),
            (
                "https://u:p@a:1/x?y#z",
                "https://REDACTED:REDACTED@a:1/x?y#z",
            ),
            ("https://u@a", "https://REDACTED:REDACTED@a"),
            (
                "https://u:p@ss@a?sig=1",
                "https://REDACTED:REDACTED@a?sig=REDACTED",
            ),
            ("http://a/@b?c=d@e", "http://a/@b?c=d@e"),
            ("http://a/?sig=1#sig=2", "http://a/?sig=REDACTED#sig=2"),
            ("http://a/#?sig=1", "http://a/#?sig=1"),
            (
                "http://[::1]:80/?x=1&sig=",
                "http://[::1]:80/?x=1&sig=REDACTED",
            ),
        ] {
            assert_eq!(Redaction::DEFAULT.url(url), shown);
        }
    }
}
