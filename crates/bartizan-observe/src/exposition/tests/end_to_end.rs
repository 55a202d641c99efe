//! From a request to the page.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use opentelemetry::KeyValue;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use tower::{Layer, Service, ServiceExt, service_fn};
use tracing_subscriber::layer::SubscriberExt;

use super::parser::{Sample, samples};
use super::*;
use crate::exposition::{Exposition, OmittedReason, Unavailable};
use crate::request::{MetricsLayer, ObserveLayer, RequestOptions, Route, TraceLayer};
use crate::telemetry::{Sampler, Telemetry};
use crate::test_support::{Spans, tokio_clock};

const BUCKET: &str = "http_server_request_duration_seconds_bucket";

struct Rig {
    telemetry: Telemetry,
    spans: Spans,
}

impl Rig {
    fn new(sampler: Sampler) -> Self {
        let spans = Spans::default();
        let telemetry = Telemetry::builder()
            .with_service_name("shop")
            .with_sampler(sampler)
            .with_span_processor(spans.clone())
            .with_exposition()
            .build()
            .unwrap();
        Self { telemetry, spans }
    }

    fn exposition(&self) -> &Exposition {
        self.telemetry.exposition().expect("it was asked for")
    }

    fn samples(&self) -> Vec<Sample> {
        let page = self.exposition().page(Format::OpenMetrics).unwrap();
        assert_eq!(page.omitted, []);
        samples(&page.text, Format::OpenMetrics)
    }

    /// `le`, value, trace id and span id of each exemplar on the page.
    fn exemplars(&self) -> Vec<(String, f64, String, String)> {
        let text = |labels: &[(String, String)], at: usize| labels[at].1.clone();
        self.samples()
            .iter()
            .filter_map(|sample| {
                let exemplar = sample.exemplar.as_ref()?;
                assert_eq!(sample.name, BUCKET);
                Some((
                    sample.label("le")?.to_owned(),
                    exemplar.value,
                    text(&exemplar.labels, 0),
                    text(&exemplar.labels, 1),
                ))
            })
            .collect()
    }

    fn layer(&self) -> ObserveLayer {
        ObserveLayer::builder()
            .with_trace(&self.telemetry)
            .with_metrics(&self.telemetry)
            .with_options(options())
            .build()
    }

    /// The ids of the `at`th span that has ended.
    fn ids(&self, at: usize) -> (String, String) {
        let span = self.spans.ended()[at].span_context.clone();
        (span.trace_id().to_string(), span.span_id().to_string())
    }
}

fn options() -> RequestOptions {
    RequestOptions::new().with_clock(tokio_clock())
}

/// Answers with the status, after as many milliseconds as the path says.
async fn answer(request: Request<Full<Bytes>>) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path();
    tokio::time::advance(Duration::from_millis(path[1..].parse().unwrap())).await;
    let status = match path {
        "/0" => StatusCode::NO_CONTENT,
        _ => StatusCode::OK,
    };
    let mut response = Response::new(Full::new(Bytes::from_static(b"!")));
    *response.status_mut() = status;
    Ok(response)
}

/// Sends one request through the layer and reads the answer to its end.
async fn send<L>(layer: &L, path: &str)
where
    L: Layer<tower::util::BoxCloneService<Request<Full<Bytes>>, Response<Full<Bytes>>, Infallible>>,
    L::Service: Service<Request<Full<Bytes>>, Error = Infallible>,
    <L::Service as Service<Request<Full<Bytes>>>>::Response: IntoBody,
{
    let service = layer.layer(service_fn(answer).boxed_clone());
    let mut request = Request::new(Full::default());
    *request.uri_mut() = path.parse().unwrap();
    request.extensions_mut().insert(Route("/{delay}".into()));
    service.oneshot(request).await.unwrap().read().await;
}

trait IntoBody {
    async fn read(self);
}

