use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bartizan::config::{Loader, ServerConfig};
use serde::{Deserialize, Serialize};

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8082);

/// Loopback only: whoever reaches it can break the service.
pub const DEFAULT_ADMIN_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8092);

/// What the service can be told from outside; see [`loader`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen and how to end. Default: [`DEFAULT_BIND`], [`DEFAULT_ADMIN_BIND`], the rest
    /// as [`ServerConfig`] says.
    pub server: ServerConfig,
}

/// What finds a [`Config`]: `INVENTORY__*` and `INVENTORY_CONFIG`, see [`shop::loader`].
pub fn loader() -> Loader {
    shop::loader("INVENTORY")
        .with_default("server.bind", DEFAULT_BIND)
        .with_default("server.admin.bind", DEFAULT_ADMIN_BIND)
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
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let vars = [
            ("INVENTORY__SERVER__BIND", "8082"),
            ("INVENTORY__STOCK", "7"),
        ];
        let error = loader().with_vars(vars).load::<Config>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the configuration has 2 problems:
  INVENTORY__SERVER__BIND: server.bind: `8082` is not an address and port such as 127.0.0.1:8080
  INVENTORY__STOCK: stock: unknown key, expected server"
        );
    }
}
