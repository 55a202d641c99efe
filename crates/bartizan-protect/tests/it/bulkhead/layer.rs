//! Calls through the layer.

use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan_protect::bulkhead::Reason;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use tokio::time;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, ServiceExt, service_fn};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_call_waits_for_its_turn_and_then_for_the_service() {
    let bulkhead = bulkhead(1, 1);
    let (mut service, mut handle) = around_mock(BulkheadLayer::of(bulkhead.clone()));
    handle.allow(1);
    assert_ready_ok!(service.poll_ready());
    let mut first = task::spawn(service.call(In::default()));
    let (_, answer_first) = assert_ready!(handle.poll_request()).unwrap();
    assert_pending!(first.poll());

    // An instance that was readied by somebody else is not needed to wait.
    let mut second = task::spawn(service.call(In::default()));
    assert_pending!(second.poll());
    answer_first.send_response(Out::default());
    assert_ready_ok!(first.poll());
    assert!(second.is_woken());
    assert_pending!(second.poll());
    assert_pending!(handle.poll_request());
    assert_eq!(counted(&bulkhead), (1, 0));

    handle.allow(1);
    assert!(second.is_woken());
    assert_pending!(second.poll());
    let (_, answer) = assert_ready!(handle.poll_request()).unwrap();
    answer.send_response(Out::default());
    assert_ready_ok!(second.poll());
    assert_eq!(counted(&bulkhead), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_typed_and_has_not_been_called() {
    let layer = BulkheadLayer::of(bulkhead(1, 1));
    let service = layer.layer(service_fn(async |_: In| -> Result<Out, BoxError> {
        panic!("it was called")
    }));
    let _permit = layer.handle().try_acquire().unwrap();
    let mut late = task::spawn(service.clone().oneshot(In::default()));
    assert_pending!(late.poll());
    let full = service.oneshot(In::default()).await.unwrap_err();
    assert!(full.is_rejection() && full.retry_after().is_none());
    assert!(matches!(&full, Error::Saturated(it) if it.reason() == Reason::Full));
    time::advance(101 * MS).await;
    let late = assert_ready!(late.poll()).unwrap_err();
    assert!(late.is_rejection());
    assert!(matches!(&late, Error::Saturated(it) if it.reason() == Reason::QueueTimeout));
}

#[tokio::test(start_paused = true)]
async fn errors_of_a_service_that_was_waited_for_come_through() {
    let bulkhead = bulkhead(1, 1);
    let (mut service, mut handle) = around_mock(BulkheadLayer::of(bulkhead.clone()));
    let permit = bulkhead.try_acquire().unwrap();
    handle.allow(0);
    let mut call = task::spawn(service.call(In::default()));
    assert_pending!(call.poll());
    drop(permit);
    handle.send_error("not ready");
    let error = assert_ready!(call.poll()).unwrap_err();
    assert_eq!(error.to_string(), "not ready");
    assert_eq!(counted(&bulkhead), (0, 0));
}

/// A body of two frames, the second of which may be an error.
#[derive(Debug)]
struct Streamed(Vec<Result<&'static str, &'static str>>);

impl Body for Streamed {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = self.0.pop().map(|frame| match frame {
            Ok(data) => Ok(Frame::data(Bytes::from(data))),
            Err(error) => Err(BoxError::from(error)),
        });
        Poll::Ready(frame)
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_is_kept_to_the_head_or_to_the_end() {
    for (until_end, last, collected) in [
        (false, Ok("last"), true),
        (true, Ok("last"), true),
        (true, Err("broken"), true),
        (true, Ok("last"), false),
    ] {
        let layer = BulkheadLayer::of(bulkhead(1, 0));
        let layer = if until_end { layer.until_end() } else { layer };
        let service = layer.layer(service_fn(|_: In| {
            let body = Streamed(vec![last, Ok("first")]);
            ready(Ok::<_, BoxError>(Response::new(body)))
        }));
        let response = service.oneshot(In::default()).await.unwrap();
        let kept = usize::from(until_end);
        assert_eq!(counted(layer.handle()), (kept, 0));
        let mut body = Box::pin(response.into_body());
        body.frame().await.unwrap().unwrap();
        assert_eq!(counted(layer.handle()), (kept, 0));
        if collected {
            while let Some(Ok(_)) = body.frame().await {}
        } else {
            drop(body);
        }
        assert_eq!(counted(layer.handle()), (0, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_has_ended_keeps_no_place() {
    let layer = BulkheadLayer::of(bulkhead(1, 0)).until_end();
    for body in ["", "all of it"] {
        let service = layer.layer(service_fn(|_: In| {
            ready(Ok::<_, BoxError>(Response::new(Full::<Bytes>::from(body))))
        }));
        let mut response = service.oneshot(In::default()).await.unwrap();
        if !body.is_empty() {
            assert_eq!(counted(layer.handle()), (1, 0));
            // The only frame there is, after which nobody asks.
            response.body_mut().frame().await.unwrap().unwrap();
        }
        assert_eq!(counted(layer.handle()), (0, 0), "{body:?}");
    }
}
