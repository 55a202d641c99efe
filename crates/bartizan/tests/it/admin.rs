//! The admin port of a server that runs.

mod checkers;
mod info;
mod log_level;
mod metrics;
mod readiness;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use bartizan::admin::Admin;
use bartizan::{Phase, Server};
use http::{Method, Request, Response, Version};
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::serve::{Client, Gate, Replica, within};

/// A server with an admin port, and where that is.
async fn replica(
    app: Router,
    admin: Admin,
    with: impl FnOnce(Server) -> Server,
) -> (Replica, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let replica = Replica::start_with(app, |server| with(server.with_admin(listener, admin)));
    let replica = replica.await;
    within(replica.lifecycle.reached(Phase::Ready)).await;
    (replica, addr)
}

async fn ask(addr: SocketAddr, method: Method, path: &str, body: &str) -> Response<String> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("host", "admin.example");
    ask_for(addr, request.body(Body::from(body.to_owned())).unwrap()).await
}

async fn get(addr: SocketAddr, path: &str) -> Response<String> {
    ask(addr, Method::GET, path, "").await
}

async fn ask_for(addr: SocketAddr, request: Request<Body>) -> Response<String> {
    let io = TokioIo::new(TcpStream::connect(addr).await.unwrap());
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    let connection = tokio::spawn(connection);
    let (head, body) = within(sender.send_request(request))
        .await
        .unwrap()
        .into_parts();
    let body = within(body.collect()).await.unwrap().to_bytes();
    connection.abort();
    assert_eq!(head.headers["cache-control"], "no-store");
    Response::from_parts(head, String::from_utf8(body.to_vec()).unwrap())
}

fn json(response: &Response<String>) -> Value {
    serde_json::from_str(response.body()).expect("the answer is JSON")
}

fn assert_problem(response: &Response<String>) -> Value {
    let media_type = response.headers().get("content-type").unwrap();
    assert_eq!(media_type, "application/problem+json");
    let problem = json(response);
    assert_eq!(problem["status"], response.status().as_u16());
    problem
}

#[tokio::test]
async fn what_is_not_there_is_a_problem_that_says_so() {
    let (replica, addr) = replica(Router::new(), Admin::new(), |server| server).await;
    let too_much = "x".repeat(20_000);
    for (method, path, body, status, allow) in [
        (Method::GET, "/", "", 404, None),
        (Method::GET, "/readyz/", "", 404, None),
        (Method::POST, "/readyz", "", 405, Some("GET,HEAD")),
        (
            Method::POST,
            "/log-level",
            "{}",
            405,
            Some("DELETE,GET,HEAD,PUT"),
        ),
        (Method::PUT, "/log-level", too_much.as_str(), 413, None),
        (Method::PUT, "/log-level", "", 400, None),
    ] {
        let response = ask(addr, method.clone(), path, body).await;
        assert_eq!(response.status(), status, "{method} {path}");
        assert_problem(&response);
        let allowed = response.headers().get("allow").map(|value| {
            let mut methods: Vec<_> = value.to_str().unwrap().split(',').collect();
            methods.sort_unstable();
            methods.join(",")
        });
        assert_eq!(allowed.as_deref(), allow, "{method} {path}");
    }
    replica.end().await;
}

#[tokio::test]
async fn what_comes_to_the_admin_port_is_no_request_of_the_applications() {
    let (replica, addr) = replica(Gate::new().router(), Admin::new(), |server| server).await;
    for path in [
        "/livez",
        "/readyz",
        "/info",
        "/metrics",
        "/log-level",
        "/none",
    ] {
        get(addr, path).await;
    }
    let mut client = Client::connect(replica.addr, Version::HTTP_11).await;
    client.fetch("/").await;
    let (report, sink) = replica.stop(Phase::Draining).await.ended().await;
    assert_eq!(report.requests, 1);
    assert_eq!(sink.spans().len(), 1, "{:#?}", sink.spans());
    let lines = sink.logs();
    let lines = lines
        .iter()
        .filter(|log| log.attributes.contains_key("bartizan.outcome"));
    assert_eq!(lines.count(), 1);
}

#[tokio::test]
async fn the_router_has_routes_of_the_services_own() {
    let own = Router::new().route("/outage", axum::routing::get(|| async { "none" }));
    let admin = Admin::new().with_routes(own);
    let (replica, addr) = replica(Router::new(), admin, |server| server).await;
    assert_eq!(get(addr, "/outage").await.body(), "none");
    assert_eq!(get(addr, "/livez").await.status(), 200);
    // They have the router's own answers for what they do not do.
    assert_problem(&ask(addr, Method::POST, "/outage", "").await);
    replica.end().await;
}

#[tokio::test]
async fn the_admin_port_is_open_to_the_end_and_closed_after_it() {
    use std::time::Duration;

    use bartizan::Telemetry;
    use bartizan::telemetry::{OtlpConfig, OtlpProtocol};

    // Accepts and never answers.
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", collector.local_addr().unwrap());
    let otlp = OtlpConfig::new(&endpoint, OtlpProtocol::HttpProtobuf).unwrap();
    let telemetry = Telemetry::builder().with_otlp(otlp).build().unwrap();
    let app = Gate::new().router();
    let app = app.layer(
        bartizan::stack()
            .with_telemetry(&telemetry)
            .build()
            .unwrap(),
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, admin_addr) = (listener.local_addr().unwrap(), admin.local_addr().unwrap());
    let server = Server::new(app, telemetry)
        .with_admin(admin, Admin::new())
        .with_shutdown_deadline(Duration::from_secs(1))
        .with_grace(Duration::ZERO)
        .with_stop(async { stopped.await.unwrap() });
    let lifecycle = server.lifecycle();
    let server = tokio::spawn(server.serve(listener));
    Client::connect(addr, Version::HTTP_11)
        .await
        .fetch("/")
        .await;
    stop.send(()).unwrap();
    within(lifecycle.reached(Phase::Flushing)).await;

    assert_eq!(json(&get(admin_addr, "/livez").await)["phase"], "flushing");
    assert_eq!(get(admin_addr, "/readyz").await.status(), 503);
    within(server).await.unwrap().unwrap();
    assert!(TcpStream::connect(admin_addr).await.is_err());
}
