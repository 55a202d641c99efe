use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower::ServiceExt;

use super::*;
use crate::{Keys, Shop, Upstream, router};

const METHODS: [Method; 7] = [
    Method::GET,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::TRACE,
];

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Every documented operation: its path, its method, and what is said about it.
fn operations(document: &Value) -> Vec<(&str, Method, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let method = method.to_uppercase().parse().unwrap();
            operations.push((path.as_str(), method, operation));
        }
    }
    operations
}

fn followed<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value["$ref"].as_str() {
        Some(to) => schema::resolve(document, to),
        None => value,
    }
}

/// A shop whose services answer as documented.
async fn app() -> Router {
    let order = r#"{"id": 7, "product_id": 2, "quantity": 3, "status": "pending", "created_at": "2026-11-25T12:00:00.000Z"}"#;
    let products = r#"[{"id": 1, "name": "arrow loop", "price_cents": 1, "stock": 1}]"#;
    let json = [(header::CONTENT_TYPE, "application/json")];
    let services = Router::new()
        .route("/products", get(async move || (json.clone(), products)))
        .route(
            "/orders/7",
            get(async move || ([(header::CONTENT_TYPE, "application/json")], order)),
        )
        .route(
            "/orders",
            post(async move || {
                (
                    StatusCode::CREATED,
                    [(header::CONTENT_TYPE, "application/json")],
                    order,
                )
            }),
        );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, services).await });
    let telemetry = bartizan::Telemetry::builder().build().unwrap();
    let client = reqwest::Client::builder().no_proxy();
    let client = bartizan::client::reqwest(client, &telemetry).unwrap();
    router(Shop {
        inventory: Upstream::new("inventory", client.clone(), url.parse().unwrap()),
        orders: Upstream::new("order service", client, url.parse().unwrap()),
        keys: Keys::default(),
    })
}

#[tokio::test]
async fn every_route_is_documented_and_every_documented_operation_is_there() {
    let document = document();
    let operations = operations(&document);
    let documented: BTreeSet<_> = operations.iter().map(|(path, ..)| *path).collect();
    let routed = crate::routes::table().map(|(path, _)| path);
    assert_eq!(documented, BTreeSet::from(routed));

    let app = app().await;
    for path in documented {
        for method in METHODS {
            let request = Request::builder()
                .method(method.clone())
                .uri(path.replace("{id}", "7"))
                .body(Body::empty())
                .unwrap();
            let status = app.clone().oneshot(request).await.unwrap().status();
            assert_ne!(status, StatusCode::NOT_FOUND, "{method} {path}");
            let is_documented = operations
                .iter()
                .any(|(other, documented, _)| *other == path && *documented == method);
            let is_there = status != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(is_there, is_documented, "{method} {path}: {status}");
        }
    }
}

#[test]
fn every_example_is_what_its_schema_says() {
    let document = document();
    let mut checked = 0;
    let mut check = |holder: &Value, said: &str| {
        if let Some(example) = holder.get("example") {
            let found = schema::problems(&document, &holder["schema"], example, said);
            assert!(found.is_empty(), "{found:#?}");
            checked += 1;
        }
    };
    for (path, method, operation) in operations(&document) {
        let said = format!("{method} {path}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            check(followed(&document, parameter), &said);
        }
        let mut bodies = vec![&operation["requestBody"]];
        for (status, response) in operation["responses"].as_object().unwrap() {
            assert!(status.parse::<u16>().is_ok(), "{said}: {status}");
            let response = followed(&document, response);
            assert!(response["description"].is_string(), "{said}: {status}");
            bodies.push(response);
        }
        for body in bodies {
            for (kind, content) in body["content"].as_object().into_iter().flatten() {
                check(content, &format!("{said} {kind}"));
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let document = document();
    let operations = operations(&document);
    let names: BTreeSet<_> = operations
        .iter()
        .map(|(_, _, operation)| operation["operationId"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), operations.len());
}

#[tokio::test]
async fn answers_are_as_documented() {
    let document = document();
    let app = app().await;
    let order = json!({"product_id": 2, "quantity": 3});
    let with_key = |request: axum::http::request::Builder| request.header("idempotency-key", "k");
    let post = || Request::post("/orders").header(header::CONTENT_TYPE, "application/json");
    for (path, expected, request, body) in [
        ("/products", 200, Request::get("/products"), Value::Null),
        ("/orders", 201, with_key(post()), order.clone()),
        // Again.
        ("/orders", 201, with_key(post()), order.clone()),
        ("/orders", 400, post(), order),
        ("/orders", 422, with_key(post()), json!({})),
        ("/orders/{id}", 200, Request::get("/orders/7"), Value::Null),
        (
            "/openapi.json",
            200,
            Request::get("/openapi.json"),
            Value::Null,
        ),
    ] {
        let method = if path == "/orders" { "post" } else { "get" };
        let request = request.body(Body::from(body.to_string())).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        assert_eq!(status, expected, "{path}");
        let kind = response.headers()[header::CONTENT_TYPE]
            .to_str()
            .unwrap()
            .to_owned();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let response = &document["paths"][path][method]["responses"][status.to_string()];
        let schema = &followed(&document, response)["content"][&kind]["schema"];
        assert!(
            schema.is_object(),
            "{path} {status} {kind} is not documented"
        );
        let found = schema::problems(&document, schema, &body, path);
        assert!(found.is_empty(), "{found:#?}");
    }
}
