//! The server's side: a route for each way to go, and a watch over when requests are over.

use std::convert::Infallible;
use std::future::{pending, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get as on_get;
use bartizan::StackLayer;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::support::PATIENCE;

const EVENTS: [(&str, &str); 1] = [("content-type", "text/event-stream")];
const CHUNKS: [Result<&str, Infallible>; 2] = [Ok("one"), Ok("two")];

/// Counts what the server comes to, so that a client can wait for it.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    entered: Arc<Semaphore>,
    over: Arc<Semaphore>,
}

/// Says that a request is over when it is dropped.
struct Guard(Arc<Semaphore>);

/// A response body, and then the guard.
struct Guarded {
    body: Body,
    _guard: Guard,
}

// === impl Watch ===

impl Watch {
    pub(super) fn new() -> Self {
        let none = || Arc::new(Semaphore::new(0));
        Self {
            entered: none(),
            over: none(),
        }
    }

    /// Waits until that many handlers more have been entered.
    pub(super) async fn entered(&self, handlers: usize) {
        take(&self.entered, handlers).await;
    }

    /// Waits until that many requests more are over: their futures and bodies are dropped.
    pub(super) async fn over(&self, requests: usize) {
        take(&self.over, requests).await;
    }
}

async fn take(counted: &Semaphore, many: usize) {
    let many = u32::try_from(many).unwrap();
    let taken = timeout(PATIENCE, counted.acquire_many(many)).await;
    taken.expect("the server gets there").unwrap().forget();
}

// === impl Guard ===

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

// === impl Guarded ===

/// All is passed on as it is: what a server is told of a body decides how far it polls it.
impl HttpBody for Guarded {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The cases' routes, under the stack, under the guard: a request that is over for the guard is
/// over for the stack.
pub(super) fn router(stack: StackLayer, watch: &Watch) -> Router {
    let (entered, over) = (Arc::clone(&watch.entered), Arc::clone(&watch.over));
    let hang = move || {
        entered.add_permits(1);
        pending::<()>()
    };
    Router::new()
        .route("/ok", on_get(|| async { "ok" }))
        .route("/empty", on_get(|| async { StatusCode::NO_CONTENT }))
        .route("/unchanged", on_get(|| async { StatusCode::NOT_MODIFIED }))
        .route(
            "/fail",
            on_get(|| async { StatusCode::INTERNAL_SERVER_ERROR }),
        )
        .route("/stream", on_get(|| async { chunks() }))
        .route(
            "/announced",
            on_get(|| async { ([("content-length", "6")], chunks()) }),
        )
        .route("/trailers", on_get(|| async { with_trailers(chunks()) }))
        .route(
            "/announced-trailers",
            on_get(|| async { with_trailers("one".into()) }),
        )
        .route("/hang", on_get(hang))
        .route("/endless", on_get(|| async { endless() }))
        .route("/broken", on_get(broken))
        .route("/panic", on_get(panics))
        .route("/events", on_get(|| async { (EVENTS, endless()) }))
        .route("/events-ended", on_get(|| async { (EVENTS, chunks()) }))
        .layer(stack)
        .layer(from_fn(move |request: Request, next: Next| {
            guarded(Guard(Arc::clone(&over)), request, next)
        }))
}

async fn guarded(guard: Guard, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    response.map(|body| {
        Body::new(Guarded {
            body,
            _guard: guard,
        })
    })
}

fn chunks() -> Body {
    Body::from_stream(stream::iter(CHUNKS))
}

fn endless() -> Body {
    let first = stream::iter([Ok::<_, Infallible>("data: 1\n\n")]);
    Body::from_stream(first.chain(stream::pending()))
}

async fn broken() -> Body {
    Body::from_stream(stream::iter([Ok("one"), Err("the disk is gone")]))
}

fn with_trailers(body: Body) -> ([(&'static str, &'static str); 1], Body) {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "3".parse().unwrap());
    let body = body.with_trailers(ready(Some(Ok(trailers))));
    // Over HTTP/1.1, trailers are sent only if they were announced.
    ([("trailer", "x-sum")], Body::new(body))
}

async fn panics() {
    panic!("on purpose")
}
