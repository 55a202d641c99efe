//! Who asked, under which name and scheme, and which headers are told.

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::get as on_get;
use bartizan::observe::request::Scheme;
use bartizan::{Network, PeerAddr, RequestOptions};
use http::{HeaderValue, Request};

use crate::support::{Fixture, Seen, fetch, get, text};

/// A request to a server whose proxies are in 10.0.0.0/8.
async fn seen_of(request: Request<Body>, peer: Option<&str>) -> Seen {
    seen_with(request, peer, |options| options).await
}

async fn seen_with(
    mut request: Request<Body>,
    peer: Option<&str>,
    more: impl FnOnce(RequestOptions) -> RequestOptions,
) -> Seen {
    let fixture = Fixture::new().await;
    let proxies: Network = "10.0.0.0/8".parse().unwrap();
    let options = more(fixture.options().with_trusted_proxies([proxies]));
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack_with(options));
    if let Some(peer) = peer {
        request
            .extensions_mut()
            .insert(PeerAddr(peer.parse().unwrap()));
    }
    fetch(&app, request).await;
    fixture.finish().await
}

fn forwarded() -> Request<Body> {
    let mut request = get("/");
    for (name, value) in [
        ("x-forwarded-for", "6.6.6.6"),
        ("x-forwarded-for", "198.51.100.9, 203.0.113.7, 10.0.0.2"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-host", "public.example"),
    ] {
        request
            .headers_mut()
            .append(name, HeaderValue::from_static(value));
    }
    request
}

fn port(seen: &Seen) -> Option<i64> {
    seen.only_span().attributes.get("server.port")?.as_int()
}

#[tokio::test]
async fn a_trusted_proxy_is_believed() {
    let seen = seen_of(forwarded(), Some("10.0.0.1:999")).await;
    let span = seen.only_span();
    assert_eq!(text(span, "client.address"), Some("203.0.113.7"));
    assert_eq!(text(span, "network.peer.address"), Some("10.0.0.1"));
    assert_eq!(text(span, "url.scheme"), Some("https"));
    assert_eq!(text(span, "server.address"), Some("public.example"));
    assert_eq!(port(&seen), Some(443));
    let scheme = &seen.durations()[0].attributes["url.scheme"];
    assert_eq!(scheme.as_str(), Some("https"));
    assert_eq!(seen.only_line()["peer"], "10.0.0.1:999");
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let stranger = seen_of(forwarded(), Some("203.0.113.99:999")).await;
    let span = stranger.only_span();
    assert_eq!(text(span, "client.address"), Some("203.0.113.99"));
    let unknown = seen_of(forwarded(), None).await;
    assert_eq!(text(unknown.only_span(), "client.address"), None);
    for seen in [stranger, unknown] {
        let span = seen.only_span();
        assert_eq!(text(span, "url.scheme"), Some("http"));
        assert_eq!(text(span, "server.address"), Some("shop.example"));
        assert_eq!(port(&seen), Some(80));
    }
}

#[tokio::test]
async fn the_standard_header_is_read_where_the_proxies_write_that() {
    let mut request = forwarded();
    let standard = "for=6.6.6.6;host=evil.example, \
                    for=203.0.113.7;proto=https;host=\"public.example:8443\"";
    request
        .headers_mut()
        .insert("forwarded", HeaderValue::from_static(standard));
    let seen = seen_with(request, Some("10.0.0.1:999"), |options| {
        options.with_forwarded_header()
    })
    .await;
    let span = seen.only_span();
    assert_eq!(text(span, "client.address"), Some("203.0.113.7"));
    assert_eq!(text(span, "url.scheme"), Some("https"));
    assert_eq!(text(span, "server.address"), Some("public.example"));
    assert_eq!(port(&seen), Some(8443));
}

#[tokio::test]
async fn a_header_that_the_proxies_do_not_write_is_the_clients_and_is_not_read() {
    let mut request = forwarded();
    let spoofed = HeaderValue::from_static("for=1.2.3.4;proto=http;host=evil.example");
    request.headers_mut().insert("forwarded", spoofed);
    let seen = seen_of(request, Some("10.0.0.1:999")).await;
    let span = seen.only_span();
    assert_eq!(text(span, "client.address"), Some("203.0.113.7"));
    assert_eq!(text(span, "url.scheme"), Some("https"));
    assert_eq!(text(span, "server.address"), Some("public.example"));
}

#[tokio::test]
async fn the_scheme_is_the_connections_or_the_pseudo_header() {
    let mut of_connection = get("/");
    of_connection.extensions_mut().insert(Scheme::Https);
    let mut of_stream = get("https://shop.example/");
    *of_stream.version_mut() = http::Version::HTTP_2;
    for request in [of_connection, of_stream] {
        let seen = seen_of(request, None).await;
        assert_eq!(text(seen.only_span(), "url.scheme"), Some("https"));
        assert_eq!(port(&seen), Some(443));
    }
}

#[tokio::test]
async fn an_absolute_target_over_http_1_says_nothing_of_the_connection() {
    let seen = seen_of(get("https://shop.example/"), None).await;
    assert_eq!(text(seen.only_span(), "url.scheme"), Some("http"));
    assert_eq!(port(&seen), Some(80));
}

#[tokio::test]
async fn the_peer_is_axums_where_the_server_tells_it_that_way() {
    let mut request = get("/");
    let addr: std::net::SocketAddr = "192.0.2.1:4711".parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(addr));
    let seen = seen_of(request, None).await;
    let span = seen.only_span();
    assert_eq!(text(span, "network.peer.address"), Some("192.0.2.1"));
}

#[tokio::test]
async fn endless_text_of_a_client_is_cut() {
    let endless = "x".repeat(100_000);
    let mut request = get(&format!("/?{}", &endless[..60_000]));
    let agent = HeaderValue::from_str(&endless).unwrap();
    request.headers_mut().insert("user-agent", agent);
    let seen = seen_of(request, None).await;
    for key in ["url.query", "user_agent.original"] {
        assert_eq!(text(seen.only_span(), key).unwrap().len(), 1024, "{key}");
    }
}

#[tokio::test]
async fn headers_that_are_asked_for_are_told_with_all_values_but_marked_ones() {
    let fixture = Fixture::new().await;
    let options = fixture
        .options()
        .with_request_headers(["accept", "x-token", "x-absent"].map(http::HeaderName::from_static));
    let app = Router::new()
        .route("/", on_get(|| async { "ok" }))
        .layer(fixture.stack_with(options));
    let mut request = get("/");
    let headers = request.headers_mut();
    headers.append("accept", HeaderValue::from_static("text/html"));
    headers.append("accept", HeaderValue::from_static("text/plain"));
    let mut secret = HeaderValue::from_static("SECRET");
    secret.set_sensitive(true);
    headers.insert("x-token", secret);
    headers.insert("user-agent", HeaderValue::from_static("curl/8"));
    fetch(&app, request).await;

    let seen = fixture.finish().await;
    let span = seen.only_span();
    let accept = format!("{:?}", span.attributes["http.request.header.accept"]);
    assert!(
        accept.contains("text/html") && accept.contains("text/plain"),
        "{accept}"
    );
    assert!(!format!("{:?}", seen.spans).contains("SECRET"));
    assert!(!span.attributes.contains_key("http.request.header.x-absent"));
    assert_eq!(text(span, "user_agent.original"), Some("curl/8"));
}
