//! Whose trace context and baggage a server takes over.

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use super::Network;
use crate::PeerAddr;

/// What becomes of the trace context that a request brings along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Trust {
    /// The remote span becomes the parent, its sampling flag counts, its baggage is taken.
    Trust,
    /// A new trace starts, with a link to the remote span. The caller's sampling flag does not
    /// count and its baggage is stripped.
    Link,
    /// A new trace starts, as if the headers were not there.
    Ignore,
}

/// Decides, before sampling, how far the trace context of a request is trusted.
///
/// The default is [`TrustPolicy::all`], because it is what makes traces whole across services,
/// and what every other tracing layer does. Don't leave it at that where strangers can reach the
/// service: with `traceparent` a client chooses whether its request is sampled (it can hide, or
/// make every request cost a full trace) and can write into a trace of someone else's, and its
/// baggage travels on to every service behind. There, trust the networks of your own proxies and
/// services alone.
///
/// ```
/// use bartizan_observe::propagation::{Network, Trust, TrustPolicy};
/// use http::HeaderMap;
///
/// let own: [Network; 2] = ["10.0.0.0/8".parse()?, "fd00::/8".parse()?];
/// let policy = TrustPolicy::networks(own, Trust::Link);
/// assert_eq!(policy.decide(None, &HeaderMap::new()), Trust::Link);
/// # Ok::<(), bartizan_observe::propagation::InvalidNetwork>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TrustPolicy(Kind);

type Predicate = dyn Fn(Option<PeerAddr>, &HeaderMap) -> Trust + Send + Sync;

#[derive(Clone)]
enum Kind {
    Always(Trust),
    Networks(Arc<[Network]>, Trust),
    Predicate(Arc<Predicate>),
}

// === impl TrustPolicy ===

impl TrustPolicy {
    /// Trusts every caller. The default; see above for when it must not stay.
    #[must_use]
    pub const fn all() -> Self {
        Self(Kind::Always(Trust::Trust))
    }

    /// Trusts no caller: every request starts a trace of its own.
    #[must_use]
    pub const fn none() -> Self {
        Self(Kind::Always(Trust::Ignore))
    }

    /// Trusts no caller, but links to its span from the new trace.
    #[must_use]
    pub const fn link() -> Self {
        Self(Kind::Always(Trust::Link))
    }

    /// Trusts callers whose socket is in one of the networks; `otherwise` ([`Trust::Link`] or
    /// [`Trust::Ignore`]) holds for all others. A peer that is not known is in no network.
    #[must_use]
    pub fn networks(networks: impl IntoIterator<Item = Network>, otherwise: Trust) -> Self {
        Self(Kind::Networks(networks.into_iter().collect(), otherwise))
    }

    /// Asks `predicate` at every request. It should be quick, must not block, and sees the peer
    /// only if the server knows it.
    #[must_use]
    pub fn from_fn<F>(predicate: F) -> Self
    where
        F: Fn(Option<PeerAddr>, &HeaderMap) -> Trust + Send + Sync + 'static,
    {
        Self(Kind::Predicate(Arc::new(predicate)))
    }

    /// How far a request from `peer` with these headers is trusted.
    #[must_use]
    pub fn decide(&self, peer: Option<PeerAddr>, headers: &HeaderMap) -> Trust {
        match &self.0 {
            Kind::Always(trust) => *trust,
            Kind::Networks(networks, otherwise) => {
                let known = peer
                    .is_some_and(|peer| networks.iter().any(|network| network.contains(peer.ip())));
                if known { Trust::Trust } else { *otherwise }
            }
            Kind::Predicate(predicate) => predicate(peer, headers),
        }
    }
}

// === impl Kind ===

impl Default for Kind {
    fn default() -> Self {
        Self::Always(Trust::Trust)
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always(trust) => f.debug_tuple("Always").field(trust).finish(),
            Self::Networks(networks, otherwise) => f
                .debug_tuple("Networks")
                .field(networks)
                .field(otherwise)
                .finish(),
            Self::Predicate(_) => f.write_str("Predicate"),
        }
    }
}
