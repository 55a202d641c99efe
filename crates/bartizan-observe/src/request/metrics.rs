use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundHistogram, BoundUpDownCounter, Histogram, Meter, UpDownCounter};

use super::facts::{Scheme, protocol_version};
use super::route::MatchedRoute;
use super::verdict::Failure;
use crate::exposition::{Exemplar, Exemplars, SeriesExemplars};
use crate::method::KnownMethod;
use crate::names::{attr, metric};
use crate::table::Table;

/// How many series one layer makes at the most; what comes after goes to one series that is marked
/// as overflow. A service has routes times a few statuses of them; 2000 is the SDK's own bound.
pub const DEFAULT_MAX_SERIES: usize = 2000;

/// The HTTP server instruments, and the series that were bound to them.
#[derive(Debug)]
pub(crate) struct ServerMetrics {
    duration: Histogram<f64>,
    to_headers: Histogram<f64>,
    stream: Histogram<f64>,
    request_size: Histogram<u64>,
    response_size: Histogram<u64>,
    active: UpDownCounter<i64>,
    series: Table<u64, Series>,
    overflow: Series,
    /// Set when there is an exposition, the only way out that has them.
    exemplars: Option<Arc<Exemplars>>,
    /// By method, then scheme: so few that they need no table.
    bound_active: [[OnceLock<BoundUpDownCounter<i64>>; Scheme::COUNT]; KnownMethod::COUNT],
}

/// The instruments bound to one set of attributes, each at its first measurement: the SDK exports
/// a cumulative series from its binding on, measured or not.
#[derive(Debug, Default)]
struct Series {
    duration: OnceLock<BoundHistogram<f64>>,
    to_headers: OnceLock<BoundHistogram<f64>>,
    request_size: OnceLock<BoundHistogram<u64>>,
    response_size: OnceLock<BoundHistogram<u64>>,
    /// `None` inside when there is no room for more.
    exemplars: OnceLock<Option<Arc<SeriesExemplars>>>,
}

/// What tells one series from another.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SeriesKey<'a> {
    pub(crate) method: KnownMethod,
    pub(crate) scheme: Scheme,
    pub(crate) version: http::Version,
    pub(crate) route: Option<&'a MatchedRoute>,
    pub(crate) status: Option<StatusCode>,
    pub(crate) failure: Option<Failure>,
}

/// What is measured when a request ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measured {
    pub(crate) duration: Duration,
    pub(crate) to_headers: Option<Duration>,
    pub(crate) request_bytes: Option<u64>,
    /// `None` for a stream, whose bytes are not over when its request is.
    pub(crate) response_bytes: Option<u64>,
}

// === impl ServerMetrics ===

impl ServerMetrics {
    pub(crate) fn new(meter: &Meter, max_series: usize) -> Self {
        Self {
            duration: metric::SERVER_REQUEST_DURATION.seconds(meter),
            to_headers: metric::SERVER_TIME_TO_HEADERS.seconds(meter),
            stream: metric::SERVER_STREAM_DURATION.seconds(meter),
            request_size: metric::SERVER_REQUEST_BODY_SIZE.bytes(meter),
            response_size: metric::SERVER_RESPONSE_BODY_SIZE.bytes(meter),
            active: metric::SERVER_ACTIVE_REQUESTS.up_down_counter(meter),
            series: Table::new(max_series),
            overflow: Series::default(),
            exemplars: None,
            bound_active: [const { [const { OnceLock::new() }; Scheme::COUNT] };
                KnownMethod::COUNT],
        }
    }

    /// Keeps exemplars of the duration there.
    pub(crate) fn with_exemplars(mut self, exemplars: Option<Arc<Exemplars>>) -> Self {
        self.exemplars = exemplars;
        self
    }

    pub(crate) fn begin(&self, method: KnownMethod, scheme: Scheme) {
        self.active(method, scheme).add(1);
    }

