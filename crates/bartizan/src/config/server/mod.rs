mod raw;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderName;
use serde::{Deserialize, Serialize};

use self::raw::RawServerConfig;
use crate::edge::{CorsLayer, Edge, Origin};
use crate::{Server, Telemetry};

/// Where a service listens unless told otherwise. Loopback: whoever wants it on the network says so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// The longest grace period: more is a mistake of units, or a load balancer that needs repair.
pub const MAX_GRACE: Duration = Duration::from_secs(600);

/// The longest time to drain: an hour, for long downloads and WebSockets.
pub const MAX_DRAIN_DEADLINE: Duration = Duration::from_secs(3600);

/// The longest flush of the telemetry: whoever cannot take it in a minute will not.
pub const MAX_SHUTDOWN_DEADLINE: Duration = Duration::from_secs(60);

/// The largest limit for bodies, which extractors read into memory.
pub const MAX_BODY_LIMIT: usize = 1 << 30;

/// What Bartizan itself can be told, as a section of a service's configuration.
///
/// ```toml
/// [server]
/// bind = "127.0.0.1:8080"     # where to listen; port 0 is any free one
/// grace = "5s"                # serving on after a stop was asked for, up to 10m
/// drain_deadline = "15s"      # for requests under way, up to 1h
/// shutdown_deadline = "3s"    # for the flush of the telemetry, up to 1m
/// body_limit = "2MiB"         # of a request's body, up to 1GiB
/// decompression = false       # of gzip request bodies
/// catch_panic = false         # answers 500 where a handler panics
/// sensitive_headers = []      # names of headers that are never recorded
///
/// [server.admin]
/// enabled = true
/// bind = "127.0.0.1:9464"     # another address than the one above
///
/// [server.cors]
/// origins = []                # such as "https://shop.example", or "*" alone
/// credentials = false         # with cookies, not with "*"
/// max_age = "10m"             # of a preflight, up to 24h
/// ```
///
/// These are the defaults. It is valid by construction: reading it is the only way to change it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "RawServerConfig", into = "RawServerConfig")]
pub struct ServerConfig {
    raw: RawServerConfig,
}

/// The admin router's section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminConfig {
    /// Whether there is one. Default: yes.
    pub enabled: bool,
    /// Where it listens. Default: [`DEFAULT_ADMIN_BIND`](crate::admin::DEFAULT_ADMIN_BIND).
    pub bind: SocketAddr,
}

/// The section for web pages of other origins.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CorsConfig {
    /// None may call. The default.
    Off,
    /// Any may call.
    #[non_exhaustive]
    AnyOrigin {
        /// Of a preflight.
        max_age: Duration,
    },
    /// Those of these origins may call.
    #[non_exhaustive]
    Origins {
        /// The origins, at least one.
        origins: Vec<Origin>,
        /// Whether with cookies.
        credentials: bool,
        /// Of a preflight.
        max_age: Duration,
    },
}

// === impl ServerConfig ===

impl ServerConfig {
    /// Where to listen.
    #[must_use]
    pub const fn bind(&self) -> SocketAddr {
        self.raw.bind
    }

    /// How long to go on serving after a stop was asked for; see [`Server::with_grace`].
    #[must_use]
    pub const fn grace(&self) -> Duration {
        self.raw.grace
    }

    /// How long requests under way may take; see [`Server::with_drain_deadline`].
    #[must_use]
    pub const fn drain_deadline(&self) -> Duration {
        self.raw.drain_deadline
    }

    /// How long the flush may take; see [`Server::with_shutdown_deadline`].
    #[must_use]
    pub const fn shutdown_deadline(&self) -> Duration {
        self.raw.shutdown_deadline
    }

    /// How large a request's body may be, in bytes.
    #[must_use]
    pub fn body_limit(&self) -> usize {
        // No more than `MAX_BODY_LIMIT`, which is a `usize`.
        usize::try_from(self.raw.body_limit).unwrap_or(MAX_BODY_LIMIT)
    }

    /// The admin router.
    #[must_use]
    pub const fn admin(&self) -> AdminConfig {
        AdminConfig {
            enabled: self.raw.admin.enabled,
            bind: self.raw.admin.bind,
        }
    }

    /// Web pages of other origins.
    #[must_use]
    pub fn cors(&self) -> CorsConfig {
        self.raw.cors.checked()
    }

    /// The layers of the edge that are asked for, for [`Stack::with_edge`](crate::Stack::with_edge).
    pub fn edge(&self) -> Edge {
        let mut edge = Edge::new().with_body_limit(self.body_limit());
        if !self.raw.sensitive_headers.is_empty() {
            let names = self.raw.sensitive_headers.iter();
            let names = names.filter_map(|name| HeaderName::try_from(name.as_str()).ok());
            edge = edge.with_sensitive_headers(names);
        }
        if let Some(cors) = self.cors().layer() {
            edge = edge.with_cors(cors);
        }
        if self.raw.catch_panic {
            edge = edge.with_catch_panic();
        }
        if self.raw.decompression {
            edge = edge.with_decompression();
        }
        edge
    }

    /// A server with these limits.
    pub fn server(&self, app: Router, telemetry: Telemetry) -> Server {
        Server::new(app, telemetry)
            .with_grace(self.grace())
            .with_drain_deadline(self.drain_deadline())
            .with_shutdown_deadline(self.shutdown_deadline())
    }
}

// === impl CorsConfig ===

impl CorsConfig {
    /// The layer, if there is to be one.
    #[must_use]
    pub fn layer(self) -> Option<CorsLayer> {
        match self {
            Self::Off => None,
            Self::AnyOrigin { max_age } => Some(CorsLayer::any_origin().with_max_age(max_age)),
            Self::Origins {
                origins,
                credentials,
                max_age,
            } => {
                let layer = if credentials {
                    CorsLayer::origins_with_credentials(origins)
                } else {
                    CorsLayer::origins(origins)
                };
                Some(layer.with_max_age(max_age))
            }
        }
    }
}
