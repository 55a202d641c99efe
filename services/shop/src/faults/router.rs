use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use bartizan::Problem;
use serde_json::Value;

use super::{Faults, InvalidField, Switch};
use crate::extract::BadRequest;

/// `GET /faults` and `PUT /faults`, which replaces all of them; the answer is what is in force. For
/// [`Admin::with_routes`](bartizan::admin::Admin::with_routes).
///
/// A body that is not JSON is a 400. One that makes no sense is a 422 whose `errors` name each
/// field, its value and what it takes, and then nothing was changed.
pub fn router(switch: Switch) -> Router {
    Router::new()
        .route("/faults", get(read).put(replace))
        .with_state(switch)
}

async fn read(State(switch): State<Switch>) -> Json<Faults> {
    Json(switch.get())
}

async fn replace(
    State(switch): State<Switch>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Faults>, Response> {
    let body = body.map_err(|rejection| BadRequest::from(rejection).into_response())?;
    let json: Value = serde_json::from_slice(&body).map_err(|error| {
        let detail = format!("the body is not JSON: {error}");
        BadRequest::new(StatusCode::BAD_REQUEST, detail).into_response()
    })?;
    let faults = Faults::from_json(&json).map_err(|errors| invalid(&errors).into_response())?;
    switch.set(faults);
    tracing::warn!(?faults, "faults set");
    Ok(Json(faults))
}

fn invalid(errors: &[InvalidField]) -> Problem {
    let detail: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY)
        .with_type("/problems/invalid-fields")
        .with_title("Invalid fields")
        .with_detail(detail.join("; "))
        // Text and JSON values, all keys being text: nothing that cannot be written.
        .with_extension("errors", serde_json::to_value(errors).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::Body;
    use axum::http::{Method, Request};
    use http_body_util::BodyExt;
    use serde_json::json;
    use tower::ServiceExt;

    use super::*;

    async fn call(app: &Router, method: Method, path: &str, body: &str) -> (u16, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    #[tokio::test]
    async fn faults_are_set_and_read_back_and_mistakes_change_nothing() {
        let switch = Switch::default();
        let app = router(switch.clone());
        let (status, set) = call(&app, Method::PUT, "/faults", r#"{"latency_ms": 7}"#).await;
        assert_eq!(status, 200);
        assert_eq!(
            set,
            json!({"latency_ms": 7, "jitter_ms": 0, "error_rate": 0.0, "outage": false})
        );

        let (status, problem) = call(&app, Method::PUT, "/faults", r#"{"error_rate": 2}"#).await;
        assert_eq!(status, 422);
        assert_eq!(
            problem["errors"],
            json!([{"field": "error_rate", "value": 2, "expected": "a number from 0 to 1"}])
        );
        assert_eq!(call(&app, Method::PUT, "/faults", "{").await.0, 400);
        assert_eq!(call(&app, Method::GET, "/faults", "").await, (200, set));
        assert_eq!(call(&app, Method::DELETE, "/faults", "").await.0, 405);
        assert_eq!(call(&app, Method::GET, "/", "").await.0, 404);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_does_what_the_switch_says() {
        let switch = Switch::default();
        let app = switch.around(Router::new().route("/", get(async || "\"served\"")));
        let served = (200, json!("served"));
        assert_eq!(call(&app, Method::GET, "/", "").await, served);

        let slow = Faults {
            latency_ms: 3_000,
            ..Faults::default()
        };
        switch.set(slow);
        let start = tokio::time::Instant::now();
        assert_eq!(call(&app, Method::GET, "/", "").await, served);
        assert_eq!(start.elapsed().as_secs(), Duration::from_secs(3).as_secs());

        for (faults, status) in [
            (json!({"outage": true}), 503),
            (json!({"error_rate": 1}), 500),
        ] {
            switch.set(Faults::from_json(&faults).unwrap());
            let (got, problem) = call(&app, Method::GET, "/", "").await;
            assert_eq!((got, &problem["type"]), (status, &json!("/problems/fault")));
        }
        switch.set(Faults::default());
        assert_eq!(call(&app, Method::GET, "/", "").await, served);
    }
}
