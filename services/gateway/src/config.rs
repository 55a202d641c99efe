use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bartizan::config::{Loader, OutboundConfig, RateLimitConfig, ServerConfig, duration};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::REQUEST_TIMEOUT;

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Loopback only: whoever reaches it may read the configuration and change log levels.
pub const DEFAULT_ADMIN_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8090);

/// Where the order service listens by default.
pub const DEFAULT_ORDERS_URL: &str = "http://127.0.0.1:8081";

/// Where the inventory listens by default.
pub const DEFAULT_INVENTORY_URL: &str = "http://127.0.0.1:8082";

/// What the service can be told from outside; see [`loader`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen and how to end. Default: [`DEFAULT_BIND`], [`DEFAULT_ADMIN_BIND`], the rest
    /// as [`ServerConfig`] says.
    pub server: ServerConfig,
    /// How much each client may ask for. Default: as [`RateLimitConfig`] says.
    #[serde(default)]
    pub rate_limit: RateLimitConfig,
    /// The order service. Default: [`DEFAULT_ORDERS_URL`].
    #[serde(with = "shop::base_url")]
    pub orders_url: Url,
    /// The inventory. Default: [`DEFAULT_INVENTORY_URL`].
    #[serde(with = "shop::base_url")]
    pub inventory_url: Url,
    /// The way to the order service: timeouts, retries, circuit breaker. Default:
    /// [`REQUEST_TIMEOUT`] for a call of two attempts at most, as the order service retries, too.
    pub orders: OutboundConfig,
    /// The way to the inventory. Default: [`REQUEST_TIMEOUT`] for a call.
    pub inventory: OutboundConfig,
}

/// What finds a [`Config`]: `GATEWAY__*` and `GATEWAY_CONFIG`, see [`shop::loader`].
pub fn loader() -> Loader {
    let loader = shop::loader("GATEWAY")
        .with_default("server.bind", DEFAULT_BIND)
        .with_default("server.admin.bind", DEFAULT_ADMIN_BIND)
        .with_default("orders_url", DEFAULT_ORDERS_URL)
        .with_default("inventory_url", DEFAULT_INVENTORY_URL)
        .with_default("orders.timeout", duration::format(REQUEST_TIMEOUT))
        // An order takes several calls, and is worth waiting for.
        .with_default("orders.attempt_timeout", "4s500ms")
        .with_default("orders.retry.max_attempts", 2)
        // A client does not wait for a service that asks for seconds.
        .with_default("orders.retry.max_retry_after", "100ms")
        .with_default("inventory.timeout", duration::format(REQUEST_TIMEOUT))
        .with_default("inventory.retry.max_retry_after", "100ms");
    shop::with_breaker_defaults(loader, ["orders", "inventory"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_set_gives_the_defaults() {
        let vars: [(&str, &str); 0] = [];
        let config: Config = loader().with_vars(vars).load().unwrap().config;
        assert_eq!(config.server.bind(), DEFAULT_BIND);
        assert_eq!(config.server.admin().bind, DEFAULT_ADMIN_BIND);
        assert_eq!(config.orders_url.as_str(), "http://127.0.0.1:8081/");
        assert_eq!(config.inventory_url.as_str(), "http://127.0.0.1:8082/");
        assert_eq!(config.orders.timeout(), REQUEST_TIMEOUT);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let vars = [
            ("GATEWAY__SERVER__BIND", "here"),
            ("GATEWAY__SERVER__GRACE", "1h"),
            ("GATEWAY__ORDERS_URL", "http://orders/?a=b"),
            ("GATEWAY__RATE_LIMIT__BURST", "0"),
            ("GATEWAY__PAYMENTS_URL", "http://127.0.0.1:8083"),
        ];
        let error = loader().with_vars(vars).load::<Config>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the configuration has 5 problems:
  GATEWAY__ORDERS_URL: orders_url: `http://orders/?a=b` is not an http or https URL such as \
             http://127.0.0.1:8081
  GATEWAY__PAYMENTS_URL: payments_url: unknown key, expected one of server, rate_limit, \
             orders_url, inventory_url, orders, inventory
  GATEWAY__RATE_LIMIT__BURST: rate_limit.burst: `0` is not from 1 to 1000000
  GATEWAY__SERVER__BIND: server.bind: `here` is not an address and port such as 127.0.0.1:8080
  GATEWAY__SERVER__GRACE: server.grace: `1h` is not a duration such as 250ms, 15s or 1h30m, from \
             0s to 10m"
        );
    }
}
