use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use bartizan::config::{Loader, OutboundConfig, ServerConfig, duration};
use reqwest::Url;
use serde::{Deserialize, Serialize};

use crate::CALL_TIMEOUT;

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8081);

/// Loopback only: whoever reaches it may read the configuration and change log levels.
pub const DEFAULT_ADMIN_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8091);

/// In memory, so that a first start needs no writable directory and leaves nothing behind.
pub const DEFAULT_DATABASE: &str = ":memory:";

/// Where the inventory listens by default.
pub const DEFAULT_INVENTORY_URL: &str = "http://127.0.0.1:8082";

/// Where the payments listen by default.
pub const DEFAULT_PAYMENTS_URL: &str = "http://127.0.0.1:8083";

/// What the service can be told from outside; see [`loader`].
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen and how to end. Default: [`DEFAULT_BIND`], [`DEFAULT_ADMIN_BIND`], the rest
    /// as [`ServerConfig`] says.
    pub server: ServerConfig,
    /// The SQLite file, made if it is missing, or `:memory:`. Default: [`DEFAULT_DATABASE`].
    pub database: PathBuf,
    /// The inventory. Default: [`DEFAULT_INVENTORY_URL`].
    #[serde(with = "shop::base_url")]
    pub inventory_url: Url,
    /// The payments. Default: [`DEFAULT_PAYMENTS_URL`].
    #[serde(with = "shop::base_url")]
    pub payments_url: Url,
    /// The way to the inventory: timeouts, retries, circuit breaker. Default: [`CALL_TIMEOUT`] for a
    /// call of two attempts at most.
    pub inventory: OutboundConfig,
    /// The way to the payments. Default: as to the inventory.
    pub payments: OutboundConfig,
}

/// What finds a [`Config`]: `ORDERS__*` and `ORDERS_CONFIG`, see [`shop::loader`].
pub fn loader() -> Loader {
    let loader = shop::loader("ORDERS")
        .with_default("server.bind", DEFAULT_BIND)
        .with_default("server.admin.bind", DEFAULT_ADMIN_BIND)
        .with_default("database", DEFAULT_DATABASE)
        .with_default("inventory_url", DEFAULT_INVENTORY_URL)
        .with_default("payments_url", DEFAULT_PAYMENTS_URL);
    let upstreams = ["inventory", "payments"];
    let loader = upstreams.into_iter().fold(loader, |loader, upstream| {
        let key = |name| format!("{upstream}.{name}");
        let timeout = duration::format(CALL_TIMEOUT);
        loader
            .with_default(&key("timeout"), &timeout)
            // What hangs for so long is not asked again: the client waits.
            .with_default(&key("attempt_timeout"), &timeout)
            .with_default(&key("retry.max_attempts"), 2)
            .with_default(&key("retry.max_retry_after"), "100ms")
    });
    shop::with_breaker_defaults(loader, upstreams)
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
        assert_eq!(config.database, PathBuf::from(":memory:"));
        assert_eq!(config.inventory_url.as_str(), "http://127.0.0.1:8082/");
        assert_eq!(config.payments_url.as_str(), "http://127.0.0.1:8083/");
        assert_eq!(config.payments.timeout(), CALL_TIMEOUT);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let vars = [
            ("ORDERS__DB", "orders.db"),
            ("ORDERS__PAYMENTS_URL", "payments"),
            ("ORDERS__SERVER__ADMIN__BIND", "8091"),
        ];
        let error = loader().with_vars(vars).load::<Config>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the configuration has 3 problems:
  ORDERS__DB: db: unknown key, expected one of server, database, inventory_url, \
             payments_url, inventory, payments
  ORDERS__PAYMENTS_URL: payments_url: `payments` is not an http or https URL such as \
             http://127.0.0.1:8081
  ORDERS__SERVER__ADMIN__BIND: server.admin.bind: `8091` is not an address and port such as \
             127.0.0.1:8080"
        );
    }
}