impl<B: http_body::Body> IntoBody for Response<B> {
    async fn read(self) {
        assert!(self.into_body().collect().await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_buckets_of_the_duration_name_the_latest_request_that_fell_into_them() {
    let rig = Rig::new(Sampler::ALWAYS_ON);
    let layer = rig.layer();
    for path in ["/30", "/40", "/700", "/90000"] {
        send(&layer, path).await;
    }
    let [(a, a_span), (b, b_span), (c, c_span)] = [1, 2, 3].map(|at| rig.ids(at));
    assert_eq!(
        rig.exemplars(),
        [
            ("0.05".to_owned(), 0.04, a, a_span),
            ("0.75".to_owned(), 0.7, b, b_span),
            ("+Inf".to_owned(), 90.0, c, c_span),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_time_of_an_exemplar_is_the_end_of_its_request() {
    let rig = Rig::new(Sampler::ALWAYS_ON);
    send(&rig.layer(), "/30").await;
    let ended = rig.spans.ended()[0].end_time;
    let ended = ended.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let samples = rig.samples();
    let exemplar = samples.iter().find_map(|sample| sample.exemplar.as_ref());
    let apart = exemplar.unwrap().at - ended.as_secs_f64();
    assert!(apart.abs() < 0.01, "{apart}");
}

#[tokio::test(start_paused = true)]
async fn an_unsampled_request_is_counted_and_leaves_no_exemplar() {
    let rig = Rig::new(Sampler::ALWAYS_OFF);
    send(&rig.layer(), "/30").await;
    assert_eq!(rig.exemplars(), []);
    let samples = rig.samples();
    let count = samples
        .iter()
        .find(|sample| sample.name == "http_server_request_duration_seconds_count");
    assert_eq!(count.unwrap().value, 1.0);
}

#[tokio::test(start_paused = true)]
async fn layers_of_one_telemetry_share_their_series_and_exemplars() {
    let rig = Rig::new(Sampler::ALWAYS_ON);
    send(&rig.layer(), "/30").await;
    send(&rig.layer(), "/700").await;
    // Of the other metrics layers, this one's span comes from a layer further out.
    let stacked = tower::layer::util::Stack::new(
        MetricsLayer::new(&rig.telemetry, options()),
        TraceLayer::new(&rig.telemetry, options()),
    );
    send(&stacked, "/90000").await;
    send(&rig.layer(), "/0").await;
    let found = rig.exemplars();
    let les: Vec<_> = found.iter().map(|found| found.0.as_str()).collect();
    assert_eq!(les, ["0.05", "0.75", "+Inf", "0.005"], "the last is a 204");
    assert_eq!(found[2].2, rig.ids(2).0);
}

#[tokio::test(start_paused = true)]
async fn a_page_has_the_metrics_of_a_request_under_their_prometheus_names() {
    let rig = Rig::new(Sampler::ALWAYS_ON);
    send(&rig.layer(), "/30").await;
    let page = rig.exposition().page(Format::Prometheus).unwrap();
    let types: Vec<_> = page
        .text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "))
        .collect();
    assert_eq!(
        types,
        [
            "target_info gauge",
            "bartizan_http_server_response_headers_duration_seconds histogram",
            "http_server_active_requests gauge",
            "http_server_request_body_size_bytes histogram",
            "http_server_request_duration_seconds histogram",
            "http_server_response_body_size_bytes histogram",
        ]
    );
    let version = env!("CARGO_PKG_VERSION");
    let bucket = format!(
        "{BUCKET}{{http_request_method=\"GET\",http_response_status_code=\"200\",\
         http_route=\"/{{delay}}\",network_protocol_version=\"1.1\",otel_scope_name=\"bartizan\",\
         otel_scope_version=\"{version}\",url_scheme=\"http\",le=\"0.05\"}} 1\n"
    );
    assert!(page.text.contains(&bucket), "{}", page.text);
}

#[test]
fn without_an_exposition_there_is_none() {
    let telemetry = Telemetry::builder().build().unwrap();
    assert!(telemetry.exposition().is_none());
}

/// Takes everything and keeps nothing.
struct DeltaExporter;

impl PushMetricExporter for DeltaExporter {
    async fn export(&self, _metrics: &ResourceMetrics) -> OTelSdkResult {
        Ok(())
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }

    fn temporality(&self) -> Temporality {
        Temporality::Delta
    }
}

#[test]
fn pages_stay_cumulative_beside_delta_exports_and_go_on_after_a_shutdown() {
    let telemetry = Telemetry::builder()
        .with_metric_exporter(DeltaExporter)
        .with_exposition()
        .build()
        .unwrap();
    let counter = telemetry.meter().u64_counter("orders").build();
    let exposition = telemetry.exposition().unwrap();
    let orders = || {
        let page = exposition.page(Format::Prometheus).unwrap();
        let samples = samples(&page.text, Format::Prometheus);
        let orders = samples.iter().find(|one| one.name == "orders_total");
        orders.unwrap().value
    };
    for total in [1.0, 2.0] {
        counter.add(1, &[]);
        assert!(telemetry.force_flush(Duration::from_secs(3)));
        assert_eq!(orders(), total);
    }
    let _ = telemetry.shutdown(Duration::from_secs(3));
    counter.add(1, &[]);
    assert_eq!(orders(), 3.0);
}

#[test]
fn a_page_cannot_be_made_once_the_telemetry_is_gone() {
    let telemetry = Telemetry::builder().with_exposition().build().unwrap();
    let exposition = telemetry.exposition().unwrap().clone();
    assert!(exposition.page(Format::Prometheus).is_ok());
    drop(telemetry);
    assert!(exposition.page(Format::Prometheus).is_err());
}

#[test]
fn a_callback_that_panics_is_an_error_and_stays_one() {
    let telemetry = Telemetry::builder().with_exposition().build().unwrap();
    let gauge = telemetry.meter().u64_observable_gauge("broken");
    let _gauge = gauge.with_callback(|_| panic!("on purpose")).build();
    let exposition = telemetry.exposition().unwrap();
    for _ in 0..2 {
        assert!(exposition.page(Format::Prometheus).is_err());
    }
}

#[test]
fn the_sdks_kinds_of_instruments_are_told_apart() {
    let telemetry = Telemetry::builder().with_exposition().build().unwrap();
    let meter = telemetry.meter();
    let labels = [KeyValue::new("list", 3)];
    meter.f64_counter("c").build().add(0.5, &labels);
    meter.i64_up_down_counter("u").build().add(-2, &labels);
    meter
        .f64_gauge("g")
        .with_unit("1")
        .build()
        .record(0.5, &labels);
    let histogram = meter.f64_histogram("h").with_boundaries(vec![1.0]).build();
    histogram.record(-0.5, &labels);
    histogram.record(2.5, &labels);
    let bare = meter.u64_histogram("n").with_boundaries(vec![]).build();
    bare.record(4, &labels);
    let page = telemetry
        .exposition()
        .unwrap()
        .page(Format::OpenMetrics)
        .unwrap();
    let shown: Vec<_> = samples(&page.text, Format::OpenMetrics)
        .into_iter()
        .skip(1)
        .map(|sample| {
            assert_eq!(sample.label("list"), Some("3"));
            (sample.name, sample.value)
        })
        .collect();
    let expected = [
        ("c_total", 0.5),
        ("g_ratio", 0.5),
        ("h_bucket", 1.0),
        ("h_bucket", 2.0),
        ("n_bucket", 1.0),
        ("n_sum", 4.0),
        ("n_count", 1.0),
        ("u", -2.0),
    ];
    assert_eq!(
        shown,
        expected.map(|(name, value)| (name.to_owned(), value))
    );
}

/// Counts the events.
struct Events(Arc<AtomicUsize>);

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Events {
    fn on_event(&self, event: &tracing::Event<'_>, _cx: tracing_subscriber::layer::Context<'_, S>) {
        if event.metadata().target().ends_with("::exposition::page") {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn what_is_left_out_is_warned_of_once_and_told_each_time() {
    let telemetry = Telemetry::builder().with_exposition().build().unwrap();
    let meter = telemetry.meter();
    meter.u64_counter("a.b").build().add(1, &[]);
    meter.i64_gauge("a_b").build().record(1, &[]);
    let warnings = Arc::new(AtomicUsize::new(0));
    let subscriber = tracing_subscriber::registry().with(Events(Arc::clone(&warnings)));
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..3 {
            let page = telemetry.exposition().unwrap().page(Format::Prometheus);
            let omitted = page.unwrap().omitted;
            assert_eq!(omitted.len(), 1);
            assert_eq!(omitted[0].reason, OmittedReason::Conflict);
        }
    });
    assert_eq!(warnings.load(Ordering::Relaxed), 1);
}

#[test]
fn handles_and_pages_go_to_any_thread() {
    fn assert_shared<T: Send + Sync + 'static>() {}
    assert_shared::<Exposition>();
    assert_shared::<Page>();
    assert_shared::<Unavailable>();
}

#[test]
fn pages_are_whole_while_requests_are_recorded() {
    const THREADS: u32 = 4;
    const EACH: u32 = 200;
    let rig = Arc::new(Rig::new(Sampler::ALWAYS_ON));
    let layer = rig.layer();
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let layer = layer.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .start_paused(true)
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    for _ in 0..EACH {
                        send(&layer, "/30").await;
                    }
                });
            })
        })
        .collect();
    let count = || {
        let samples = rig.samples();
        let count = samples
            .iter()
            .find(|sample| sample.name == "http_server_request_duration_seconds_count");
        count.map_or(0.0, |count| count.value)
    };
    let mut last = 0.0;
    while !threads.iter().all(std::thread::JoinHandle::is_finished) {
        let now = count();
        assert!(last <= now);
        last = now;
    }
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(count(), f64::from(THREADS * EACH));
    let known: Vec<_> = (0..(THREADS * EACH) as usize)
        .map(|at| rig.ids(at))
        .collect();
    for (le, _, trace, span) in rig.exemplars() {
        assert_eq!(le, "0.05");
        assert!(known.contains(&(trace, span)));
    }
}
