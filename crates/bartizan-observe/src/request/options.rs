use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use http::{Extensions, HeaderName};
use opentelemetry::baggage::Baggage;
use opentelemetry::{Key, StringValue};

use super::forwarded::Dialect;
use super::route::Route;
use super::sampling::RouteRules;
use crate::propagation::{Network, TrustPolicy};
use crate::redact::Redaction;
use crate::telemetry::Sampler;
use crate::{Clock, PeerAddr};

/// Finds the matched route template among a request's extensions.
pub type RouteFn = fn(&Extensions) -> Option<&str>;

/// Finds the address of the socket's other end among a request's extensions.
pub type PeerFn = fn(&Extensions) -> Option<SocketAddr>;

/// A request is slow from here on. One second is where people start to notice.
pub const DEFAULT_SLOW_THRESHOLD: Duration = Duration::from_secs(1);

/// How the request layers look at requests; one value serves logging, tracing and metrics alike.
#[derive(Clone)]
pub struct RequestOptions {
    pub(super) clock: Clock,
    pub(super) trust: TrustPolicy,
    pub(super) route: RouteFn,
    pub(super) peer: PeerFn,
    pub(super) proxies: Vec<Network>,
    pub(super) dialect: Dialect,
    pub(super) rules: RouteRules,
    pub(super) slow: Duration,
    pub(super) baggage: Vec<Box<str>>,
    pub(super) request_headers: Vec<HeaderName>,
    pub(super) redaction: Redaction,
    pub(super) server_timing: bool,
    pub(super) sampling_attributes: SamplingAttributes,
    pub(super) max_series: usize,
}

/// When the span's attributes are handed to the sampler.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SamplingAttributes {
    /// For a sampler that is not ours, since it may read them; never for ours, which does not.
    #[default]
    Auto,
    /// Never: unsampled requests build none, and a sampler that reads them sees none.
    Never,
}

/// Headers that are never recorded, whatever the configuration asks for.
const SENSITIVE: [HeaderName; 5] = [
    http::header::AUTHORIZATION,
    http::header::COOKIE,
    http::header::PROXY_AUTHORIZATION,
    http::header::SET_COOKIE,
    HeaderName::from_static("x-api-key"),
];

// === impl RequestOptions ===

impl RequestOptions {
    /// The defaults, as each setter names them.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whose trace context is believed. Default: everyone's, as the specification has it; a service
    /// on the open internet wants [`TrustPolicy`] by network.
    #[must_use]
    pub fn with_trust(mut self, trust: TrustPolicy) -> Self {
        self.trust = trust;
        self
    }

    /// How the matched route is found. Default: the [`Route`] extension.
    #[must_use]
    pub fn with_route(mut self, route: RouteFn) -> Self {
        self.route = route;
        self
    }

    /// How the peer's address is found. Default: the [`PeerAddr`] extension.
    #[must_use]
    pub fn with_peer(mut self, peer: PeerFn) -> Self {
        self.peer = peer;
        self
    }

