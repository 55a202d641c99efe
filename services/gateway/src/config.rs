use std::env::VarError;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use reqwest::Url;

/// Loopback only: a demo service has no business on the network unless told so.
pub const DEFAULT_BIND: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);

/// Where the order service listens by default.
pub const DEFAULT_ORDERS_URL: &str = "http://127.0.0.1:8081";

/// What the service can be told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen; port 0 is any free one. `BIND`, default [`DEFAULT_BIND`].
    pub bind: SocketAddr,
    /// The order service. `ORDERS_URL`, default [`DEFAULT_ORDERS_URL`].
    pub orders_url: Url,
}

/// An environment variable has a value that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value:?}, expected {expected}")]
pub struct InvalidVar {
    name: &'static str,
    value: String,
    expected: &'static str,
}

// === impl Config ===

impl Config {
    /// Reads the configuration through `var`, which is [`std::env::var`] in a program.
    ///
    /// # Errors
    ///
    /// When a variable is set to what it cannot be.
    pub fn from_vars(
        var: impl Fn(&'static str) -> Result<String, VarError>,
    ) -> Result<Self, InvalidVar> {
        const BIND: &str = "an address and port such as 127.0.0.1:8080";
        const ORDERS_URL: &str = "an http or https URL such as http://127.0.0.1:8081";
        Ok(Self {
            bind: read(&var, "BIND", &DEFAULT_BIND.to_string(), BIND, |text| {
                text.parse().ok()
            })?,
            orders_url: read(&var, "ORDERS_URL", DEFAULT_ORDERS_URL, ORDERS_URL, base_url)?,
        })
    }
}

fn read<T>(
    var: impl Fn(&'static str) -> Result<String, VarError>,
    name: &'static str,
    default: &str,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<T, InvalidVar> {
    let value = match var(name) {
        Ok(value) => value,
        Err(VarError::NotPresent) => default.to_owned(),
        Err(VarError::NotUnicode(raw)) => {
            return Err(InvalidVar {
                name,
                value: raw.to_string_lossy().into_owned(),
                expected,
            });
        }
    };
    parse(&value).ok_or(InvalidVar {
        name,
        value,
        expected,
    })
}

/// A URL that paths can be put behind.
fn base_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let usable = matches!(url.scheme(), "http" | "https")
        && url.query().is_none()
        && url.fragment().is_none();
    usable.then_some(url)
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
    }

    #[test]
    fn a_bad_value_is_named_with_what_is_allowed() {
        assert_eq!(
            config(&[("BIND", "here")]).unwrap_err().to_string(),
            "BIND is \"here\", expected an address and port such as 127.0.0.1:8080"
        );
        for url in ["orders:8081", "ftp://orders", "http://orders/?a=b", ""] {
            let error = Config::from_vars(|name| match name {
                "ORDERS_URL" => Ok(url.to_owned()),
                _ => Err(VarError::NotPresent),
            });
            assert_eq!(
                error.unwrap_err().to_string(),
                format!(
                    "ORDERS_URL is {url:?}, expected an http or https URL such as http://127.0.0.1:8081"
                )
            );
        }
    }
}
