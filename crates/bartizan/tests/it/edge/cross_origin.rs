//! Pages of other origins.

use std::time::Duration;

use axum::body::Body;
use bartizan::CorsLayer;
use bartizan::edge::{Edge, Origin};
use http::{HeaderMap, Method, Request};

use super::{router, stack};
use crate::support::{Fixture, fetch};

const SHOP: &str = "https://shop.example";

type Cors = fn() -> CorsLayer;

fn shop() -> [Origin; 2] {
    [SHOP, "https://other.example"].map(|origin| origin.parse().unwrap())
}

fn asked(method: &Method, origin: Option<&str>) -> Request<Body> {
    let mut request = Request::builder()
        .method(method)
        .uri("/")
        .header("host", "api.example");
    if let Some(origin) = origin {
        request = request.header("origin", origin);
    }
    if *method == Method::OPTIONS {
        request = request
            .header("access-control-request-method", "PUT")
            .header("access-control-request-headers", "x-key,content-type");
    }
    request.body(Body::empty()).unwrap()
}

fn value<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn answers_vary_by_origin_where_origins_are_told_apart() {
    type Case = (
        &'static str,
        Cors,
        Option<&'static str>,
        [Option<&'static str>; 3],
    );
    let (any, list, named): (Cors, Cors, Cors) = (
        CorsLayer::any_origin,
        || CorsLayer::origins(shop()),
        || CorsLayer::origins_with_credentials(shop()),
    );
    // Allowed origin, credentials, vary.
    let cases: [Case; 7] = [
        ("any", any, Some(SHOP), [Some("*"), None, None]),
        ("any, none said", any, None, [Some("*"), None, None]),
        ("list", list, Some(SHOP), [Some(SHOP), None, Some("origin")]),
        (
            "list, another",
            list,
            Some("https://evil.example"),
            [None, None, Some("origin")],
        ),
        ("list, none said", list, None, [None, None, Some("origin")]),
        (
            "credentials",
            named,
            Some(SHOP),
            [Some(SHOP), Some("true"), Some("origin")],
        ),
        (
            "credentials, another",
            named,
            Some("null"),
            [None, Some("true"), Some("origin")],
        ),
    ];
    for (case, cors, origin, expected) in cases {
        let app = router().layer(cors());
        for path in ["/", "/no-such-route"] {
            let mut request = asked(&Method::GET, origin);
            *request.uri_mut() = path.parse().unwrap();
            let response = fetch(&app, request).await;
            let got = [
                "access-control-allow-origin",
                "access-control-allow-credentials",
                "vary",
            ]
            .map(|name| value(response.headers(), name));
            assert_eq!(got, expected, "{case}, {path}");
        }
    }
}

#[tokio::test]
async fn a_preflight_says_what_is_allowed_and_goes_no_further() {
    let cors = CorsLayer::origins(shop())
        .with_methods([Method::PUT])
        .with_max_age(Duration::from_secs(5));
    let fixture = Fixture::new().await;
    let app = router().layer(stack(&fixture, Edge::new().with_cors(cors)));
    let response = fetch(&app, asked(&Method::OPTIONS, Some(SHOP))).await;
    assert_eq!(response.status(), 200);
    for (name, expected) in [
        ("access-control-allow-origin", Some(SHOP)),
        ("access-control-allow-methods", Some("PUT")),
        ("access-control-allow-headers", Some("x-key,content-type")),
        ("access-control-max-age", Some("5")),
        ("access-control-expose-headers", None),
    ] {
        assert_eq!(value(response.headers(), name), expected, "{name}");
    }
    // It is a request like any other.
    let seen = fixture.finish().await;
    assert_eq!(seen.only_line()["status"], 200);
    assert_eq!(seen.only_line()["method"], "OPTIONS");
}

#[tokio::test]
async fn a_page_may_read_the_headers_that_help_it() {
    let app = router().layer(CorsLayer::any_origin());
    let response = fetch(&app, asked(&Method::GET, Some(SHOP))).await;
    assert_eq!(
        value(response.headers(), "access-control-expose-headers"),
        Some("x-request-id,retry-after,server-timing")
    );
}
