use std::env::VarError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use bartizan::config::{self, InvalidVar};

use crate::Amount;

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8083);

/// Loopback only: whoever reaches it can break the service.
pub const DEFAULT_ADMIN_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8093);

/// Above this, in cents, a payment is declined: three portcullises go through, ten do not.
pub const DEFAULT_LIMIT: &str = "1000000";

/// What the service can be told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; port 0 is any free one. `BIND`, default [`DEFAULT_BIND`].
    pub bind: SocketAddr,
    /// Where faults are set. `PAYMENTS_ADMIN_BIND`, default [`DEFAULT_ADMIN_BIND`].
    pub admin_bind: SocketAddr,
    /// The most that is authorised at once. `PAYMENTS_LIMIT_CENTS`, default [`DEFAULT_LIMIT`].
    pub limit: Amount,
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
        const ADDRESS: &str = "an address and port such as 127.0.0.1:8083";
        const LIMIT: &str = "a whole number of cents above 0";
        let address = |name, default: SocketAddr| {
            config::var(&source, name, &default.to_string(), ADDRESS, |text| {
                text.parse().ok()
            })
        };
        let amount = |text: &str| text.parse().ok().and_then(|n: i64| n.try_into().ok());
        Ok(Self {
            bind: address("BIND", DEFAULT_BIND)?,
            admin_bind: address("PAYMENTS_ADMIN_BIND", DEFAULT_ADMIN_BIND)?,
            limit: config::var(
                &source,
                "PAYMENTS_LIMIT_CENTS",
                DEFAULT_LIMIT,
                LIMIT,
                amount,
            )?,
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
        assert_eq!(config.limit.cents(), 1_000_000);
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        for (vars, said) in [
            (
                &[("PAYMENTS_ADMIN_BIND", "here")],
                "PAYMENTS_ADMIN_BIND: `here` is not an address and port such as 127.0.0.1:8083",
            ),
            (
                &[("PAYMENTS_LIMIT_CENTS", "0")],
                "PAYMENTS_LIMIT_CENTS: `0` is not a whole number of cents above 0",
            ),
        ] {
            assert_eq!(config(vars).unwrap_err().to_string(), said);
        }
    }
}
