//! Whose budget a request is charged to: pure functions of its head and the peer's address.

mod address;
mod client;

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::hash::Hasher;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::HeaderName;
use http::request::Parts;

pub use client::{Proxies, Trusted};

/// What the key of a request is made of.
///
/// ```
/// use bartizan_protect::rate_limit::{Keys, Proxies, Trusted};
/// use http::HeaderName;
///
/// // Each client, behind one proxy of ours that writes `X-Forwarded-For`.
/// let clients = Keys::client(Proxies::x_forwarded_for(Trusted::hops(1)));
/// // Each tenant's use of each method.
/// let tenant = Keys::header(HeaderName::from_static("x-tenant"));
/// let methods = tenant.and(Keys::by(|parts| Some(parts.method.as_str().into())));
/// # let _ = (clients, methods);
/// ```
///
/// A key is kept as a keyed hash and as nothing else, unless a policy is to
/// [know names](super::Policy::with_names).
#[derive(Clone)]
pub struct Keys(Arc<[Part]>);

/// A request's head, and who has sent it, as the limiter's peer function knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    pub(crate) parts: &'a Parts,
    // By reference: an address that has just been written is faster read than copied.
    pub(crate) peer: Option<&'a IpAddr>,
}

#[derive(Clone)]
enum Part {
    Peer,
    Client(Proxies),
    Header { name: HeaderName, secret: Secret },
    Text(Arc<TextFn>),
}

/// Whether a value must not be shown to anyone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Secret {
    Yes,
    No,
}

type TextFn = dyn for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync;

/// The key that all requests share, where they share one.
pub(super) const ONE_FOR_ALL: u64 = 0;
/// The key that requests share whose own cannot be found.
pub(super) const WITHOUT_KEY: u64 = 1;

// === impl Keys ===

impl Keys {
    /// One budget for all requests.
    #[must_use]
    pub fn global() -> Self {
        Self(Arc::new([]))
    }

    /// A budget for each peer: IPv4 addresses, and IPv6 networks of 64 bits, which is what one
    /// subscriber has.
    #[must_use]
    pub fn peer() -> Self {
        Self::of(Part::Peer)
    }

    /// A budget for each client, in networks as [`peer`](Self::peer) has them, where proxies are
    /// between it and us.
    #[must_use]
    pub fn client(proxies: Proxies) -> Self {
        Self::of(Part::Client(proxies))
    }

    /// A budget for each value of a header: what is in the first line of it, if it has several.
    ///
    /// Clients choose what they send. Put it behind whatever checks the header, or combine it with
    /// a policy for each client.
    #[must_use]
    pub fn header(name: HeaderName) -> Self {
        let secret = Secret::No;
        Self::of(Part::Header { name, secret })
    }

    /// The same for a header with a secret, such as an API key, which is never kept nor shown.
    #[must_use]
    pub fn api_key(name: HeaderName) -> Self {
        let secret = Secret::Yes;
        Self::of(Part::Header { name, secret })
    }

    /// A budget for each text that `key` finds, such as a route or a tenant.
    #[must_use]
    pub fn by(
        key: impl for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self::of(Part::Text(Arc::new(key)))
    }

    /// A budget for each combination of the two.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let (Self(one), Self(other)) = (self, other);
        Self(one.iter().chain(&*other).cloned().collect())
    }

    fn of(part: Part) -> Self {
        Self(Arc::new([part]))
    }

    /// Whether there is one budget for all.
    pub(crate) fn is_global(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes the key to `hasher`. `None` where a part of it is not there.
    #[inline]
    pub(crate) fn hash(&self, head: Head<'_>, hasher: &mut impl Hasher) -> Option<()> {
        for part in &*self.0 {
            match part {
                Part::Peer => hash_ip(head.peer?, hasher),
                Part::Client(proxies) => hash_ip(&proxies.client(head)?, hasher),
                Part::Header { name, .. } => {
                    hash_bytes(head.parts.headers.get(name)?.as_bytes(), hasher);
                }
                Part::Text(text) => hash_bytes(text(head.parts)?.as_bytes(), hasher),
            }
        }
        Some(())
    }

    /// Shows the key, as far as it may be shown; `None` where there is none.
    pub(super) fn name(&self, head: Head<'_>) -> Option<String> {
        let mut name = String::new();
        for part in &*self.0 {
            if !name.is_empty() {
                name.push(' ');
            }
            // Writing to a string does not fail.
            match part {
                Part::Peer => write!(name, "{}", Network(*head.peer?)),
                Part::Client(proxies) => write!(name, "{}", Network(proxies.client(head)?)),
                Part::Header {
                    secret: Secret::Yes,
                    ..
                } => write!(name, "(secret)"),
                Part::Header { name: header, .. } => {
                    let value = head.parts.headers.get(header)?;
                    write!(name, "{}", String::from_utf8_lossy(value.as_bytes()))
                }
                Part::Text(text) => write!(name, "{}", text(head.parts)?),
            }
            .ok()?;
        }
        (!self.is_global()).then_some(name)
    }
}

/// What a key is that is not of a request: the one of [`Keys::by`] a text.
pub(crate) fn hash_text(text: &str, hasher: &mut impl Hasher) {
    hash_bytes(text.as_bytes(), hasher);
}

/// The same for a peer in place of a key, which is nobody's key.
pub(crate) fn hash_peer(ip: &IpAddr, hasher: &mut impl Hasher) {
    hasher.write_u8(b'p');
    hash_ip(ip, hasher);
}

#[inline]
fn hash_ip(ip: &IpAddr, hasher: &mut impl Hasher) {
    // In whole words, which is what costs the least; the last one tells the families apart.
    let v4 = |ip: Ipv4Addr| u64::from(u32::from(ip));
    match ip {
        IpAddr::V4(ip) => hasher.write_u64(v4(*ip)),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => hasher.write_u64(v4(ip)),
            None => {
                hasher.write_u64((u128::from(*ip) >> 64) as u64);
                hasher.write_u64(u64::MAX);
            }
        },
    }
}

fn hash_bytes(bytes: &[u8], hasher: &mut impl Hasher) {
    hasher.write(bytes);
    // The length behind them, so that no two combinations are the same bytes: read from the end,
    // every part says where it begins.
    hasher.write_u64(bytes.len() as u64);
}

/// The network that an address counts for: IPv4 as it is, also where it is written as IPv6; of IPv6
/// the first 64 bits.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 => v4,
    }
}

/// An address's network, as one writes it.
struct Network(IpAddr);

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match network(self.0) {
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
            IpAddr::V4(ip) => write!(f, "{ip}"),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keys").field(&self.0).finish()
    }
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer => f.write_str("Peer"),
            Self::Client(proxies) => f.debug_tuple("Client").field(proxies).finish(),
            Self::Header { name, .. } => f.debug_tuple("Header").field(name).finish(),
            Self::Text(_) => f.write_str("By"),
        }
    }
}

#[cfg(test)]
mod tests;
