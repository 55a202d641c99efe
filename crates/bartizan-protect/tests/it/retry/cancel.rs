//! What is left behind at any point: nothing.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_protect::Error;
use http_body::{Body, Frame};
use tokio::time;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_retry_that_is_called_off_is_not_charged() {
    let layer = layer();
    let budget = layer.budget().clone();
    let (mut service, mut handle) = around_mock(layer);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(get()));
    assert_pending!(call.poll());
    let (_, send) = handle.next_request().await.unwrap();
    send.send_response(status(503));
    assert_pending!(call.poll());
    assert_eq!(counted(&budget), (1, 1), "decided on, and held back");
    drop(call);
    assert_eq!(counted(&budget), (1, 0));
    time::advance(PAUSE).await;
    assert_pending!(handle.poll_request());
}

#[tokio::test(start_paused = true)]
async fn an_error_of_readiness_ends_it_uncharged() {
    let layer = layer();
    let budget = layer.budget().clone();
    let (mut service, mut handle) = around_mock(layer);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(get()));
    assert_pending!(call.poll());
    let (_, send) = handle.next_request().await.unwrap();
    send.send_response(status(503));
    assert_pending!(call.poll());
    handle.send_error("closed");
    time::advance(PAUSE).await;
    let error = assert_ready!(call.poll()).unwrap_err();
    assert!(matches!(error, Error::Inner(error) if error.to_string() == "closed"));
    assert_eq!(counted(&budget), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_later_attempt_waits_until_the_service_is_ready() {
    let (mut service, mut handle) = around_mock(layer());
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(get()));
    assert_pending!(call.poll());
    let (_, send) = handle.next_request().await.unwrap();
    send.send_response(status(503));
    assert_pending!(call.poll());
    time::advance(PAUSE).await;
    assert_pending!(call.poll());
    assert_pending!(handle.poll_request());
    handle.allow(1);
    assert!(call.is_woken());
    assert_pending!(call.poll());
    assert_eq!(attempt(&handle.next_request().await.unwrap().0), 1);
}

/// A body that is never read.
#[derive(Debug)]
struct Unread {
    _alive: Arc<()>,
}

impl Body for Unread {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        unreachable!("nobody reads it");
    }
}

/// Fails each time, after a moment. What it has given out is alive as long as `alive` is held.
fn failing(
    alive: &Arc<()>,
) -> impl Service<In, Response = Response<Unread>, Error = Infallible, Future: Send> + Clone {
    let of_service = Arc::downgrade(alive);
    tower::service_fn(move |_: In| {
        let _alive = of_service.upgrade().unwrap();
        async move {
            time::sleep_until(Instant::now() + 10 * MS).await;
            let response = Response::builder().status(503);
            Ok(response.body(Unread { _alive }).unwrap())
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_retried_is_dropped_before_the_pause() {
    let alive = Arc::new(());
    let mut service = layer().layer(failing(&alive));
    let mut call = task::spawn(service.ready().await.unwrap().call(get()));
    assert_pending!(call.poll());
    assert_eq!(Arc::strong_count(&alive), 2, "the attempt");
    time::advance(11 * MS).await;
    assert_pending!(call.poll());
    assert_eq!(Arc::strong_count(&alive), 1, "the pause");
    time::advance(PAUSE).await;
    assert_pending!(call.poll());
    assert_eq!(Arc::strong_count(&alive), 2, "the next attempt");
}

#[tokio::test(start_paused = true)]
async fn dropped_after_any_number_of_polls_it_leaves_nothing() {
    let mut polls = 0_u64;
    loop {
        let alive = Arc::new(());
        let layer = layer();
        let mut service = layer.layer(failing(&alive));
        let mut call = task::spawn(service.ready().await.unwrap().call(get()));
        let mut done = false;
        for _ in 0..polls {
            done = call.poll().map(drop).is_ready();
            if done {
                break;
            }
            // Either an attempt or a pause is over by then.
            time::advance(PAUSE).await;
        }
        drop(call);
        assert_eq!(Arc::strong_count(&alive), 1, "after {polls} polls");
        // By the second poll there is an answer, by the third and the fifth another attempt.
        let expected = (u64::from(polls >= 2), (polls.max(1) - 1).min(4) / 2);
        assert_eq!(counted(layer.budget()), expected, "after {polls} polls");
        if done {
            break;
        }
        polls += 1;
    }
    assert_eq!(polls, 6, "three attempts and two pauses");
}
