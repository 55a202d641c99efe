//! What the page of metrics is to tools that are not ours: Prometheus' own check, and the parser of
//! its Python client.
//!
//! `BARTIZAN_PROMTOOL` names the one, and `BARTIZAN_OPENMETRICS` a Python that has the other;
//! `.ci/run` installs them. Without them there is nothing to test, and the tests say so and pass.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::routing::{get as on_get, post as on_post};
use bartizan::admin::Admin;
use bartizan::outbound::Outbound;
use bartizan::telemetry::{OtlpConfig, OtlpProtocol};
use bartizan::{AccessLog, CircuitBreakerLayer, Sampler, Server, Telemetry, TimeoutLayer, breaker};
use bartizan_testkit::OtlpSink;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use opentelemetry::KeyValue;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::{Layer, ServiceExt};

use super::ask_for;
use crate::serve::within;
use crate::support::PATIENCE;

const PROMTOOL: [&str; 2] = ["check", "metrics"];

const OPENMETRICS: [&str; 2] = ["-c", include_str!("openmetrics.py")];

/// One of each kind; each is a series of its own.
const REQUESTS: [(&str, &str, u16); 13] = [
    ("GET", "/orders/7", 200),
    ("HEAD", "/orders/7", 200),
    ("DELETE", "/orders/7", 200),
    ("PATCH", "/orders/7", 405),
    ("POST", "/orders", 200),
    ("BREW", "/orders/7", 405),
    ("GET", "/nowhere", 404),
    ("GET", "/failing", 500),
    ("GET", "/failing", 503),
    ("GET", "/late", 504),
    ("GET", "/panics", 500),
    ("GET", "/stream", 200),
    ("GET", "/events", 200),
];

/// A service with everything on, that has had requests of all kinds.
struct Service {
    telemetry: Telemetry,
    sink: OtlpSink,
    admin: SocketAddr,
    server: JoinHandle<io::Result<bartizan::ServeReport>>,
}

// === impl Service ===

impl Service {
    async fn start() -> Self {
        let sink = OtlpSink::start().await.unwrap();
        let otlp = OtlpConfig::new(&sink.endpoint_http(), OtlpProtocol::HttpProtobuf).unwrap();
        let telemetry = Telemetry::builder()
            .with_service_name("shop \"one\"\\two\nthree")
            .with_sampler(Sampler::ALWAYS_ON)
            .with_otlp(otlp)
            .with_access_log(AccessLog::builder().with_sink(io::sink()))
            .with_exposition()
            .build()
            .unwrap();
        own_metrics(&telemetry);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let admin = admin_listener.local_addr().unwrap();
        let stack = bartizan::stack()
            .with_telemetry(&telemetry)
            .with_catch_panic()
            .with_body_limit(64)
            .build()
            .unwrap();
        let server = Server::new(app(&telemetry).layer(stack), telemetry.clone())
            .with_admin(admin_listener, Admin::new())
            .with_stop(std::future::pending());
        let server = tokio::spawn(server.serve(listener));
        call(&telemetry, &format!("http://{addr}")).await;
        let service = Self {
            telemetry,
            sink,
            admin,
            server,
        };
        within(service.idle()).await;
        service
    }

    /// A client may have the whole answer a little before the request has ended.
    async fn idle(&self) {
        let ended = |page: &str| {
            page.lines()
                .filter(|line| line.starts_with("http_server_active_requests{"))
                .all(|line| line.ends_with(" 0"))
        };
        while !ended(&self.page("text/plain").await) {}
    }

    async fn page(&self, accept: &str) -> String {
        let request = Request::get("/metrics").header("host", "admin.example");
        let request = request.header("accept", accept).body(Body::empty());
        let response = ask_for(self.admin, request.unwrap()).await;
        assert_eq!(response.status(), 200);
        response.into_body()
    }