    /// `exemplar` is the request's, if it is sampled; it is asked for only if exemplars are kept.
    pub(crate) fn end(
        &self,
        key: &SeriesKey<'_>,
        measured: &Measured,
        exemplar: impl FnOnce() -> Option<Exemplar>,
    ) {
        self.active(key.method, key.scheme).add(-1);
        let known = key.packed().and_then(|packed| {
            self.series.get_or_insert(
                &packed,
                |other| *other == packed,
                |_| (packed, Series::default()),
            )
        });
        let attributes = || match known {
            Some(_) => key.attributes(),
            None => vec![KeyValue::new(attr::METRIC_OVERFLOW, true)],
        };
        let series = known.unwrap_or(&self.overflow);
        record(
            &series.duration,
            &self.duration,
            Some(measured.duration.as_secs_f64()),
            attributes,
        );
        if let Some(exemplars) = &self.exemplars
            && let Some(exemplar) = exemplar()
            && let Some(kept) = series
                .exemplars
                .get_or_init(|| exemplars.series(attributes()))
        {
            kept.keep(exemplar);
        }
        let to_headers = measured.to_headers.map(|took| took.as_secs_f64());
        record(&series.to_headers, &self.to_headers, to_headers, attributes);
        record(
            &series.request_size,
            &self.request_size,
            measured.request_bytes,
            attributes,
        );
        record(
            &series.response_size,
            &self.response_size,
            measured.response_bytes,
            attributes,
        );
    }

    /// Streams are few and long, so theirs is not bound in advance.
    pub(crate) fn stream_ended(&self, key: &SeriesKey<'_>, lived: Duration) {
        self.stream.record(lived.as_secs_f64(), &key.attributes());
    }

    fn active(&self, method: KnownMethod, scheme: Scheme) -> &BoundUpDownCounter<i64> {
        self.bound_active[method.index()][scheme.index()].get_or_init(|| {
            self.active.bind(&[
                KeyValue::new(attr::HTTP_REQUEST_METHOD, method.as_str()),
                KeyValue::new(attr::URL_SCHEME, scheme.as_str()),
            ])
        })
    }
}

// === impl SeriesKey ===

impl SeriesKey<'_> {
    /// The whole key in one word; `None` for a route without a number of its own.
    fn packed(&self) -> Option<u64> {
        let route = match self.route {
            None => 0,
            Some(MatchedRoute::Known(known)) => u64::from(known.index),
            Some(MatchedRoute::Overflow(_)) => return None,
        };
        let status = self.status.map_or(0, |status| u64::from(status.as_u16()));
        let failure = self.failure.map_or(0, Failure::index);
        let version = match self.version {
            http::Version::HTTP_09 => 0,
            http::Version::HTTP_10 => 1,
            http::Version::HTTP_2 => 3,
            http::Version::HTTP_3 => 4,
            _ => 2,
        };
        // 32 bits of route, then 10 of status, 3 of failure, 3 of version, 5 of method, 1 of scheme.
        let mut packed = route;
        packed = packed << 10 | status;
        packed = packed << 3 | failure;
        packed = packed << 3 | version;
        packed = packed << 5 | self.method.index() as u64;
        Some(packed << 1 | self.scheme.index() as u64)
    }

    fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = vec![
            KeyValue::new(attr::HTTP_REQUEST_METHOD, self.method.as_str()),
            KeyValue::new(attr::URL_SCHEME, self.scheme.as_str()),
        ];
        if let Some(version) = protocol_version(self.version) {
            attributes.push(KeyValue::new(attr::NETWORK_PROTOCOL_VERSION, version));
        }
        match self.route {
            Some(MatchedRoute::Known(known)) => {
                attributes.push(KeyValue::new(attr::HTTP_ROUTE, known.template));
            }
            Some(MatchedRoute::Overflow(_)) => {
                attributes.push(KeyValue::new(attr::METRIC_OVERFLOW, true));
            }
            None => {}
        }
        if let Some(status) = self.status {
            attributes.push(KeyValue::new(
                attr::HTTP_RESPONSE_STATUS_CODE,
                i64::from(status.as_u16()),
            ));
        }
        if let Some(failure) = self.failure {
            attributes.push(KeyValue::new(attr::ERROR_TYPE, failure.error_type()));
        }
        attributes
    }
}

fn record<T>(
    bound: &OnceLock<BoundHistogram<T>>,
    instrument: &Histogram<T>,
    value: Option<T>,
    attributes: impl FnOnce() -> Vec<KeyValue>,
) {
    if let Some(value) = value {
        bound
            .get_or_init(|| instrument.bind(&attributes()))
            .record(value);
    }
}
