//! How much time there is, and who is told.

use bartizan_protect::Error;
use bartizan_protect::timeout::{Deadline, DeadlineSource, Limit, REQUEST_TIMEOUT_MS};
use tokio::time::{self, Instant};
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};

use super::*;

/// What the service sees of a request through `layer`: the header, and what is left by then.
async fn seen(layer: TimeoutLayer, request: In) -> (Option<String>, Option<Duration>) {
    let (mut service, mut handle) = around_mock(layer);
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(request));
    assert_pending!(call.poll());
    let (request, send) = handle.next_request().await.unwrap();
    send.send_response(answer());
    assert_ready_ok!(call.poll());
    let header = request.headers().get(REQUEST_TIMEOUT_MS);
    let deadline: Option<&Deadline> = request.extensions().get();
    let now = Instant::now().into_std();
    (
        header.map(|value| value.to_str().unwrap().to_owned()),
        deadline.map(|Deadline(at)| *at - now),
    )
}

fn within(left: Duration) -> In {
    let deadline = Deadline(Instant::now().into_std() + left);
    Request::builder().extension(deadline).body(()).unwrap()
}

fn source(left: Duration) -> DeadlineSource {
    let deadline = Instant::now().into_std() + left;
    DeadlineSource::new(move || Some(deadline))
}

#[tokio::test(start_paused = true)]
async fn the_service_is_told_of_the_layers_own_timeout() {
    let (header, left) = seen(timeout(250), Request::new(())).await;
    assert_eq!(header.as_deref(), Some("250"));
    assert_eq!(left, Some(250 * MS));
}

#[tokio::test(start_paused = true)]
async fn the_service_is_told_of_the_callers_time_if_that_is_less() {
    let us = Duration::from_micros;
    for (of_request, of_source, header, left) in [
        (Some(us(99_999)), None, "99", us(99_999)),
        (None, Some(us(99_999)), "99", us(99_999)),
        (Some(us(50_000)), Some(us(60_000)), "50", us(50_000)),
        (Some(us(60_000)), Some(us(50_000)), "50", us(50_000)),
        (Some(us(1_000)), None, "1", us(1_000)),
        (Some(us(900_000)), Some(us(900_000)), "250", us(250_000)),
    ] {
        let layer = timeout(250).with_deadline_source(match of_source {
            Some(left) => source(left),
            None => DeadlineSource::default(),
        });
        let request = of_request.map_or_else(|| Request::new(()), within);
        let seen = seen(layer, request).await;
        assert_eq!(seen, (Some(header.to_owned()), Some(left)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_header_that_is_there_is_overwritten_and_not_believed() {
    let request = || {
        let builder = Request::builder().header(REQUEST_TIMEOUT_MS, "7");
        builder.body(()).unwrap()
    };
    let (header, left) = seen(timeout(250), request()).await;
    assert_eq!((header.as_deref(), left), (Some("250"), Some(250 * MS)));
    // Nobody else's business.
    let (header, left) = seen(timeout(250).without_propagation(), request()).await;
    assert_eq!((header.as_deref(), left), (Some("7"), Some(250 * MS)));
}

#[tokio::test(start_paused = true)]
async fn without_propagation_there_is_no_header() {
    let (header, left) = seen(timeout(250).without_propagation(), Request::new(())).await;
    assert_eq!((header, left), (None, Some(250 * MS)));
}

#[tokio::test(start_paused = true)]
async fn the_callers_deadline_cuts_a_call_off() {
    let (mut service, _handle) = around_mock(timeout(250));
    assert_ready_ok!(service.poll_ready());
    let mut call = task::spawn(service.call(within(20 * MS)));
    assert_pending!(call.poll());
    time::advance(21 * MS).await;
    let Err(Error::TimedOut(elapsed)) = assert_ready!(call.poll()) else {
        panic!("it was not cut off");
    };
    assert_eq!(
        (elapsed.after(), elapsed.limit()),
        (20 * MS, Limit::Deadline)
    );
    let expected = "not answered within the 20ms left of the caller's";
    assert_eq!(elapsed.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn without_time_the_service_is_not_called() {
    // So that a deadline can be in the past.
    time::advance(1_000 * MS).await;
    for (layer, request) in [
        (timeout(250), within(Duration::ZERO)),
        (timeout(250), within(Duration::from_micros(999))),
        (
            timeout(250).without_propagation(),
            within(Duration::from_micros(999)),
        ),
        (
            timeout(250).with_deadline_source(source(Duration::ZERO)),
            within(1_000 * MS),
        ),
    ] {
        let (mut service, mut handle) = around_mock(layer);
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call(request));
        let Err(error) = assert_ready!(call.poll()) else {
            panic!("it was called");
        };
        assert!(matches!(error, Error::NoTimeLeft(_)) && error.is_rejection());
        assert_eq!(error.to_string(), "no time is left of the caller's");
        assert_pending!(handle.poll_request());
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_is_asked_where_the_call_is_made() {
    tokio::task_local! {
        static DEADLINE: std::time::Instant;
    }
    let source = DeadlineSource::new(|| DEADLINE.try_with(|deadline| *deadline).ok());
    let layer = timeout(250).with_deadline_source(source);
    let (header, _) = seen(layer.clone(), Request::new(())).await;
    assert_eq!(header.as_deref(), Some("250"));
    let deadline = Instant::now().into_std() + 30 * MS;
    let seen = DEADLINE.scope(deadline, seen(layer, Request::new(())));
    assert_eq!(seen.await.0.as_deref(), Some("30"));
}
