use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;
use crate::{
    Sink,
    fixture::{log, logs, span, trace_id, traces},
};

fn store() -> Arc<Store> {
    let store = Arc::new(Store::default());
    store.on_traces(traces(
        "<b>gateway",
        vec![span(1, 1, 0, "GET /<script>", (0, 10))],
    ));
    store.on_logs(logs("gateway", vec![log(1, 1, 1, "<img src=x>")]));
    store.on_traces(traces("gateway", vec![span(2, 1, 9, "GET /b", (0, 1))]));
    store
}

async fn get(path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router(store()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn get_json(path: &str) -> serde_json::Value {
    let (status, body) = get(path).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    serde_json::from_str(&body).unwrap()
}

#[tokio::test]
async fn traces_are_listed_newest_first() {
    let list = get_json("/api/traces").await;
    assert_eq!(list[0]["trace_id"], trace_id(2).to_string());
    assert_eq!(list[0]["complete"], false);
    assert_eq!(list[1]["name"], "GET /<script>");
    assert_eq!(list[1]["duration_nanos"], "10000000");
    assert_eq!(list[1]["complete"], true);
    assert_eq!(
        get_json("/api/traces?limit=1")
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused() {
    for limit in ["0", "501", "-1", "x", ""] {
        let (status, body) = get(&format!("/api/traces?limit={limit}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{limit}");
        assert!(body.starts_with("{\"error\":"), "{body}");
    }
}

#[tokio::test]
async fn a_trace_comes_with_its_spans_and_log_records() {
    let trace = get_json(&format!("/api/traces/{}", trace_id(1))).await;
    assert_eq!(trace["id"], trace_id(1).to_string());
    assert_eq!(trace["complete"], true);
    assert_eq!(trace["spans"][0]["span_id"], "0000000000000001");
    assert_eq!(trace["spans"][0]["resource"]["service"], "<b>gateway");
    assert_eq!(trace["logs"][0]["body"], "<img src=x>");
}

#[tokio::test]
async fn an_id_that_is_none_is_told_from_one_that_is_not_kept() {
    let unknown = trace_id(77).to_string();
    assert_eq!(
        get(&format!("/api/traces/{unknown}")).await.0,
        StatusCode::NOT_FOUND
    );
    for id in ["x", "+1", &"0".repeat(32), &"A".repeat(32), &"1".repeat(33)] {
        assert_eq!(
            get(&format!("/api/traces/{id}")).await.0,
            StatusCode::BAD_REQUEST,
            "{id}"
        );
    }
}

#[tokio::test]
async fn the_counters_are_served() {
    let stats = get_json("/api/stats").await;
    assert_eq!(stats["spans"], 2);
    assert_eq!(stats["services"]["gateway"], 1);
}

#[tokio::test]
async fn the_page_escapes_what_came_from_the_network() {
    let (status, page) = get("/").await;
    assert_eq!(status, StatusCode::OK);
    assert!(page.contains("GET /&lt;script&gt;"), "{page}");
    assert!(page.contains("&lt;img src=x&gt;"));
    assert!(!page.contains("<script") && !page.contains("<img") && !page.contains("<b>"));
    assert!(
        !page.contains("http://") && !page.contains("https://"),
        "no external assets"
    );
}

#[tokio::test]
async fn nothing_can_be_written() {
    let request = Request::post("/api/traces").body(Body::empty()).unwrap();
    let response = router(store()).oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
}
