//! The section as it is written. Each value is checked where it is read, so that an error names its
//! line; what takes several of them is checked at the end.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::HeaderName;
use serde::{Deserialize, Deserializer, Serialize};

use super::{
    CorsConfig, DEFAULT_BIND, MAX_BODY_LIMIT, MAX_DRAIN_DEADLINE, MAX_GRACE, MAX_SHUTDOWN_DEADLINE,
    ServerConfig,
};
use crate::admin::DEFAULT_ADMIN_BIND;
use crate::config::{duration, size, value};
use crate::edge::{DEFAULT_BODY_LIMIT, DEFAULT_CORS_MAX_AGE, Origin};
use crate::telemetry::DEFAULT_SHUTDOWN_DEADLINE;
use crate::{DEFAULT_GRACE, DRAIN_DEADLINE};

/// The longest that a preflight counts: browsers keep none for longer.
const MAX_CORS_MAX_AGE: Duration = Duration::from_secs(24 * 3600);

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawServerConfig {
    #[serde(deserialize_with = "address")]
    pub(super) bind: SocketAddr,
    #[serde(deserialize_with = "grace", serialize_with = "duration::serialize")]
    pub(super) grace: Duration,
    #[serde(deserialize_with = "drain", serialize_with = "duration::serialize")]
    pub(super) drain_deadline: Duration,
    #[serde(deserialize_with = "flush", serialize_with = "duration::serialize")]
    pub(super) shutdown_deadline: Duration,
    #[serde(deserialize_with = "body_limit", serialize_with = "size::serialize")]
    pub(super) body_limit: u64,
    pub(super) decompression: bool,
    pub(super) catch_panic: bool,
    pub(super) sensitive_headers: Vec<Name>,
    pub(super) admin: RawAdmin,
    pub(super) cors: RawCors,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawAdmin {
    pub(super) enabled: bool,
    #[serde(deserialize_with = "address")]
    pub(super) bind: SocketAddr,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCors {
    pub(super) origins: Vec<OriginText>,
    pub(super) credentials: bool,
    #[serde(deserialize_with = "max_age", serialize_with = "duration::serialize")]
    pub(super) max_age: Duration,
}

/// The name of a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Name(String);

/// An origin, or `*`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct OriginText(String);

const ANY: &str = "*";

// === impl RawServerConfig ===

impl Default for RawServerConfig {
    fn default() -> Self {
        Self {
            bind: DEFAULT_BIND,
            grace: DEFAULT_GRACE,
            drain_deadline: DRAIN_DEADLINE,
            shutdown_deadline: DEFAULT_SHUTDOWN_DEADLINE,
            body_limit: DEFAULT_BODY_LIMIT as u64,
            decompression: false,
            catch_panic: false,
            sensitive_headers: Vec::new(),
            admin: RawAdmin::default(),
            cors: RawCors::default(),
        }
    }
}

impl TryFrom<RawServerConfig> for ServerConfig {
    type Error = String;

    fn try_from(raw: RawServerConfig) -> Result<Self, String> {
        if raw.admin.enabled && raw.admin.bind == raw.bind && raw.bind.port() != 0 {
            return Err(format!(
                "bind and admin.bind are both {}, expected two addresses",
                raw.bind
            ));
        }
        let any = raw.cors.origins.iter().any(OriginText::is_any);
        if any && raw.cors.origins.len() > 1 {
            return Err("cors.origins has `*` and others, expected one or the other".to_owned());
        }
        if any && raw.cors.credentials {
            return Err(
                "cors.credentials is true with cors.origins `*`, which browsers do not allow; \
                 expected a list of origins"
                    .to_owned(),
            );
        }
        Ok(Self { raw })
    }
}

impl From<ServerConfig> for RawServerConfig {
    fn from(config: ServerConfig) -> Self {
        config.raw
    }
}

// === impl RawAdmin ===

impl Default for RawAdmin {
    fn default() -> Self {
        Self {
            enabled: true,
            bind: DEFAULT_ADMIN_BIND,
        }
    }
}

// === impl RawCors ===

impl Default for RawCors {
    fn default() -> Self {
        Self {
            origins: Vec::new(),
            credentials: false,
            max_age: DEFAULT_CORS_MAX_AGE,
        }
    }
}

impl RawCors {
    pub(super) fn checked(&self) -> CorsConfig {
        let max_age = self.max_age;
        if self.origins.iter().any(OriginText::is_any) {
            return CorsConfig::AnyOrigin { max_age };
        }
        // Each was read as one.
        let origins = self.origins.iter().filter_map(|text| text.0.parse().ok());
        let origins: Vec<Origin> = origins.collect();
        if origins.is_empty() {
            return CorsConfig::Off;
        }
        CorsConfig::Origins {
            origins,
            credentials: self.credentials,
            max_age,
        }
    }
}

// === impl Name ===

impl Name {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "the name of a header, such as x-api-key";
        value::text(deserializer, expected, |text| {
            let name: HeaderName = text.parse().ok()?;
            Some(Self(name.as_str().to_owned()))
        })
    }
}

// === impl OriginText ===

impl OriginText {
    fn is_any(&self) -> bool {
        self.0 == ANY
    }
}

impl<'de> Deserialize<'de> for OriginText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "an origin such as https://shop.example, in lower case, or *";
        value::text(deserializer, expected, |text| {
            let is_one = text == ANY || text.parse::<Origin>().is_ok();
            is_one.then(|| Self(text.to_owned()))
        })
    }
}

// === values ===

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let expected = "an address and port such as 127.0.0.1:8080";
    value::text(deserializer, expected, |text| text.parse().ok())
}

fn grace<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, Duration::ZERO..=MAX_GRACE)
}

fn drain<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, Duration::ZERO..=MAX_DRAIN_DEADLINE)
}

fn flush<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, Duration::ZERO..=MAX_SHUTDOWN_DEADLINE)
}

fn max_age<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    duration::within(deserializer, Duration::ZERO..=MAX_CORS_MAX_AGE)
}

fn body_limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    size::within(deserializer, 1..=MAX_BODY_LIMIT as u64)
}
