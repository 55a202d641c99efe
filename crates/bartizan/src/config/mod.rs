//! A service's settings: a TOML file, the environment over it, and one error with everything that is
//! wrong.
//!
//! ```
//! use std::time::Duration;
//!
//! use bartizan::config::{self, Secret, ServerConfig};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Deserialize, Serialize)]
//! struct Shop {
//!     #[serde(default)]
//!     server: ServerConfig,
//!     database: String,
//!     api_key: Secret<String>,
//! }
//!
//! let loaded = config::loader()
//!     .with_optional_file("shop.toml")
//!     .with_env("SHOP")
//! #   .with_vars([
//! #       ("SHOP__DATABASE", "shop.db"),
//! #       ("SHOP__API_KEY", "hunter2"),
//! #       ("SHOP__SERVER__GRACE", "10s"),
//! #   ])
//!     .load::<Shop>()?;
//! // SHOP__SERVER__GRACE=10s
//! assert_eq!(loaded.config.server.grace(), Duration::from_secs(10));
//! assert_eq!(loaded.source("server.grace").to_string(), "SHOP__SERVER__GRACE");
//! # Ok::<(), bartizan::config::ConfigError>(())
//! ```
//!
//! # Precedence
//!
//! The environment's value counts, else the file's, else the default, which is what
//! [`Loader::with_default`] or `#[serde(default)]` says; each value for itself, lists as a whole.
//!
//! # Variables
//!
//! A variable's name is the prefix and the parts of the key in capitals, with two underscores
//! between them: `SHOP__SERVER__DRAIN_DEADLINE` is `server.drain_deadline`; for `-` in a key there is
//! `_`. Its text is read as the type that is wanted; a list is separated by commas. An empty variable
//! counts as unset. Inside of `#[serde(flatten)]` and `#[serde(untagged)]`, where nobody says what is
//! wanted, a text is what TOML would take it for. Tables in lists are for the file.
//!
//! # What is rejected
//!
//! Every key that no struct has, in the file as well as in variables with the prefix, also without
//! `#[serde(deny_unknown_fields)]`, except in a table with a `#[serde(flatten)]`, of which serde does
//! not say what keys it has. Every value of the wrong type, and every one that its type does not
//! allow: [`text()`], [`within`], [`duration`] and [`size`] are for ranges. A check of
//! several values together (`#[serde(try_from = "...")]`) is told when each of them is right.
//!
//! Values of [`Secret`]s, and of keys that sound like one, are in no error; nor are values of unknown
//! keys.

mod de;
pub mod duration;
mod effective;
mod env;
mod error;
mod file;
mod loader;
mod outbound;
mod rate_limit;
mod secret;
mod server;
pub mod size;
mod source;
mod tree;
mod value;
mod var;

pub use effective::{Effective, EffectiveValue};
pub use error::{ConfigError, ConfigProblem};
pub use loader::{Loaded, Loader, loader};
pub use outbound::{MAX_CALL, OutboundConfig};
#[cfg(feature = "redis")]
pub use rate_limit::MAX_REDIS_DEADLINE;
pub use rate_limit::{
    DEFAULT_RATE_LIMIT, DEFAULT_RATE_LIMIT_BURST, DEFAULT_RATE_LIMIT_PER, MAX_RATE_LIMIT,
    MAX_RATE_LIMIT_BURST, MAX_TRUSTED_PROXIES, RateLimitConfig,
};
pub use secret::Secret;
pub use server::{
    AdminConfig, CorsConfig, DEFAULT_BIND, MAX_BODY_LIMIT, MAX_DRAIN_DEADLINE, MAX_GRACE,
    MAX_SHUTDOWN_DEADLINE, ServerConfig,
};
pub use source::Source;
pub use value::{text, within};
pub use var::{InvalidVar, var};
