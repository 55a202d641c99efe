//! `http.client.*`: instruments bound once per series, in tables of bounded size.

use std::hash::RandomState;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{StatusCode, Version};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, BoundUpDownCounter, Histogram, Meter, UpDownCounter};

use super::target::Target;
use crate::method::KnownMethod;
use crate::names::{attr, metric};
use crate::table::Table;

/// How many servers and how many series of durations are told apart.
///
/// Half of what the SDK keeps per instrument (2000), so that its own limit never comes first.
pub const DEFAULT_MAX_SERIES: usize = 1024;

/// DNS knows no longer names (RFC 1035, section 2.3.4); the bound on a series' size depends on it.
const MAX_ADDRESS_LEN: usize = 255;

/// The instruments and the series that have been seen.
#[derive(Debug)]
pub(super) struct Metrics {
    duration: Histogram<f64>,
    active: UpDownCounter<i64>,
    request_size: Histogram<u64>,
    response_size: Histogram<u64>,
    /// Host names may come from outside, so the hash is keyed.
    endpoints: Table<EndpointKey<Box<str>>, Arc<Endpoint>, RandomState>,
    series: Table<SeriesKey, Series>,
    /// Take what no longer fits.
    overflow_endpoint: OnceLock<Arc<Endpoint>>,
    overflow: Series,
}

/// One method at one server: what is known of an attempt when it starts.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// `None` for the one that takes the overflow.
    id: Option<usize>,
    /// What all of its series have in common.
    attributes: Vec<KeyValue>,
    active: BoundUpDownCounter<i64>,
}

