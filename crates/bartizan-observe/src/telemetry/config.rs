//! Where telemetry goes and in what portions.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::error::TelemetryError;
use super::retry::{Backoff, DEFAULT_RETRY_INITIAL, DEFAULT_RETRY_MAX};
use super::tls::TlsConfig;
use super::transport::Signal;

/// How long one export may take, as the OTLP specification has it.
pub const DEFAULT_OTLP_TIMEOUT: Duration = Duration::from_secs(10);
/// Where collectors listen for OTLP over HTTP by default.
pub const DEFAULT_HTTP_ENDPOINT: &str = "http://localhost:4318";
/// Where collectors listen for OTLP over gRPC by default.
pub const DEFAULT_GRPC_ENDPOINT: &str = "http://localhost:4317";

/// How many items wait at most: the specification's, enough for 4 full batches.
pub const DEFAULT_MAX_QUEUE: usize = 2_048;
/// How many bytes the items of one signal take at most, while they wait and while they are sent:
/// twice what a full queue of requests' spans does, and little beside what a service takes anyway.
pub const DEFAULT_MAX_QUEUE_BYTES: usize = 8 * 1024 * 1024;
/// How many items go out in one request: the specification's.
pub const DEFAULT_MAX_BATCH: usize = 512;
/// How long spans wait for a full batch: the specification's.
pub const DEFAULT_SPAN_DELAY: Duration = Duration::from_secs(5);
/// How long log records wait for a full batch: the specification's.
pub const DEFAULT_LOG_DELAY: Duration = Duration::from_secs(1);
/// How long one batch may be under way, retries included: the specification's.
pub const DEFAULT_EXPORT_TIMEOUT: Duration = Duration::from_secs(30);
/// How often metrics are collected and exported: the specification's.
pub const DEFAULT_METRIC_INTERVAL: Duration = Duration::from_secs(60);

/// How OTLP travels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtlpProtocol {
    /// Protobuf over HTTP/1.1.
    #[default]
    HttpProtobuf,
    /// gRPC.
    Grpc,
}

/// A collector to send everything to.
///
/// ```
/// use bartizan_observe::telemetry::{OtlpConfig, OtlpProtocol, Telemetry};
///
/// let collector = OtlpConfig::new("http://localhost:4317", OtlpProtocol::Grpc)?.with_gzip();
/// let telemetry = Telemetry::builder().with_service_name("orders").with_otlp(collector).build()?;
/// # drop(telemetry);
/// # Ok::<(), bartizan_observe::telemetry::TelemetryError>(())
/// ```
#[derive(Debug, Clone)]
pub struct OtlpConfig {
    base: Uri,
    protocol: OtlpProtocol,
    headers: HeaderMap,
    timeout: Duration,
    gzip: bool,
    tls: TlsConfig,
}

/// In what portions spans or log records go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchConfig {
    pub(super) max_queue: usize,
    pub(super) max_queue_bytes: usize,
    pub(super) max_batch: usize,
    pub(super) delay: Duration,
    pub(super) export_timeout: Duration,
    pub(super) backoff: Backoff,
}

/// One signal's end of an [`OtlpConfig`].
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub(super) uri: Uri,
    pub(super) protocol: OtlpProtocol,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
    pub(super) gzip: bool,
    pub(super) tls: TlsConfig,
}

// === impl OtlpConfig ===

impl OtlpConfig {
    /// Sends to `endpoint`, for example `http://localhost:4318`; over HTTP each signal goes to its
    /// path under it (`/v1/traces`, `/v1/metrics`, `/v1/logs`).
    ///
    /// # Errors
    ///
    /// When `endpoint` is no `http://` or `https://` address.
    pub fn new(endpoint: &str, protocol: OtlpProtocol) -> Result<Self, TelemetryError> {
        Ok(Self {
            base: parse_endpoint("endpoint", endpoint)?,
            protocol,
            headers: HeaderMap::new(),
            timeout: DEFAULT_OTLP_TIMEOUT,
            gzip: false,
            tls: TlsConfig::default(),
        })
    }

    /// Adds a header (over gRPC, metadata) to every request, for example an API key.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, mut value: HeaderValue) -> Self {
        value.set_sensitive(true);
        self.headers.append(name, value);
        self
    }

    /// How long one request may take. Default: [`DEFAULT_OTLP_TIMEOUT`].
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Compresses the requests by gzip. Default: not compressed.
    #[must_use]
    pub const fn with_gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// How TLS is done with an `https://` collector. Default: [`TlsConfig::default`].
    #[must_use]
    pub fn with_tls(mut self, tls: TlsConfig) -> Self {
        self.tls = tls;
        self
    }

    pub(super) fn destination(&self, signal: Signal) -> Result<Destination, TelemetryError> {
        let uri = match self.protocol {
            OtlpProtocol::HttpProtobuf => under("endpoint", &self.base, signal.http_path())?,
            OtlpProtocol::Grpc => self.base.clone(),
        };
        Ok(Destination {
            uri,
            protocol: self.protocol,
            headers: self.headers.clone(),
            timeout: self.timeout,
            gzip: self.gzip,
            tls: self.tls.clone(),
        })
    }
}

