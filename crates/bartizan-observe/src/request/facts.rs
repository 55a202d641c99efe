//! What is known of a request before anything has been done for it.

use std::net::SocketAddr;

use http::{Request, Version, header};

use super::forwarded::{self, Forwarded};
use super::options::RequestOptions;
use crate::method::KnownMethod;

/// How the request reached us, as a request extension: servers that terminate TLS insert it.
///
/// Without it, and without a trusted forwarding header, an HTTP/1 request counts as `http`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "HTTP has these two schemes")]
pub enum Scheme {
    /// Plain text.
    Http,
    /// TLS, or QUIC.
    Https,
}

/// The cheap facts: everything that metrics and names need, with nothing allocated.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) method: KnownMethod,
    pub(crate) scheme: Scheme,
    pub(crate) version: Version,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) request_bytes: Option<u64>,
    pub(crate) is_head: bool,
    pub(crate) is_connect: bool,
    /// `None` unless the peer is a trusted proxy that said something.
    pub(crate) forwarded: Option<Box<Forwarded>>,
}

// === impl Scheme ===

impl Scheme {
    pub(crate) const COUNT: usize = 2;

    /// `http` or `https`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    pub(crate) const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("https") {
            Some(Self::Https)
        } else if text.eq_ignore_ascii_case("http") {
            Some(Self::Http)
        } else {
            None
        }
    }
}

// === impl Facts ===

impl Facts {
    pub(crate) fn of<B: http_body::Body>(request: &Request<B>, options: &RequestOptions) -> Self {
        let peer = options.peer(request.extensions());
        let forwarded = options
            .trusts_proxy(peer)
            .then(|| {
                forwarded::read(request.headers(), options.dialect, |ip| {
                    options.is_proxy(ip)
                })
            })
            .flatten()
            .map(Box::new);
        let scheme = forwarded
            .as_ref()
            .and_then(|forwarded| forwarded.scheme)
            .or_else(|| request.extensions().get().copied())
            .or_else(|| pseudo_scheme(request))
            .unwrap_or(Scheme::Http);
        Self {
            method: KnownMethod::of(request.method()),
            scheme,
            version: request.version(),
            peer,
            request_bytes: request.body().size_hint().exact(),
            is_head: request.method() == http::Method::HEAD,
            is_connect: request.method() == http::Method::CONNECT,
            forwarded,
        }
    }
}

/// The scheme that HTTP/2 and later send with each request. An absolute target of an HTTP/1 request
/// says how a proxy is to go on, and nothing about how the request came here.
fn pseudo_scheme<B>(request: &Request<B>) -> Option<Scheme> {
    let scheme = request.uri().scheme_str()?;
    (request.version() >= Version::HTTP_2)
        .then(|| Scheme::parse(scheme))
        .flatten()
}

/// The value of `network.protocol.version`.
pub(crate) const fn protocol_version(version: Version) -> Option<&'static str> {
    match version {
        Version::HTTP_09 => Some("0.9"),
        Version::HTTP_10 => Some("1.0"),
        Version::HTTP_11 => Some("1.1"),
        Version::HTTP_2 => Some("2"),
        Version::HTTP_3 => Some("3"),
        _ => None,
    }
}

/// The name and port by which the client addressed us: `:authority` or `Host`.
pub(crate) fn authority<B>(request: &Request<B>) -> Option<&str> {
    request
        .uri()
        .authority()
        .map(http::uri::Authority::as_str)
        .or_else(|| request.headers().get(header::HOST)?.to_str().ok())
}

/// Splits `host[:port]`; an IPv6 address loses its brackets.
pub(crate) fn split_authority(authority: &str) -> Option<(&str, Option<u16>)> {
    // By bytes: these are short, and a search that starts up vectors costs more.
    let credentials = authority.bytes().rposition(|byte| byte == b'@');
    let authority = credentials.map_or(authority, |at| &authority[at + 1..]);
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, rest) = rest.split_once(']')?;
        (host, rest.strip_prefix(':'))
    } else {
        match authority.bytes().position(|byte| byte == b':') {
            Some(at) => (&authority[..at], Some(&authority[at + 1..])),
            None => (authority, None),
        }
    };
    if host.is_empty() {
        return None;
    }
    Some((host, port.and_then(|port| port.parse().ok())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authorities_are_split_with_their_ports() {
        let cases = [
            ("shop.example", Some(("shop.example", None))),
            ("shop.example:8080", Some(("shop.example", Some(8080)))),
            ("[::1]:8080", Some(("::1", Some(8080)))),
            ("[::1]", Some(("::1", None))),
            (
                "user:secret@shop.example:1",
                Some(("shop.example", Some(1))),
            ),
            ("shop.example:nonsense", Some(("shop.example", None))),
            ("", None),
            (":80", None),
        ];
        for (authority, expected) in cases {
            assert_eq!(split_authority(authority), expected, "{authority}");
        }
    }

    #[test]
    fn versions_are_spelled_as_the_conventions_want() {
        assert_eq!(protocol_version(Version::HTTP_11), Some("1.1"));
        assert_eq!(protocol_version(Version::HTTP_2), Some("2"));
    }
}
