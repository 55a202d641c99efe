//! `Forwarded` (RFC 7239) and the `X-Forwarded-*` headers, read only behind trusted proxies.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};

use super::facts::Scheme;

/// What the nearest untrusted hop looked like to the proxies we trust.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Forwarded {
    /// The client: the first address from the right that is not a trusted proxy.
    pub(crate) client: Option<IpAddr>,
    pub(crate) scheme: Option<Scheme>,
    /// `host[:port]`.
    pub(crate) host: Option<String>,
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Which headers the trusted proxies write. Only these are read: a proxy passes on what it does not
/// know, so the others are the client's to choose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// `X-Forwarded-For`, `-Proto` and `-Host`.
    #[default]
    DeFacto,
    /// `Forwarded`.
    Standard,
}

/// Reads the headers of a request whose peer is a trusted proxy; `None` when they say nothing.
///
/// Goes from right to left, because only the entries that trusted proxies appended can be believed,
/// and stops at the first entry that is no address.
pub(crate) fn read(
    headers: &HeaderMap,
    dialect: Dialect,
    is_proxy: impl Fn(IpAddr) -> bool,
) -> Option<Forwarded> {
    let found = match dialect {
        Dialect::DeFacto => de_facto(headers, is_proxy),
        Dialect::Standard => standard(headers, is_proxy),
    };
    (found != Forwarded::default()).then_some(found)
}

fn standard(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Forwarded {
    let mut found = Forwarded::default();
    for element in from_the_right(headers, &header::FORWARDED) {
        let pair = |key: &str| {
            element.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim()
                    .eq_ignore_ascii_case(key)
                    .then(|| value.trim().trim_matches('"'))
            })
        };
        // What a hop says of the scheme and host is about the request that it received, so the
        // outermost hop that we still believe has the last word.
        found.scheme = pair("proto").and_then(Scheme::parse).or(found.scheme);
        found.host = pair("host").map(str::to_owned).or(found.host);
        let Some(ip) = pair("for").and_then(address) else {
            break;
        };
        found.client = Some(ip);
        if !is_proxy(ip) {
            break;
        }
    }
    found
}

fn de_facto(headers: &HeaderMap, is_proxy: impl Fn(IpAddr) -> bool) -> Forwarded {
    let mut found = Forwarded::default();
    for entry in from_the_right(headers, &X_FORWARDED_FOR) {
        let Some(ip) = address(entry) else { break };
        found.client = Some(ip);
        if !is_proxy(ip) {
            break;
        }
    }
    // These carry one value by custom; where proxies append, the rightmost is the trusted one's.
    found.scheme = from_the_right(headers, &X_FORWARDED_PROTO)
        .next()
        .and_then(Scheme::parse);
    found.host = from_the_right(headers, &X_FORWARDED_HOST)
        .next()
        .map(str::to_owned);
    found
}

/// The members of a list header, last line and last member first.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    // A line that is not text breaks the chain like an entry that is no address.
    headers
        .get_all(name)
        .iter()
        .rev()
        .flat_map(|line| line.to_str().unwrap_or_default().rsplit(','))
        .map(str::trim)
}

/// An address with or without a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let ip = text
        .parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|addr| addr.ip()))
        .or_else(|_| text.trim_start_matches('[').trim_end_matches(']').parse())
        .ok()?;
    Some(ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(lines: &[(&'static str, &'static str)]) -> Option<Forwarded> {
        seen(Dialect::DeFacto, lines)
    }

    fn standard(lines: &[(&'static str, &'static str)]) -> Option<Forwarded> {
        seen(Dialect::Standard, lines)
    }

    fn seen(dialect: Dialect, lines: &[(&'static str, &'static str)]) -> Option<Forwarded> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_static(value));
        }
        read(&headers, dialect, |ip: IpAddr| {
            ip.to_string().starts_with("10.")
        })
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn the_first_untrusted_hop_from_the_right_is_the_client() {
        let found = client(&[("x-forwarded-for", "6.6.6.6, 203.0.113.7, 10.0.0.1")]).unwrap();
        assert_eq!(found.client, ip("203.0.113.7"));
        let found = client(&[
            ("x-forwarded-for", "6.6.6.6"),
            ("x-forwarded-for", "203.0.113.7:4711"),
        ]);
        assert_eq!(found.unwrap().client, ip("203.0.113.7"));
        let found = standard(&[(
            "forwarded",
            "for=6.6.6.6, for=\"[2001:db8::1]:4711\";proto=https",
        )]);
        let found = found.unwrap();
        assert_eq!(found.client, ip("2001:db8::1"));
        assert_eq!(found.scheme, Some(Scheme::Https));
    }

    #[test]
    fn an_entry_that_does_not_parse_ends_the_chain() {
        let found = client(&[("x-forwarded-for", "6.6.6.6, unknown, 10.0.0.1")]).unwrap();
        assert_eq!(
            found.client,
            ip("10.0.0.1"),
            "the last hop that could be believed"
        );
        assert_eq!(standard(&[("forwarded", "for=_hidden")]), None);
        assert_eq!(client(&[]), None);
    }

    #[test]
    fn headers_that_the_proxies_do_not_write_are_the_clients_and_are_not_read() {
        let both = [
            ("x-forwarded-for", "203.0.113.7"),
            ("forwarded", "for=6.6.6.6;proto=https;host=evil.example"),
        ];
        let found = client(&both).unwrap();
        assert_eq!(found.client, ip("203.0.113.7"));
        assert_eq!((found.scheme, found.host), (None, None));
        assert_eq!(standard(&both[..1]), None);
    }

    #[test]
    fn scheme_and_host_are_taken_from_the_trusted_hop() {
        let found = client(&[
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-proto", "HTTPS"),
            ("x-forwarded-host", "evil.example, shop.example"),
        ])
        .unwrap();
        assert_eq!(found.scheme, Some(Scheme::Https));
        assert_eq!(found.host.as_deref(), Some("shop.example"));
    }
}
