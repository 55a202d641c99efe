use std::env::VarError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bartizan::config::{self, InvalidVar};

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8082);

/// Loopback only: whoever reaches it can break the service.
pub const DEFAULT_ADMIN_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8092);

/// What the service can be told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; port 0 is any free one. `BIND`, default [`DEFAULT_BIND`].
    pub bind: SocketAddr,
    /// Where faults are set. `INVENTORY_ADMIN_BIND`, default [`DEFAULT_ADMIN_BIND`].
    pub admin_bind: SocketAddr,
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
        const ADDRESS: &str = "an address and port such as 127.0.0.1:8082";
        let address = |name, default: SocketAddr| {
            config::var(&source, name, &default.to_string(), ADDRESS, |text| {
                text.parse().ok()
            })
        };
        Ok(Self {
            bind: address("BIND", DEFAULT_BIND)?,
            admin_bind: address("INVENTORY_ADMIN_BIND", DEFAULT_ADMIN_BIND)?,
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
        assert_eq!(config.admin_bind, DEFAULT_ADMIN_BIND);
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        assert_eq!(
            config(&[("INVENTORY_ADMIN_BIND", "8092")])
                .unwrap_err()
                .to_string(),
            "INVENTORY_ADMIN_BIND: `8092` is not an address and port such as 127.0.0.1:8082"
        );
    }
}
