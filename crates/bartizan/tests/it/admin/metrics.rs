//! Scrapes.

use axum::Router;
use axum::body::Body;
use bartizan::admin::Admin;
use bartizan::{Server, Telemetry};
use http::Request;
use tokio::net::TcpListener;

use super::{ask_for, assert_problem, get, replica};

#[tokio::test]
async fn metrics_are_written_as_the_scraper_wants_them() {
    let telemetry = Telemetry::builder().with_exposition().build().unwrap();
    telemetry.meter().u64_counter("orders").build().add(1, &[]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let admin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = admin.local_addr().unwrap();
    let server = Server::new(Router::new(), telemetry)
        .with_admin(admin, Admin::new())
        .with_stop(std::future::pending());
    let server = tokio::spawn(server.serve(listener));
    for (accept, media_type, end) in [
        (None, "text/plain; version=0.0.4; charset=utf-8", ""),
        (
            Some("text/plain"),
            "text/plain; version=0.0.4; charset=utf-8",
            "",
        ),
        (
            Some("application/openmetrics-text; version=1.0.0, text/plain; q=0.5"),
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
            "# EOF\n",
        ),
    ] {
        let mut request = Request::get("/metrics").header("host", "admin.example");
        if let Some(accept) = accept {
            request = request.header("accept", accept);
        }
        let response = ask_for(addr, request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], media_type);
        assert_eq!(response.headers()["vary"], "accept");
        let page = response.body();
        assert!(page.contains("\norders_total{"), "{page}");
        assert!(page.ends_with(end), "{page}");
    }
    server.abort();
}

#[tokio::test]
async fn without_an_exposition_there_is_no_page_and_it_is_said_why() {
    let (replica, addr) = replica(Router::new(), Admin::new(), |server| server).await;
    let response = get(addr, "/metrics").await;
    assert_eq!(response.status(), 404);
    let problem = assert_problem(&response);
    assert!(
        problem["detail"].as_str().unwrap().contains("exposition"),
        "{problem}"
    );
    replica.end().await;
}
