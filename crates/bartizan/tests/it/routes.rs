//! Where the route comes from, and what is ruled by it.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get as on_get;
use bartizan::observe::request::Route;
use bartizan::{RequestLogLayer, TraceLayer};
use http::Request;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::{Fixture, get, text};

/// Answers like a router that is not axum's.
async fn routed(_: Request<Body>) -> Result<Response, Infallible> {
    let mut response = Response::new(Body::empty());
    response.extensions_mut().insert(Route("/late/{id}".into()));
    Ok(response)
}

#[tokio::test]
async fn a_route_that_comes_with_the_response_names_everything() {
    let fixture = Fixture::new().await;
    let service = fixture.stack().layer(service_fn(routed));
    service.oneshot(get("/late/7")).await.unwrap();
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().name, "GET /late/{id}");
    assert_eq!(text(seen.only_span(), "http.route"), Some("/late/{id}"));
    assert_eq!(seen.only_line()["route"], "/late/{id}");
    let route = &seen.durations()[0].attributes["http.route"];
    assert_eq!(route.as_str(), Some("/late/{id}"));
}

#[tokio::test]
async fn a_route_of_the_request_is_not_replaced_by_the_responses() {
    let fixture = Fixture::new().await;
    let mut request = get("/late/7");
    request.extensions_mut().insert(Route("/early/{id}".into()));
    let service = fixture.stack().layer(service_fn(routed));
    service.oneshot(request).await.unwrap();
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().name, "GET /early/{id}");
    assert_eq!(seen.only_line()["route"], "/early/{id}");
}

/// Around the whole router nothing is matched yet; a layer inside knows more.
#[tokio::test]
async fn a_layer_inside_tells_the_route_that_a_layer_outside_could_not_see() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/orders/{id}", on_get(|| async { "an order" }))
        .layer(RequestLogLayer::new(fixture.log.clone()));
    let service = TraceLayer::new(&fixture.telemetry).layer(app);
    drop(service.oneshot(get("/orders/7")).await.unwrap());
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().name, "GET /orders/{id}");
    assert_eq!(text(seen.only_span(), "http.route"), Some("/orders/{id}"));
    assert_eq!(seen.only_line()["route"], "/orders/{id}");
}

#[tokio::test]
async fn rules_are_by_template_or_by_path_where_there_is_none() {
    let fixture = Fixture::new().await;
    let options =
        fixture
            .options()
            .with_excluded_routes(["/probes/{kind}", "/favicon.ico", "/orders/7"]);
    let app = Router::new()
        .route("/probes/{kind}", on_get(|| async { "ok" }))
        .route("/orders/{id}", on_get(|| async { "ok" }))
        .layer(fixture.stack_with(options));
    for path in ["/probes/live", "/favicon.ico", "/orders/7"] {
        crate::support::fetch(&app, get(path)).await;
    }
    let seen = fixture.finish().await;
    assert_eq!(seen.only_span().name, "GET /orders/{id}");
    assert_eq!(seen.only_line()["route"], "/orders/{id}");
}
