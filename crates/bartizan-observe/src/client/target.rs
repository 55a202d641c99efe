//! Where a request goes, as the semantic conventions name it.

use http::uri::Authority;
use http::{HeaderMap, Uri, header};

/// The schemes that may become a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    Http,
    Https,
    /// Another one, or none: the URI was in origin form.
    Other,
}

/// The server's name and port as the client addresses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Target<A> {
    pub(super) scheme: Scheme,
    /// Without the brackets of an IPv6 literal.
    pub(super) address: Option<A>,
    /// The scheme's default where none is given.
    pub(super) port: Option<u16>,
}

// === impl Scheme ===

impl Scheme {
    pub(super) fn of(scheme: Option<&str>) -> Self {
        match scheme {
            Some("http") => Self::Http,
            Some("https") => Self::Https,
            _ => Self::Other,
        }
    }

    pub(super) const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Http => Some("http"),
            Self::Https => Some("https"),
            Self::Other => None,
        }
    }

    const fn default_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Other => None,
        }
    }
}

// === impl Target ===

impl<'a> Target<&'a str> {
    pub(super) fn new(scheme: Scheme, host: Option<&'a str>, port: Option<u16>) -> Self {
        let address = host.filter(|host| !host.is_empty()).map(|host| {
            host.strip_prefix('[')
                .and_then(|host| host.strip_suffix(']'))
                .unwrap_or(host)
        });
        Self {
            scheme,
            address,
            port: port.or_else(|| scheme.default_port()),
        }
    }
}

impl Target<String> {
    /// From a URI in origin form and the `host` header of its request.
    fn of_host(scheme: Scheme, headers: &HeaderMap) -> Option<Self> {
        let host: Authority = headers.get(header::HOST)?.to_str().ok()?.parse().ok()?;
        let target = Target::new(scheme, Some(host.host()), host.port_u16());
        Some(Self {
            scheme,
            address: target.address.map(str::to_owned),
            port: target.port,
        })
    }
}

/// Looks at the target of a request; its URI decides, or else its `host` header.
pub(super) fn with_target<R>(
    uri: &Uri,
    headers: &HeaderMap,
    look: impl FnOnce(Target<&str>) -> R,
) -> R {
    let scheme = Scheme::of(uri.scheme_str());
    match uri.authority() {
        Some(authority) => look(Target::new(
            scheme,
            Some(authority.host()),
            authority.port_u16(),
        )),
        None => match Target::of_host(scheme, headers) {
            Some(Target { address, port, .. }) => look(Target {
                scheme,
                address: address.as_deref(),
                port,
            }),
            None => look(Target {
                scheme,
                address: None,
                port: None,
            }),
        },
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn of(uri: &str, host: Option<&'static str>) -> (Option<String>, Option<u16>) {
        let mut headers = HeaderMap::new();
        if let Some(host) = host {
            headers.insert(header::HOST, HeaderValue::from_static(host));
        }
        with_target(&uri.parse().unwrap(), &headers, |target| {
            (target.address.map(str::to_owned), target.port)
        })
    }

    #[test]
    fn the_port_is_the_given_one_or_the_default_of_the_scheme() {
        for (uri, address, port) in [
            ("http://a/", "a", Some(80)),
            ("https://a/", "a", Some(443)),
            ("https://a:8443/", "a", Some(8443)),
            ("http://u:p@a:81/", "a", Some(81)),
            ("http://[::1]:82/", "::1", Some(82)),
            ("http://[::1]/", "::1", Some(80)),
            ("ftp://a/", "a", None),
        ] {
            assert_eq!(
                of(uri, Some("other:1")),
                (Some(address.to_owned()), port),
                "{uri}"
            );
        }
    }

    #[test]
    fn the_host_header_stands_in_for_a_missing_authority() {
        assert_eq!(of("/x", Some("a:8080")), (Some("a".to_owned()), Some(8080)));
        assert_eq!(of("/x", Some("a")), (Some("a".to_owned()), None));
        assert_eq!(of("/x", None), (None, None));
        assert_eq!(of("/x", Some("not a host")), (None, None));
    }
}
