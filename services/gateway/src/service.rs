use bartizan::TimeoutLayer;
use bartizan::admin::Admin;
use bartizan::breaker::Keys;
use bartizan::client::ClientWithMiddleware;
use bartizan::config::Loaded;
use bartizan::outbound::OutboundBuilder;
use bartizan::telemetry::{self, TelemetryBuilder};
use shop::{Error, Service};

use crate::limits::limited;
use crate::reach::reach;
use crate::{CONNECT_TIMEOUT, Config, Shop, Upstream, router};

/// Sets up telemetry from the environment, builds the client and listens.
///
/// # Errors
///
/// See [`Error`].
pub async fn start(loaded: &Loaded<Config>) -> Result<Service, Error> {
    let config = &loaded.config;
    let telemetry = telemetry::install(TelemetryBuilder::from_env()?.with_exposition())?;
    let inventory = config.inventory.builder("inventory", &telemetry);
    // Placing orders fails with the services behind, while reading them goes on.
    let by_method = Keys::by(|request| Some(request.method.as_str().into()));
    let orders = config.orders.builder("orders", &telemetry);
    let inventory = client(inventory)?;
    let orders = client(orders.with_keys(by_method))?;
    // Told, and no reason to be taken out: the other half of the API still works, every replica has
    // the same services behind it, and a client is better served by a 502 that says which is down
    // than by a gateway that is gone as well.
    let admin = Admin::new()
        .with_service("gateway", env!("CARGO_PKG_VERSION"))
        .with_config(loaded.effective())
        .with_check(reach("orders", &orders, &config.orders_url).optional())
        .with_check(reach("inventory", &inventory, &config.inventory_url).optional());
    let app = router(Shop {
        inventory: Upstream::new("inventory", inventory, config.inventory_url.clone()),
        orders: Upstream::new("order service", orders, config.orders_url.clone()),
        keys: crate::Keys::default(),
    });
    let stack = bartizan::stack()
        .with_telemetry(&telemetry)
        // Probes come every second and say nothing.
        .with_options(bartizan::options().with_excluded_routes(["/healthz"]))
        .with_edge(config.server.edge());
    // Whoever calls here is not asked how long it wants to wait.
    let app = app.layer(TimeoutLayer::new(shop::REQUEST_TIMEOUT).map_err(Error::start)?);
    // What is not let in takes none of anybody's time; inside of the stack, it is recorded.
    let app = limited(app, &config.rate_limit, &telemetry)?.layer(stack.build()?);
    Service::listen(&config.server, app, telemetry, admin).await
}

fn client(upstream: OutboundBuilder) -> Result<ClientWithMiddleware, Error> {
    let client = reqwest::Client::builder()
        // One hop away: a proxy that the environment names for the world outside would answer
        // in a service's place.
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT);
    let upstream = upstream.build().map_err(Error::start)?;
    let built = upstream.reqwest(client);
    built.map_err(|error| Error::start(format!("cannot build the HTTP client: {error}")))
}
