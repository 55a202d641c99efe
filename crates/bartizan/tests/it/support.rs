use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use bartizan::observe::Clock;
use bartizan::telemetry::{OtlpConfig, OtlpProtocol};
use bartizan::{AccessLog, LogFormat, RequestOptions, Sampler, StackLayer, Telemetry};
use bartizan_testkit::{LogView, OtlpSink, PointValue, PointView, SpanKind, SpanView, semconv};
use http::Request;
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

/// Long enough for any machine; nothing waits for it to pass.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Telemetry that goes to a receiver in this process, and a clock that tests move.
pub(crate) struct Fixture {
    pub(crate) telemetry: Telemetry,
    pub(crate) log: AccessLog,
    pub(crate) clock: ManualClock,
    sink: OtlpSink,
    lines: Lines,
}

/// All that the receiver and the log got.
pub(crate) struct Seen {
    pub(crate) spans: Vec<SpanView>,
    pub(crate) points: Vec<PointView>,
    pub(crate) logs: Vec<LogView>,
    pub(crate) lines: Vec<Value>,
}

#[derive(Clone)]
pub(crate) struct ManualClock {
    base: Instant,
    millis: Arc<AtomicU64>,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

// === impl Fixture ===

impl Fixture {
    pub(crate) async fn new() -> Self {
        Self::with_sampler(Sampler::default()).await
    }

    pub(crate) async fn with_sampler(sampler: Sampler) -> Self {
        let sink = OtlpSink::start().await.expect("loopback ports are free");
        let otlp = OtlpConfig::new(&sink.endpoint_http(), OtlpProtocol::HttpProtobuf).unwrap();
        let telemetry = Telemetry::builder()
            .with_service_name("shop")
            .with_sampler(sampler)
            .with_otlp(otlp)
            .build()
            .unwrap();
        let lines = Lines::default();
        let log = AccessLog::builder()
            .with_format(LogFormat::Json)
            .with_sink(lines.clone())
            .with_otlp(telemetry.logger().clone())
            .build()
            .unwrap();
        Self {
            telemetry,
            log,
            clock: ManualClock::new(),
            sink,
            lines,
        }
    }

    pub(crate) fn options(&self) -> RequestOptions {
        bartizan::options().with_clock(self.clock.clock())
    }

    /// The whole stack.
    pub(crate) fn stack(&self) -> StackLayer {
        self.stack_with(self.options())
    }

    pub(crate) fn stack_with(&self, options: RequestOptions) -> StackLayer {
        bartizan::stack()
            .with_telemetry(&self.telemetry)
            .with_access_log(self.log.clone())
            .with_options(options)
            .build()
            .unwrap()
    }

    /// The newest access line, once the log is flushed.
    pub(crate) fn last_line(&self) -> Value {
        self.lines.parsed().pop().expect("a line was written")
    }

    /// Flushes everything and gives what arrived.
    pub(crate) async fn finish(self) -> Seen {
        let Self {
            telemetry,
            log,
            sink,
            lines,
            ..
        } = self;
        let report = tokio::task::spawn_blocking(move || {
            assert!(log.flush(PATIENCE));
            telemetry.shutdown(PATIENCE)
        })
        .await
        .unwrap();
        assert_eq!(report.spans.lost() + report.logs.lost(), 0, "{report}");
        assert_eq!(report.spans.ended, report.spans.exported, "{report}");
        let seen = Seen {
            spans: sink.spans(),
            points: sink.metrics(),
            logs: sink.logs(),
            lines: lines.parsed(),
        };
        seen.assert_conforming();
        seen
    }
}

// === impl Seen ===

impl Seen {
    pub(crate) fn server_spans(&self) -> Vec<&SpanView> {
        self.spans
            .iter()
            .filter(|span| span.kind == SpanKind::Server)
            .collect()
    }

    pub(crate) fn only_span(&self) -> &SpanView {
        let spans = self.server_spans();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        spans[0]
    }

    pub(crate) fn only_line(&self) -> &Value {
        assert_eq!(self.lines.len(), 1, "{:#?}", self.lines);
        &self.lines[0]
    }

    pub(crate) fn points(&self, name: &str) -> Vec<&PointView> {
        self.points
            .iter()
            .filter(|point| point.name == name)
            .collect()
    }

    pub(crate) fn durations(&self) -> Vec<&PointView> {
        self.points("http.server.request.duration")
    }

    /// Whatever was done, all of what HTTP left behind is by the semantic conventions.
    fn assert_conforming(&self) {
        for span in self.spans.iter().filter(|span| is_http(span)) {
            assert_eq!(semconv::check_span(span), [], "{span:#?}");
            assert_eq!(span.repeated_keys, [""; 0], "{span:#?}");
        }
        for point in self
            .points
            .iter()
            .filter(|point| point.name.starts_with("http."))
        {
            assert_eq!(semconv::check_metric(point), [], "{point:#?}");
        }
    }

    /// Nothing is under way by any of the series.
    pub(crate) fn assert_idle(&self) {
        let active = self.points("http.server.active_requests");
        assert!(!active.is_empty());
        for point in active {
            assert_eq!(point.value, PointValue::Int(0), "{point:#?}");
        }
    }
}

/// Users' own spans are not.
fn is_http(span: &SpanView) -> bool {
    matches!(span.kind, SpanKind::Server | SpanKind::Client)
}

/// A text attribute.
pub(crate) fn text<'a>(span: &'a SpanView, key: &str) -> Option<&'a str> {
    span.attributes.get(key)?.as_str()
}

// === impl ManualClock ===

impl ManualClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the base that the test moves on from"
    )]
    fn new() -> Self {
        Self {
            base: Instant::now(),
            millis: Arc::default(),
        }
    }

    pub(crate) fn clock(&self) -> Clock {
        let Self { base, millis } = self.clone();
        Clock::from_fn(move || base + Duration::from_millis(millis.load(Ordering::SeqCst)))
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }
}

// === impl Lines ===

impl Lines {
    fn parsed(&self) -> Vec<Value> {
        let written = self.0.lock().unwrap();
        written
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).expect("a line is a JSON object"))
            .collect()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// === requests ===

pub(crate) fn get(path: &str) -> Request<Body> {
    Request::get(path)
        .header("host", "shop.example")
        .body(Body::empty())
        .unwrap()
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

/// Sends a request and reads the whole answer.
pub(crate) async fn fetch(app: &Router, request: Request<Body>) -> Response<Vec<u8>> {
    let (head, body) = send(app, request).await.into_parts();
    Response::from_parts(head, body.collect().await.unwrap().to_bytes().to_vec())
}
