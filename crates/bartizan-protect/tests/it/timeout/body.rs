//! Bodies that take their time.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bartizan_protect::Error;
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full};
use tokio::time;
use tokio_test::{assert_pending, assert_ready, task};
use tower::{Layer, ServiceExt};

use super::*;

/// A body of one byte, and then nothing, not even an end.
struct Hanging {
    byte: Option<Bytes>,
    _alive: Arc<()>,
}

impl Body for Hanging {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.byte.take() {
            Some(byte) => Poll::Ready(Some(Ok(Frame::data(byte)))),
            None => Poll::Pending,
        }
    }
}

/// The body of a response whose head is there at once, and a mark that it is alive.
async fn hanging(layer: TimeoutLayer) -> (ResponseBody<Hanging>, Arc<()>) {
    let alive = Arc::new(());
    let in_body = Arc::clone(&alive);
    let service = layer.layer(tower::service_fn(move |_: In| {
        let body = Hanging {
            byte: Some(Bytes::from_static(b"1")),
            _alive: Arc::clone(&in_body),
        };
        std::future::ready(Ok::<_, Infallible>(Response::new(body)))
    }));
    let response = service.oneshot(Request::new(())).await.unwrap();
    (response.into_body(), alive)
}

#[tokio::test(start_paused = true)]
async fn a_body_may_take_any_time_unless_it_was_asked_for() {
    let (mut body, _alive) = hanging(timeout(100)).await;
    assert!(body.frame().await.unwrap().unwrap().is_data());
    let mut rest = task::spawn(body.frame());
    assert_pending!(rest.poll());
    time::advance(3_600_000 * MS).await;
    assert_pending!(rest.poll());
}

#[tokio::test(start_paused = true)]
async fn a_body_that_has_not_ended_in_time_fails_once_and_is_dropped() {
    let (mut body, alive) = hanging(timeout(100).with_body()).await;
    assert!(body.frame().await.unwrap().unwrap().is_data());
    let mut rest = task::spawn(body.frame());
    assert_pending!(rest.poll());
    time::advance(99 * MS).await;
    assert_pending!(rest.poll());
    time::advance(2 * MS).await;
    assert!(rest.is_woken());
    let Some(Err(Error::TimedOut(elapsed))) = assert_ready!(rest.poll()) else {
        panic!("it was not cut off");
    };
    assert_eq!(elapsed.after(), 100 * MS);
    drop(rest);
    // Whoever holds the body does not hold the connection. Both that and the service are left.
    assert!(body.is_end_stream());
    assert_eq!(body.size_hint().exact(), Some(0));
    assert!(body.frame().await.is_none());
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_the_head_is_part_of_the_bodys() {
    let service = timeout(100)
        .with_body()
        .layer(tower::service_fn(async |_: In| {
            time::sleep_until(time::Instant::now() + 80 * MS).await;
            let byte = Some(Bytes::new());
            let _alive = Arc::default();
            Ok::<_, Infallible>(Response::new(Hanging { byte, _alive }))
        }));
    let started = time::Instant::now();
    let response = service.oneshot(Request::new(())).await.unwrap();
    let error = response.into_body().collect().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)));
    let took = started.elapsed();
    assert!((100 * MS..=102 * MS).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_in_time_is_as_it_was() {
    for layer in [timeout(100), timeout(100).with_body()] {
        let service = layer.layer(tower::service_fn(async |_: In| {
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"all"))))
        }));
        let body = service.oneshot(Request::new(())).await.unwrap().into_body();
        assert_eq!(body.size_hint().exact(), Some(3));
        time::advance(1_000 * MS).await;
        assert_eq!(body.collect().await.unwrap().to_bytes(), "all");
    }
}