/// What is known of an attempt when it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) response: Option<(StatusCode, Version)>,
    /// Why it failed, where the status does not say it.
    pub(super) error: Option<&'static str>,
    pub(super) duration: Duration,
    pub(super) request_bytes: Option<u64>,
    pub(super) response_bytes: Option<u64>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct EndpointKey<A>(KnownMethod, Target<A>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct SeriesKey {
    endpoint: usize,
    response: Option<(StatusCode, Version)>,
    error: Option<&'static str>,
}

/// Each is bound at its first measurement: the SDK exports a cumulative series from its binding
/// on, measured or not.
#[derive(Debug, Default)]
struct Series {
    duration: OnceLock<BoundHistogram<f64>>,
    request_size: OnceLock<BoundHistogram<u64>>,
    response_size: OnceLock<BoundHistogram<u64>>,
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(meter: &Meter, max_series: usize) -> Self {
        Self {
            duration: metric::CLIENT_REQUEST_DURATION.seconds(meter),
            active: metric::CLIENT_ACTIVE_REQUESTS.up_down_counter(meter),
            request_size: metric::CLIENT_REQUEST_BODY_SIZE.bytes(meter),
            response_size: metric::CLIENT_RESPONSE_BODY_SIZE.bytes(meter),
            endpoints: Table::new(max_series),
            series: Table::new(max_series),
            overflow_endpoint: OnceLock::new(),
            overflow: Series::default(),
        }
    }

    /// Counts an attempt as active; [`Self::end`] must follow once.
    pub(super) fn start(&self, method: KnownMethod, target: Target<&str>) -> Arc<Endpoint> {
        let key = EndpointKey(method, target);
        let known = if target.address.map_or(0, str::len) > MAX_ADDRESS_LEN {
            None
        } else {
            let make = |number| (key.owned(), self.endpoint(&key, number));
            self.endpoints
                .get_or_insert(&key, |known| known.is(&key), make)
        };
        let endpoint = known.unwrap_or_else(|| {
            self.overflow_endpoint
                .get_or_init(|| self.overflow_endpoint())
        });
        endpoint.active.add(1);
        Arc::clone(endpoint)
    }

    pub(super) fn end(&self, endpoint: &Endpoint, ended: &Ended) {
        endpoint.active.add(-1);
        let series = endpoint.id.and_then(|endpoint| {
            let key = SeriesKey {
                endpoint,
                response: ended.response,
                error: ended.error,
            };
            self.series
                .get_or_insert(&key, |known| *known == key, |_| (key, Series::default()))
        });
        let attributes = || match series {
            Some(_) => endpoint.attributes_at_end(ended),
            None => overflow_attributes(),
        };
        let series = series.unwrap_or(&self.overflow);
        series
            .duration
            .get_or_init(|| self.duration.bind(&attributes()))
            .record(ended.duration.as_secs_f64());
        for (bytes, bound, instrument) in [
            (
                ended.request_bytes,
                &series.request_size,
                &self.request_size,
            ),
            (
                ended.response_bytes,
                &series.response_size,
                &self.response_size,
            ),
        ] {
            if let Some(bytes) = bytes {
                bound
                    .get_or_init(|| instrument.bind(&attributes()))
                    .record(bytes);
            }
        }
    }

    fn endpoint(
        &self,
        &EndpointKey(method, target): &EndpointKey<&str>,
        number: usize,
    ) -> Arc<Endpoint> {
        let mut attributes = Vec::with_capacity(4);
        attributes.push(KeyValue::new(attr::HTTP_REQUEST_METHOD, method.as_str()));
        if let Some(scheme) = target.scheme.as_str() {
            attributes.push(KeyValue::new(attr::URL_SCHEME, scheme));
        }
        if let Some(address) = target.address {
            attributes.push(KeyValue::new(
                attr::SERVER_ADDRESS,
                Arc::<str>::from(address),
            ));
        }
        if let Some(port) = target.port {
            attributes.push(KeyValue::new(attr::SERVER_PORT, i64::from(port)));
        }
        Arc::new(Endpoint {
            id: Some(number),
            active: self.active.bind(&attributes),
            attributes,
        })
    }

    fn overflow_endpoint(&self) -> Arc<Endpoint> {
        let attributes = overflow_attributes();
        Arc::new(Endpoint {
            id: None,
            active: self.active.bind(&attributes),
            attributes,
        })
    }
}

// === impl Endpoint ===

impl Endpoint {
    fn attributes_at_end(&self, ended: &Ended) -> Vec<KeyValue> {
        let mut attributes = self.attributes.clone();
        if let Some((status, version)) = ended.response {
            attributes.push(KeyValue::new(
                attr::HTTP_RESPONSE_STATUS_CODE,
                i64::from(status.as_u16()),
            ));
            attributes.push(KeyValue::new(
                attr::NETWORK_PROTOCOL_VERSION,
                version_name(version),
            ));
        }
        if let Some(error) = ended.error_type() {
            attributes.push(error);
        }
        attributes
    }
}

// === impl Ended ===

impl Ended {
    /// The attribute `error.type`, for whatever a client counts as an error.
    pub(super) fn error_type(&self) -> Option<KeyValue> {
        if let Some(error) = self.error {
            return Some(KeyValue::new(attr::ERROR_TYPE, error));
        }
        let (status, _) = self.response?;
        (status.as_u16() >= 400)
            .then(|| KeyValue::new(attr::ERROR_TYPE, status.as_str().to_owned()))
    }
}

// === impl EndpointKey ===

impl EndpointKey<Box<str>> {
    fn is(&self, other: &EndpointKey<&str>) -> bool {
        let Self(
            method,
            Target {
                scheme,
                address,
                port,
            },
        ) = self;
        *method == other.0
            && *scheme == other.1.scheme
            && address.as_deref() == other.1.address
            && *port == other.1.port
    }
}

impl EndpointKey<&str> {
    fn owned(&self) -> EndpointKey<Box<str>> {
        let Self(
            method,
            Target {
                scheme,
                address,
                port,
            },
        ) = *self;
        EndpointKey(
            method,
            Target {
                scheme,
                address: address.map(Box::from),
                port,
            },
        )
    }
}

fn overflow_attributes() -> Vec<KeyValue> {
    vec![KeyValue::new(attr::METRIC_OVERFLOW, true)]
}

/// The value of `network.protocol.version`.
pub(super) fn version_name(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => "1.1",
    }
}
