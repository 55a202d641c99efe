use std::env::VarError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bartizan::config::{self, InvalidVar};
use reqwest::Url;
use shop::{EXPECTED_URL, is_base_url};

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Where the order service listens by default.
pub const DEFAULT_ORDERS_URL: &str = "http://127.0.0.1:8081";

/// Where the inventory listens by default.
pub const DEFAULT_INVENTORY_URL: &str = "http://127.0.0.1:8082";

/// What the service can be told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; port 0 is any free one. `BIND`, default [`DEFAULT_BIND`].
    pub bind: SocketAddr,
    /// The order service. `ORDERS_URL`, default [`DEFAULT_ORDERS_URL`].
    pub orders_url: Url,
    /// The inventory. `INVENTORY_URL`, default [`DEFAULT_INVENTORY_URL`].
    pub inventory_url: Url,
}

// === impl Config ===

impl Config {
    /// Reads the configuration through `source`, which is [`std::env::var`] in a program.
    ///
    /// # Errors
    ///
    /// When a variable is set to what it cannot be.
    pub fn from_vars(
        source: impl Fn(&'static str) -> Result<String, VarError>,
    ) -> Result<Self, InvalidVar> {
        const BIND: &str = "an address and port such as 127.0.0.1:8080";
        let url = |name, default| {
            let parse = |text: &str| text.parse().ok().filter(|_| is_base_url(text));
            config::var(&source, name, default, EXPECTED_URL, parse)
        };
        Ok(Self {
            bind: config::var(&source, "BIND", &DEFAULT_BIND.to_string(), BIND, |text| {
                text.parse().ok()
            })?,
            orders_url: url("ORDERS_URL", DEFAULT_ORDERS_URL)?,
            inventory_url: url("INVENTORY_URL", DEFAULT_INVENTORY_URL)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(vars: &'static [(&'static str, &'static str)]) -> Result<Config, InvalidVar> {
        Config::from_vars(|name| {
            let found = vars.iter().find(|(key, _)| *key == name);
            found
                .map(|(_, value)| (*value).to_owned())
                .ok_or(VarError::NotPresent)
        })
    }

    #[test]
    fn nothing_set_gives_the_defaults() {
        let config = config(&[]).unwrap();
        assert_eq!(config.bind, DEFAULT_BIND);
        assert_eq!(config.orders_url.as_str(), "http://127.0.0.1:8081/");
        assert_eq!(config.inventory_url.as_str(), "http://127.0.0.1:8082/");
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        assert_eq!(
            config(&[("BIND", "here")]).unwrap_err().to_string(),
            "BIND: `here` is not an address and port such as 127.0.0.1:8080"
        );
        for url in ["orders:8081", "ftp://orders", "http://orders/?a=b"] {
            let error = Config::from_vars(|name| match name {
                "ORDERS_URL" => Ok(url.to_owned()),
                _ => Err(VarError::NotPresent),
            });
            assert_eq!(
                error.unwrap_err().to_string(),
                format!(
                    "ORDERS_URL: `{url}` is not an http or https URL such as http://127.0.0.1:8081"
                )
            );
        }
    }
}
