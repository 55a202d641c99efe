use bartizan::admin::Admin;
use bartizan::config::Loaded;
use bartizan::telemetry::{self, TelemetryBuilder};
use shop::faults::{self, Switch};
use shop::{Error, Service};

use crate::{Config, Ledger, router};

/// Sets up telemetry from the environment, opens an empty ledger and listens.
///
/// # Errors
///
/// See [`Error`].
pub async fn start(loaded: &Loaded<Config>) -> Result<Service, Error> {
    let config = &loaded.config;
    let telemetry = telemetry::install(TelemetryBuilder::from_env()?.with_exposition())?;
    let faults = Switch::default();
    // No check: what it needs is in memory.
    let admin = Admin::new()
        .with_service("payments", env!("CARGO_PKG_VERSION"))
        .with_config(loaded.effective())
        .with_routes(faults::router(faults.clone()));
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        // Probes come every second and say nothing.
        .with_options(bartizan::options().with_excluded_routes(["/healthz"]))
        .with_edge(config.server.edge());
    let app = faults
        .around(router(Ledger::new(config.limit_cents)))
        .layer(shop::timeout()?)
        .layer(stack.build()?);
    Service::listen(&config.server, app, telemetry, admin).await
}
