//! The one application that all rows wrap, and the one request that all rows answer.

use std::hint::black_box;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::routing::get;
use http::header::{HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Request, Uri};
use http_body_util::BodyExt;
use tokio::runtime::Runtime;
use tower::ServiceExt;

/// The route that answers; also the end of every correct span name.
pub(crate) const ROUTE: &str = "/users/{id}";
/// The path that is asked for.
pub(crate) const PATH: &str = "/users/42";
/// What is answered.
pub(crate) const ANSWER: &[u8] = b"user 42";
/// The trace that the caller is in.
pub(crate) const TRACE_ID: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const SAMPLED: HeaderValue =
    HeaderValue::from_static("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
const CALLER: HeaderValue = HeaderValue::from_static("curl/8.5.0");
const SERVER: HeaderValue = HeaderValue::from_static("api.example.com");

/// The application without any layer.
pub(crate) fn app() -> Router {
    Router::new().route(ROUTE, get(async |Path(id): Path<u64>| format!("user {id}")))
}

/// Sends `requests` requests, one after the other, and gives the bytes that came back.
pub(crate) fn send(runtime: &Runtime, router: &Router, requests: u64) -> u64 {
    runtime.block_on(async {
        let mut bytes = 0;
        for _ in 0..requests {
            let mut body = answer(router).await;
            while let Some(Ok(frame)) = body.frame().await {
                bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
            }
        }
        bytes
    })
}

/// [`send`] under a name that a profiler can be told to look for: not inlined, and not the same
/// code as `send`, so that the linker can't make them one.
#[inline(never)]
pub(crate) fn measured_loop(runtime: &Runtime, router: &Router, requests: u64) -> u64 {
    black_box(send(runtime, router, black_box(requests)))
}

/// Sends one request and gives the whole body.
pub(crate) fn once(runtime: &Runtime, router: &Router) -> Result<Vec<u8>, axum::Error> {
    runtime.block_on(async { Ok(answer(router).await.collect().await?.to_bytes().to_vec()) })
}

/// A clone for each request is what `axum::serve` does too.
async fn answer(router: &Router) -> Body {
    match router.clone().oneshot(request()).await {
        Ok(response) => response.into_body(),
        Err(never) => match never {},
    }
}

fn request() -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static(PATH);
    let headers = request.headers_mut();
    headers.insert(HOST, SERVER);
    headers.insert(USER_AGENT, CALLER);
    headers.insert(TRACEPARENT, SAMPLED);
    request
}
