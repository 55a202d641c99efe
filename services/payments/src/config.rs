use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bartizan::config::{Loader, ServerConfig};
use serde::{Deserialize, Serialize};

use crate::Amount;

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8083);

/// Loopback only: whoever reaches it can break the service.
pub const DEFAULT_ADMIN_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8093);

/// Above this, in cents, a payment is declined: three portcullises go through, ten do not.
pub const DEFAULT_LIMIT_CENTS: i64 = 1_000_000;

/// What the service can be told from outside; see [`loader`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen and how to end. Default: [`DEFAULT_BIND`], [`DEFAULT_ADMIN_BIND`], the rest
    /// as [`ServerConfig`] says.
    pub server: ServerConfig,
    /// The most that is authorised at once, in cents. Default: [`DEFAULT_LIMIT_CENTS`].
    pub limit_cents: Amount,
}

/// What finds a [`Config`]: `PAYMENTS__*` and `PAYMENTS_CONFIG`, see [`shop::loader`].
pub fn loader() -> Loader {
    shop::loader("PAYMENTS")
        .with_default("server.bind", DEFAULT_BIND)
        .with_default("server.admin.bind", DEFAULT_ADMIN_BIND)
        .with_default("limit_cents", DEFAULT_LIMIT_CENTS)
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
        assert_eq!(config.limit_cents.cents(), 1_000_000);
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let vars = [
            ("PAYMENTS__LIMIT_CENTS", "0"),
            ("PAYMENTS__SERVER__ADMIN__BIND", "here"),
        ];
        let error = loader().with_vars(vars).load::<Config>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the configuration has 2 problems:
  PAYMENTS__LIMIT_CENTS: limit_cents: `0` is not allowed: amount_cents is 0, expected 1 \
             or more
  PAYMENTS__SERVER__ADMIN__BIND: server.admin.bind: `here` is not an address and port such as \
             127.0.0.1:8080"
        );
    }
}