    /// Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` headers are believed. They have to
    /// append to the first, and to set or remove the other two. Default: none.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: impl IntoIterator<Item = Network>) -> Self {
        self.proxies = proxies.into_iter().collect();
        self
    }

    /// The trusted proxies write `Forwarded` (RFC 7239), which is then read in place of
    /// `X-Forwarded-*`. Never both: what a proxy does not write, it passes on as the client sent it.
    /// Default: `X-Forwarded-*`.
    #[must_use]
    pub fn with_forwarded_header(mut self) -> Self {
        self.dialect = Dialect::Standard;
        self
    }

    /// Routes, or paths where no route matches, that get neither a span nor an access line: health
    /// probes, as a rule. Their metrics are still recorded. Default: none.
    #[must_use]
    pub fn with_excluded_routes<R: Into<Box<str>>>(
        mut self,
        routes: impl IntoIterator<Item = R>,
    ) -> Self {
        for route in routes {
            self.rules.exclude(route.into());
        }
        self
    }

    /// A sampler for one route, in place of the telemetry's. With a tracer provider that is not
    /// ours it can only take away: what it lets through, that provider's sampler decides.
    #[must_use]
    pub fn with_route_sampler(mut self, route: impl Into<Box<str>>, sampler: Sampler) -> Self {
        self.rules.sample(route.into(), sampler);
        self
    }

    /// From when on a request is slow, which raises its line to a warning. Default:
    /// [`DEFAULT_SLOW_THRESHOLD`].
    #[must_use]
    pub fn with_slow_threshold(mut self, slow: Duration) -> Self {
        self.slow = slow;
        self
    }

    /// Baggage entries that are copied to the span and the access line. Default: none.
    #[must_use]
    pub fn with_baggage_keys<K: Into<Box<str>>>(
        mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Self {
        self.baggage = keys.into_iter().map(Into::into).collect();
        self
    }

    /// Request headers that are recorded as `http.request.header.<name>`. Default: none. Those that
    /// carry credentials, and values marked as sensitive, are left out even when named here.
    #[must_use]
    pub fn with_request_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.request_headers = headers
            .into_iter()
            .filter(|name| !SENSITIVE.contains(name))
            .collect();
        self
    }

    /// Query parameters whose values are recorded as `REDACTED`, in place of the default list.
    /// Default: the keys of the semantic conventions, which grant access to cloud storage.
    #[must_use]
    pub fn with_redacted_query_keys<K: Into<Cow<'static, str>>>(
        mut self,
        keys: impl IntoIterator<Item = K>,
    ) -> Self {
        self.redaction = Redaction::of(keys);
        self
    }

    /// Adds `server-timing: trace;desc=<traceparent>` to responses, so that a browser's developer
    /// tools can name the trace. Default: off, because it tells callers the trace id.
    #[must_use]
    pub fn with_server_timing(mut self) -> Self {
        self.server_timing = true;
        self
    }

    /// When the sampler sees the attributes. Default: [`SamplingAttributes::Auto`].
    #[must_use]
    pub fn with_sampling_attributes(mut self, when: SamplingAttributes) -> Self {
        self.sampling_attributes = when;
        self
    }

    /// The most metric series one layer makes. Default:
    /// [`DEFAULT_MAX_SERIES`](super::DEFAULT_MAX_SERIES).
    #[must_use]
    pub fn with_max_series(mut self, max: usize) -> Self {
        self.max_series = max;
        self
    }

    /// Where the time comes from. Default: the system.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    pub(super) fn peer(&self, extensions: &Extensions) -> Option<SocketAddr> {
        (self.peer)(extensions)
    }

    /// The entries of `baggage` that the configuration lets onto spans and lines.
    pub(super) fn chosen_baggage(
        &self,
        baggage: &Baggage,
    ) -> impl Iterator<Item = (Key, StringValue)> {
        self.baggage.iter().filter_map(|key| {
            let value = baggage.get(key)?;
            Some((Key::from(key.to_string()), value.clone()))
        })
    }

    pub(super) fn is_proxy(&self, ip: IpAddr) -> bool {
        self.proxies.iter().any(|network| network.contains(ip))
    }

    pub(super) fn trusts_proxy(&self, peer: Option<SocketAddr>) -> bool {
        peer.is_some_and(|peer| self.is_proxy(PeerAddr(peer).ip()))
    }
}

impl Default for RequestOptions {
    fn default() -> Self {
        Self {
            clock: Clock::default(),
            trust: TrustPolicy::default(),
            route: |extensions| extensions.get::<Route>().map(|route| &*route.0),
            peer: |extensions| extensions.get::<PeerAddr>().map(|peer| peer.0),
            proxies: Vec::new(),
            dialect: Dialect::default(),
            rules: RouteRules::default(),
            slow: DEFAULT_SLOW_THRESHOLD,
            baggage: Vec::new(),
            request_headers: Vec::new(),
            redaction: Redaction::DEFAULT,
            server_timing: false,
            sampling_attributes: SamplingAttributes::default(),
            max_series: super::DEFAULT_MAX_SERIES,
        }
    }
}

impl fmt::Debug for RequestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestOptions")
            .field("trust", &self.trust)
            .field("proxies", &self.proxies)
            .field("rules", &self.rules)
            .field("slow", &self.slow)
            .field("baggage", &self.baggage)
            .field("request_headers", &self.request_headers)
            .field("server_timing", &self.server_timing)
            .finish_non_exhaustive()
    }
}
