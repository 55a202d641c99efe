use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use bartizan_observe::telemetry::Telemetry;

use super::router::{self, Facts};
use super::{Check, probe::Probe};
use crate::Lifecycle;
use crate::config::Effective;

/// Where the admin router listens unless told otherwise: loopback, since whoever reaches it may
/// change log levels and read the configuration; 9464, where OpenTelemetry has exporters for
/// Prometheus listen.
pub const DEFAULT_ADMIN_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);

/// The admin router, for [`Server::with_admin`](crate::Server::with_admin).
#[derive(Debug, Default)]
#[must_use = "it does nothing until a server has it"]
pub struct Admin {
    service: Option<(Cow<'static, str>, Cow<'static, str>)>,
    build: BTreeMap<String, String>,
    config: Option<Effective>,
    checks: Vec<Check>,
    routes: Router,
}

// === impl Admin ===

impl Admin {
    /// Without checks, and with nothing to tell.
    pub fn new() -> Self {
        Self::default()
    }

    /// The service's name and version, for `/info`. Default: none.
    pub fn with_service(
        mut self,
        name: impl Into<Cow<'static, str>>,
        version: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.service = Some((name.into(), version.into()));
        self
    }

    /// How the service was built, for `/info`: a commit, a date. Default: nothing.
    pub fn with_build(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.build.insert(key.into(), value.into());
        self
    }

    /// The configuration, for `/info`; see [`Loaded::effective`](crate::config::Loaded::effective).
    /// Default: none.
    pub fn with_config(mut self, config: Effective) -> Self {
        self.config = Some(config);
        self
    }

    /// Something that the service cannot do without, for `/readyz`. Default: none.
    pub fn with_check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// Routes of one's own beside those of this router. Default: none.
    ///
    /// # Panics
    ///
    /// When the server starts, if one of them is here already, as in [`Router::merge`].
    pub fn with_routes(mut self, routes: Router) -> Self {
        self.routes = self.routes.merge(routes);
        self
    }

    /// The router itself, to be served in another way.
    ///
    /// # Panics
    ///
    /// If a route of [`Self::with_routes`] is one of this router's.
    pub fn into_router(self, lifecycle: &Lifecycle, telemetry: &Telemetry) -> Router {
        let facts = Facts {
            service: self.service,
            build: self.build,
            config: self.config,
            probes: self.checks.into_iter().map(Probe::shared).collect(),
            lifecycle: lifecycle.clone(),
            telemetry: telemetry.clone(),
            started: tokio::time::Instant::now(),
        };
        router::router(facts, self.routes)
    }
}