/// Reads an address; `name` is the variable or field that it came from.
pub(super) fn parse_endpoint(name: &str, value: &str) -> Result<Uri, TelemetryError> {
    let invalid = || TelemetryError::invalid(name, value, "an address like http://localhost:4318");
    let uri: Uri = value.parse().map_err(|_| invalid())?;
    if uri.host().is_none_or(str::is_empty) {
        return Err(invalid());
    }
    match uri.scheme_str() {
        Some("http" | "https") => Ok(uri),
        _ => Err(invalid()),
    }
}

/// `path` under the address `base`.
pub(super) fn under(name: &str, base: &Uri, path: &str) -> Result<Uri, TelemetryError> {
    let whole = format!("{}{path}", base.to_string().trim_end_matches('/'));
    parse_endpoint(name, &whole)
}

// === impl BatchConfig ===

impl BatchConfig {
    pub(super) const SPANS: Self = Self {
        max_queue: DEFAULT_MAX_QUEUE,
        max_queue_bytes: DEFAULT_MAX_QUEUE_BYTES,
        max_batch: DEFAULT_MAX_BATCH,
        delay: DEFAULT_SPAN_DELAY,
        export_timeout: DEFAULT_EXPORT_TIMEOUT,
        backoff: Backoff {
            initial: DEFAULT_RETRY_INITIAL,
            max: DEFAULT_RETRY_MAX,
        },
    };
    pub(super) const LOGS: Self = Self {
        delay: DEFAULT_LOG_DELAY,
        ..Self::SPANS
    };

    /// The specification's settings for spans.
    #[must_use]
    pub const fn spans() -> Self {
        Self::SPANS
    }

    /// The specification's settings for log records.
    #[must_use]
    pub const fn logs() -> Self {
        Self::LOGS
    }

    /// How many items wait at most; more are dropped and counted. 0 counts as 1. Default: [`DEFAULT_MAX_QUEUE`].
    #[must_use]
    pub const fn with_max_queue(mut self, items: usize) -> Self {
        self.max_queue = if items == 0 { 1 } else { items };
        self
    }

    /// How many bytes the items take at most, by an estimate, while they wait and while they are
    /// under way, retries included; what does not fit is dropped and counted like what is too
    /// many, and an item larger than this never fits. A quarter of it goes out in one request, a
    /// larger item alone. Default: [`DEFAULT_MAX_QUEUE_BYTES`].
    ///
    /// What a batch is encoded to comes on top for as long as that is under way.
    #[must_use]
    pub const fn with_max_queue_bytes(mut self, bytes: usize) -> Self {
        self.max_queue_bytes = bytes;
        self
    }

    /// How many items go out in one request; no more than the queue holds. Default:
    /// [`DEFAULT_MAX_BATCH`].
    #[must_use]
    pub const fn with_max_batch(mut self, items: usize) -> Self {
        self.max_batch = items;
        self
    }

    /// How long items wait for a batch to fill. Default: [`DEFAULT_SPAN_DELAY`] for spans,
    /// [`DEFAULT_LOG_DELAY`] for log records.
    #[must_use]
    pub const fn with_delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The pauses before a batch is sent again, which the OTLP specification allows after some
    /// failures: at first, doubled each time, and at most. Chance shortens each by up to a half, and
    /// the far side may ask for longer ones. Default: [`DEFAULT_RETRY_INITIAL`],
    /// [`DEFAULT_RETRY_MAX`].
    ///
    /// [`DEFAULT_RETRY_INITIAL`]: super::DEFAULT_RETRY_INITIAL
    /// [`DEFAULT_RETRY_MAX`]: super::DEFAULT_RETRY_MAX
    #[must_use]
    pub const fn with_retry_delays(mut self, initial: Duration, max: Duration) -> Self {
        self.backoff = Backoff { initial, max };
        self
    }

    /// How long one batch may be under way, retries included. Default: [`DEFAULT_EXPORT_TIMEOUT`].
    #[must_use]
    pub const fn with_export_timeout(mut self, timeout: Duration) -> Self {
        self.export_timeout = timeout;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_has_its_path_under_the_base() {
        for (base, expected) in [
            ("http://localhost:4318", "http://localhost:4318/v1/logs"),
            ("http://localhost:4318/", "http://localhost:4318/v1/logs"),
            ("http://h/otlp/", "http://h/otlp/v1/logs"),
        ] {
            let config = OtlpConfig::new(base, OtlpProtocol::HttpProtobuf).unwrap();
            assert_eq!(config.destination(Signal::Logs).unwrap().uri, expected);
        }
        let grpc = OtlpConfig::new("http://h:4317", OtlpProtocol::Grpc).unwrap();
        assert_eq!(
            grpc.destination(Signal::Logs).unwrap().uri,
            "http://h:4317/"
        );
    }

    #[test]
    fn an_address_that_cannot_be_used_is_named() {
        for (value, text) in [
            (
                "localhost:4318",
                "endpoint: `localhost:4318` is not an address like http://localhost:4318",
            ),
            (
                "ftp://h",
                "endpoint: `ftp://h` is not an address like http://localhost:4318",
            ),
            (
                "",
                "endpoint: `` is not an address like http://localhost:4318",
            ),
        ] {
            let error = OtlpConfig::new(value, OtlpProtocol::HttpProtobuf).unwrap_err();
            assert_eq!(error.to_string(), text);
        }
    }
}
