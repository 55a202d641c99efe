use bartizan::admin::{Admin, Check};
use bartizan::config::{Loaded, OutboundConfig};
use bartizan::telemetry::{self, TelemetryBuilder};
use reqwest::Url;
use shop::{Error, Service};

use crate::{CONNECT_TIMEOUT, Config, Db, Orders, Sweeper, Upstream, router};

/// Sets up telemetry from the environment, opens the database, builds the client and listens.
///
/// # Errors
///
/// See [`Error`].
pub async fn start(loaded: &Loaded<Config>) -> Result<Service, Error> {
    let config = &loaded.config;
    let telemetry = telemetry::install(TelemetryBuilder::from_env()?.with_exposition())?;
    let db = Db::open(&config.database).map_err(Error::start)?;
    let upstream = |name, way: &OutboundConfig, url: &Url| {
        let client = reqwest::Client::builder()
            // One hop away: a proxy that the environment names is for the world outside.
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT);
        let way = way.outbound(name, &telemetry).map_err(Error::start)?;
        let client = way.reqwest(client);
        let client = client
            .map_err(|error| Error::start(format!("cannot build the HTTP client: {error}")))?;
        Ok::<_, Error>(Upstream::new(name, client, url.clone()))
    };
    let inventory = upstream("inventory", &config.inventory, &config.inventory_url)?;
    let payments = upstream("payments", &config.payments, &config.payments_url)?;
    // Without its database a replica can do nothing. Without the inventory or the payments none can,
    // and each still tells what was ordered.
    let admin = Admin::new()
        .with_service("orders", env!("CARGO_PKG_VERSION"))
        .with_config(loaded.effective())
        .with_check(Check::new("database", {
            let db = db.clone();
            move || {
                let db = db.clone();
                async move { db.answers().await }
            }
        }));
    let orders = Orders::new(db, inventory, payments);
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        // Probes come every second and say nothing.
        .with_options(bartizan::options().with_excluded_routes(["/healthz"]))
        .with_edge(config.server.edge());
    let app = router(orders.clone())
        .layer(shop::timeout()?)
        .layer(stack.build()?);
    let service = Service::listen(&config.server, app, telemetry, admin).await?;
    Ok(service.with_last(Sweeper::start(orders).stop()))
}