    /// The traces that a receiver got.
    async fn traces(&self) -> BTreeSet<String> {
        let telemetry = self.telemetry.clone();
        let flush = tokio::task::spawn_blocking(move || telemetry.force_flush(PATIENCE));
        assert!(flush.await.unwrap(), "{}", self.telemetry.report());
        let spans = self.sink.spans();
        spans.iter().map(|span| span.trace_id.to_string()).collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// One of each instrument, as unlike a name and a label as they may be.
fn own_metrics(telemetry: &Telemetry) {
    let meter = telemetry.meter();
    let odd = [KeyValue::new("what.kind", "a \"b\" \\c\nd é")];
    let counter = meter.u64_counter("orders.placed").with_unit("{order}");
    let counter = counter.with_description("Orders, \"placed\" or \\not\nyet.");
    counter.build().add(1, &odd);
    let sizes = meter.f64_histogram("orders.size").with_unit("By");
    let sizes = sizes.with_description("Size of orders.").build();
    for size in [0.0, 7.5, 1e12] {
        sizes.record(size, &odd);
    }
    let gauge = meter.f64_gauge("stock.level").with_unit("1");
    let gauge = gauge.with_description("How full the stock is.").build();
    gauge.record(f64::NAN, &[]);
    gauge.record(-0.5, &odd);
    let waiting = meter.i64_up_down_counter("orders.waiting");
    let waiting = waiting.with_description("Orders that wait.").build();
    waiting.add(-3, &odd);
}

fn app(telemetry: &Telemetry) -> Router {
    let config = breaker::Config::builder()
        .with_consecutive_failures(1)
        // Longer than the caller waits before it tries again.
        .with_open_time(PATIENCE, PATIENCE);
    let breaker = CircuitBreakerLayer::new("reports", config.build().unwrap(), telemetry);
    let failing = on_get(async || StatusCode::INTERNAL_SERVER_ERROR).layer(breaker);
    let late = on_get(std::future::pending::<()>);
    let late = late.layer(TimeoutLayer::new(Duration::from_millis(1)).unwrap());
    Router::new()
        .route("/orders/{id}", on_get(async || "order").delete(async || ()))
        .route("/orders", on_post(async |order: Bytes| order))
        .route("/failing", failing)
        .route("/late", late)
        .route("/panics", on_get(panics))
        .route("/stream", on_get(async || stream()))
        .route(
            "/events",
            on_get(async || ([("content-type", "text/event-stream")], stream())),
        )
}

async fn panics() {
    panic!("on purpose")
}

fn stream() -> Body {
    let chunks = ["data: one\n\n", "data: two\n\n"].map(Ok::<_, io::Error>);
    Body::from_stream(futures_util::stream::iter(chunks))
}

/// All by one upstream's client, so that there is a client's side to each.
async fn call(telemetry: &Telemetry, base: &str) {
    let outbound = Outbound::builder("shop", telemetry).without_breaker();
    let outbound = outbound.build().unwrap();
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let client = outbound.layer().layer(client);
    for (method, path, status) in REQUESTS {
        let request = Request::builder()
            .method(method)
            .uri(base.to_owned() + path);
        let request = request.body(Empty::new()).unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        response.into_body().collect().await.unwrap();
    }
}

/// The program that a variable names, if it does.
fn program(variable: &str) -> Option<OsString> {
    let program = std::env::var_os(variable);
    if program.is_none() {
        let text = format!("skipped: {variable} does not say where the checker is\n");
        io::stderr().write_all(text.as_bytes()).unwrap();
    }
    program
}

/// Its output about a page that it has no complaint of, or else its complaints.
fn check(program: &OsString, arguments: [&str; 2], page: &str) -> Result<String, String> {
    let child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut stdin = child.stdin.take().unwrap();
    // One that complains of the first lines may not read the rest.
    let written = stdin.write_all(page.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complaints = String::from_utf8(output.stderr).unwrap();
    if output.status.success() && complaints.is_empty() {
        written.unwrap();
        return Ok(said);
    }
    Err(format!("{}: {complaints}{said}", output.status))
}

#[tokio::test]
async fn prometheus_own_check_has_nothing_to_say_of_the_page() {
    let Some(promtool) = program("BARTIZAN_PROMTOOL") else {
        return;
    };
    let service = Service::start().await;
    let page = service.page("text/plain").await;
    for family in [
        "orders_placed_total",
        "http_client_request_duration_seconds",
    ] {
        assert!(page.contains(&format!("\n# TYPE {family} ")), "{page}");
    }
    assert_eq!(
        check(&promtool, PROMTOOL, &page),
        Ok(String::new()),
        "{page}"
    );

    // It does look.
    let counter = service.telemetry.meter().u64_counter("undescribed").build();
    counter.add(1, &[]);
    let page = service.page("text/plain").await;
    let complaint = check(&promtool, PROMTOOL, &page).unwrap_err();
    assert!(
        complaint.contains("undescribed_total no help text"),
        "{complaint}"
    );
    let cut = &page[..page.rfind("\"} ").unwrap()];
    check(&promtool, PROMTOOL, cut).unwrap_err();
}

#[tokio::test]
async fn a_parser_of_openmetrics_finds_the_traces_of_the_requests_on_the_page() {
    let Some(python) = program("BARTIZAN_OPENMETRICS") else {
        return;
    };
    let service = Service::start().await;
    let page = service.page("application/openmetrics-text").await;
    let exemplars =
        check(&python, OPENMETRICS, &page).unwrap_or_else(|said| panic!("{said}{page}"));
    let traces = service.traces().await;
    let mut found = BTreeSet::new();
    for line in exemplars.lines() {
        let (sample, trace) = line.split_once(' ').unwrap();
        assert_eq!(sample, "http_server_request_duration_seconds_bucket");
        assert!(traces.contains(trace), "{trace} is none of {traces:?}");
        found.insert(trace);
    }
    assert!(found.len() >= REQUESTS.len(), "{exemplars}");

    // It does look.
    for (broken, by) in [
        ("# EOF\n", ""),
        ("_bucket{", "_buckets{"),
        ("trace_id=", "trace_id"),
    ] {
        let page = page.replacen(broken, by, 1);
        check(&python, OPENMETRICS, &page).unwrap_err();
    }
}
