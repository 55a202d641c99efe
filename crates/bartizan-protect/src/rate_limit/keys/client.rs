use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, header};

use super::Head;
use super::address;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// How the proxies between clients and us tell who has called them.
///
/// Only the header that they write is read: a proxy passes on what it does not know, so any other
/// is the client's to choose. It is read from right to left, because only the entries that trusted
/// proxies have appended can be believed. An entry that is no address ends it, and the last trusted
/// proxy's address stands for the client.
#[derive(Debug, Clone)]
pub struct Proxies {
    dialect: Dialect,
    trusted: Trusted,
}

/// Which proxies are believed.
#[derive(Clone)]
pub struct Trusted(Trust);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    XForwardedFor,
    Forwarded,
}

#[derive(Clone)]
enum Trust {
    Hops(usize),
    By(Arc<dyn Fn(IpAddr) -> bool + Send + Sync>),
}

// === impl Proxies ===

impl Proxies {
    /// They append to `X-Forwarded-For`.
    #[must_use]
    pub const fn x_forwarded_for(trusted: Trusted) -> Self {
        let dialect = Dialect::XForwardedFor;
        Self { dialect, trusted }
    }

    /// They append to `Forwarded` (RFC 7239).
    #[must_use]
    pub const fn forwarded(trusted: Trusted) -> Self {
        let dialect = Dialect::Forwarded;
        Self { dialect, trusted }
    }

    /// The client's address. `None` where nobody knows the peer's either.
    pub(super) fn client(&self, head: Head<'_>) -> Option<IpAddr> {
        let headers = &head.parts.headers;
        match self.dialect {
            Dialect::XForwardedFor => {
                let hops = from_the_right(headers, X_FORWARDED_FOR).map(address::parse);
                self.trusted.walk(head.peer.copied(), hops)
            }
            Dialect::Forwarded => {
                let hops = from_the_right(headers, header::FORWARDED).map(address::of_element);
                self.trusted.walk(head.peer.copied(), hops)
            }
        }
    }
}

// === impl Trusted ===

impl Trusted {
    /// So many proxies, the one that has called us included. With none, nothing is read.
    #[must_use]
    pub const fn hops(proxies: usize) -> Self {
        Self(Trust::Hops(proxies))
    }

    /// Those whose address `is_proxy`, such as one of your networks. Where the peer is none, or
    /// nobody knows its address, nothing is read.
    #[must_use]
    pub fn by(is_proxy: impl Fn(IpAddr) -> bool + Send + Sync + 'static) -> Self {
        Self(Trust::By(Arc::new(is_proxy)))
    }

    /// The first of `hops` that is not trusted, or else the last that is.
    fn walk(
        &self,
        peer: Option<IpAddr>,
        hops: impl Iterator<Item = Option<IpAddr>>,
    ) -> Option<IpAddr> {
        match &self.0 {
            Trust::Hops(proxies) => hops.take(*proxies).map_while(|hop| hop).last().or(peer),
            Trust::By(is_proxy) => {
                let mut client = peer?.to_canonical();
                let mut hops = hops.map_while(|hop| hop);
                while is_proxy(client) {
                    match hops.next() {
                        Some(hop) => client = hop,
                        None => break,
                    }
                }
                Some(client)
            }
        }
    }
}

/// The members of a list header, last line and last member first.
///
/// Members are cut at every comma, also one in quotes: no address has one, and a quote that a
/// client has left open must not swallow what proxies have appended. Nor must a byte that is no text:
/// a member that has one is no address, and those on its right are read.
fn from_the_right(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).iter().rev();
    lines
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(|member| str::from_utf8(member).unwrap_or_default())
}

impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Trust::Hops(proxies) => f.debug_tuple("Hops").field(proxies).finish(),
            Trust::By(_) => f.write_str("By"),
        }
    }
}
