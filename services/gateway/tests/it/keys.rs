//! What an idempotency key does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bartizan::PeerAddr;
use http_body_util::BodyExt;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::before;

const ORDER: &str = r#"{"product_id":1,"quantity":1}"#;

/// An order service that numbers what it places; clones are the same one.
#[derive(Clone)]
struct Orders {
    placed: Arc<AtomicU64>,
    /// A permit for each request that has come.
    came: Arc<Semaphore>,
    /// A permit for each that may be answered.
    may_answer: Arc<Semaphore>,
}

impl Orders {
    /// One that answers so many at once; the others wait.
    fn answering(requests: usize) -> Self {
        Self {
            placed: Arc::default(),
            came: Arc::new(Semaphore::new(0)),
            may_answer: Arc::new(Semaphore::new(requests)),
        }
    }

    fn placed(&self) -> u64 {
        self.placed.load(Ordering::Relaxed)
    }

    /// A gateway in front of it; `answer` makes the answer to the request of that number.
    async fn gateway<R: IntoResponse>(
        &self,
        answer: impl Fn(u64) -> R + Clone + Send + Sync + 'static,
    ) -> Router {
        let this = self.clone();
        let place = async move || {
            this.came.add_permits(1);
            this.may_answer.acquire().await.unwrap().forget();
            answer(this.placed.fetch_add(1, Ordering::Relaxed) + 1).into_response()
        };
        before(Router::new().route("/orders", post(place))).await
    }
}

fn created(number: u64) -> Response {
    let location = [(header::LOCATION, format!("/orders/{number}"))];
    (StatusCode::CREATED, location, number.to_string()).into_response()
}

fn order(key: &str, body: &'static str) -> Request<Body> {
    Request::post("/orders")
        .header(header::CONTENT_TYPE, "application/json")
        .header("idempotency-key", key)
        .body(Body::from(body))
        .unwrap()
}

/// The status, where the order is, and the body.
async fn send(app: &Router, request: Request<Body>) -> (u16, String, String) {
    let response = app.clone().oneshot(request).await.unwrap();
    let location = response.headers().get(header::LOCATION);
    let location = location
        .map_or("", |value| value.to_str().unwrap())
        .to_owned();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, location, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_same_key_and_body_get_the_same_answer_and_another_body_a_422() {
    let orders = Orders::answering(9);
    let app = orders.gateway(created).await;
    let first = send(&app, order("k", ORDER)).await;
    assert_eq!(first, (201, "/orders/1".to_owned(), "1".to_owned()));
    assert_eq!(send(&app, order("\"k\"", ORDER)).await, first);
    let (status, _, problem) = send(&app, order("k", "{}")).await;
    assert_eq!(status, 422);
    assert!(
        problem.contains("/problems/idempotency-key-reused"),
        "{problem}"
    );
    assert_eq!(orders.placed(), 1);
    assert_eq!(send(&app, order("other", ORDER)).await.2, "2");
}

#[tokio::test]
async fn an_order_without_a_key_or_with_none_that_is_one_is_a_400() {
    let orders = Orders::answering(9);
    let app = orders.gateway(created).await;
    let long = "x".repeat(256);
    for key in ["", "\"", "a b", long.as_str()] {
        let (status, _, problem) = send(&app, order(key, ORDER)).await;
        assert_eq!(status, 400, "{key}");
        assert!(
            problem.contains("expected one string of 1 to 255 bytes"),
            "{problem}"
        );
    }
    let mut without = order("k", ORDER);
    without.headers_mut().remove("idempotency-key");
    let (status, _, problem) = send(&app, without).await;
    assert_eq!(status, 400);
    assert!(
        problem.contains("/problems/idempotency-key-missing"),
        "{problem}"
    );
    assert_eq!(orders.placed(), 0);
}

#[tokio::test]
async fn a_key_belongs_to_the_address_that_sent_it() {
    let orders = Orders::answering(9);
    let app = orders.gateway(created).await;
    let from = |address: &str| {
        let mut request = order("k", ORDER);
        let peer = PeerAddr(address.parse::<SocketAddr>().unwrap());
        request.extensions_mut().insert(peer);
        request
    };
    for (address, number) in [
        ("10.0.0.1:1", "1"),
        ("10.0.0.1:2", "1"),
        ("10.0.0.2:1", "2"),
        ("[::ffff:10.0.0.2]:1", "2"),
        ("10.0.0.1:3", "1"),
    ] {
        assert_eq!(send(&app, from(address)).await.2, number, "{address}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_requests_at_once_with_one_key_place_one_order() {
    let orders = Orders::answering(0);
    let app = orders.gateway(created).await;
    let mut asking = JoinSet::new();
    for _ in 0..20 {
        let app = app.clone();
        asking.spawn(async move { send(&app, order("k", ORDER)).await });
    }
    // All but the first are told that it is under way, which it is until it may be answered.
    for _ in 0..19 {
        let (status, _, problem) = asking.join_next().await.unwrap().unwrap();
        assert_eq!(status, 409);
        assert!(
            problem.contains("/problems/request-in-progress"),
            "{problem}"
        );
    }
    orders.may_answer.add_permits(20);
    let first = asking.join_next().await.unwrap().unwrap();
    assert_eq!(first, (201, "/orders/1".to_owned(), "1".to_owned()));
    assert_eq!(send(&app, order("k", ORDER)).await, first);
    assert_eq!(orders.placed(), 1);
}

#[tokio::test]
async fn a_client_that_goes_away_leaves_its_key_to_the_next() {
    let orders = Orders::answering(0);
    let app = orders.gateway(created).await;
    let gone = tokio::spawn(app.clone().oneshot(order("k", ORDER)));
    orders.came.acquire().await.unwrap().forget();
    gone.abort();
    assert!(gone.await.unwrap_err().is_cancelled());
    orders.may_answer.add_permits(9);
    assert_eq!(send(&app, order("k", ORDER)).await.0, 201);
}

#[tokio::test]
async fn what_may_be_answered_differently_next_time_is_asked_again() {
    let soon = [(header::RETRY_AFTER, "1")];
    for (first, status) in [
        (StatusCode::INTERNAL_SERVER_ERROR.into_response(), 502),
        (
            (StatusCode::SERVICE_UNAVAILABLE, soon.clone()).into_response(),
            503,
        ),
        ((StatusCode::CONFLICT, soon.clone()).into_response(), 409),
    ] {
        let (first, headers) = (first.status(), first.headers().clone());
        let orders = Orders::answering(9);
        let app = orders
            .gateway(move |number| match number {
                1 => (first, headers.clone()).into_response(),
                _ => created(number),
            })
            .await;
        assert_eq!(send(&app, order("k", ORDER)).await.0, status);
        assert_eq!(send(&app, order("k", ORDER)).await.2, "2");
        assert_eq!(send(&app, order("k", ORDER)).await.2, "2");
    }
}

#[tokio::test]
async fn a_refusal_is_the_last_word() {
    let orders = Orders::answering(9);
    let app = orders
        .gateway(|number| (StatusCode::PAYMENT_REQUIRED, number.to_string()))
        .await;
    for _ in 0..2 {
        assert_eq!(
            send(&app, order("k", ORDER)).await,
            (402, String::new(), "1".to_owned())
        );
    }
}
