//! What is sent again, and what is not.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use bartizan_protect::breaker::{Breaker, Command};
use bartizan_protect::retry::{GaveUp, IDEMPOTENCY_KEY, Reason, Retryable, is_transient};
use bartizan_protect::timeout::{REQUEST_TIMEOUT_MS, TimeoutLayer};
use bartizan_protect::{BoxError, Error, Rejection};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tokio::time;
use tokio_test::{assert_pending, assert_ready, assert_ready_ok, task};
use tower::{Layer, Service, ServiceExt};

use super::*;

#[tokio::test(start_paused = true)]
async fn a_request_is_sent_again_as_it_was_until_it_is_answered() {
    let (mut service, mut handle) = around_mock(layer());
    assert_ready_ok!(service.poll_ready());
    let request = Request::builder()
        .method(Method::PUT)
        .uri("/orders/1")
        .header("x-request-id", "4711")
        .extension("mark")
        .body(Full::new(Bytes::from_static(b"all of it")));
    let mut call = task::spawn(service.call(request.unwrap()));
    for (number, answer) in [(0, 503), (1, 502), (2, 200)] {
        assert_pending!(call.poll());
        let (request, send) = handle.next_request().await.unwrap();
        assert_eq!(attempt(&request), number);
        assert_eq!(request.method(), Method::PUT);
        assert_eq!(request.uri(), "/orders/1");
        assert_eq!(request.headers()["x-request-id"], "4711");
        assert_eq!(request.extensions().get(), Some(&"mark"));
        let body = request.into_body().collect().await.unwrap();
        assert_eq!(body.to_bytes(), "all of it");
        send.send_response(status(answer));
        if answer != 200 {
            assert_pending!(call.poll());
            time::advance(PAUSE).await;
        }
    }
    assert_eq!(assert_ready_ok!(call.poll()).status(), 200);
}

#[tokio::test(start_paused = true)]
async fn the_last_answer_is_passed_on_as_it_is() {
    let notes = Notes::default();
    let layer = layer().with_observer(notes.clone());
    let service = layer.layer(tower::service_fn(async |request: In| {
        let mut response = status(503);
        let number = attempt(&request).into();
        response.headers_mut().insert("x-number", number);
        Ok::<_, io::Error>(response)
    }));
    let response = service.oneshot(get()).await.unwrap();
    assert_eq!(response.status(), 503);
    assert_eq!(response.headers()["x-number"], "2");

    let Written { retrying, given_up } = notes.take();
    let reason = Reason::Status(StatusCode::SERVICE_UNAVAILABLE);
    for (number, told) in retrying.iter().enumerate() {
        assert_eq!((told.attempt as usize, told.reason), (number, reason));
        assert!(
            told.delay <= (100 * MS) * 2_u32.pow(told.attempt),
            "{told:?}"
        );
        assert_eq!(
            (told.budget.requests, told.budget.retries),
            (1, number as u64 + 1)
        );
    }
    assert_eq!(retrying.len(), 2);
    assert_eq!(given_up.len(), 1);
    assert_eq!(
        (given_up[0].attempts, given_up[0].because),
        (3, GaveUp::Attempts)
    );
    assert_eq!(given_up[0].reason, reason);
}

#[tokio::test(start_paused = true)]
async fn errors_are_retried_and_keep_their_type() {
    let notes = Notes::default();
    let layer = layer().with_observer(notes.clone());
    let service = tower::service_fn(async |_: In| {
        Err::<Out, _>(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    let error = layer.layer(service).oneshot(get()).await.unwrap_err();
    let Error::Inner(error) = error else {
        panic!("{error:?} is not the service's");
    };
    let error: &io::Error = error.downcast_ref().unwrap();
    assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    let told = notes.take().retrying;
    assert!(told.len() == 2 && told.iter().all(|told| told.reason == Reason::Error));
}

#[tokio::test(start_paused = true)]
async fn only_what_may_be_repeated_is() {
    let post = || Request::builder().method(Method::POST);
    for (request, attempts) in [
        (post().body(Full::default()), 1),
        (
            post()
                .header(IDEMPOTENCY_KEY, "\"1\"")
                .body(Full::default()),
            3,
        ),
        (post().extension(Retryable).body(Full::default()), 3),
        (Request::builder().method("PATCH").body(Full::default()), 1),
        (Request::builder().method("DELETE").body(Full::default()), 3),
    ] {
        let notes = Notes::default();
        let layer = layer().with_observer(notes.clone());
        let service = tower::service_fn(async |_: In| Ok::<_, io::Error>(status(503)));
        let response = layer
            .layer(service)
            .oneshot(request.unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), 503);
        let given_up = notes.take().given_up;
        assert_eq!(given_up[0].attempts, attempts);
        let because = match attempts {
            1 => GaveUp::NotReplayable,
            _ => GaveUp::Attempts,
        };
        assert_eq!(given_up[0].because, because);
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_without_a_copy_is_sent_once() {
    let layer = RetryLayer::with_body_clone(Config::default(), |_: &Full<Bytes>| None);
    let notes = Notes::default();
    let layer = layer.with_observer(notes.clone());
    let service = tower::service_fn(async |_: In| Ok::<_, io::Error>(status(503)));
    layer.layer(service).oneshot(get()).await.unwrap();
    assert_eq!(notes.take().given_up[0].because, GaveUp::NotReplayable);
}

#[tokio::test(start_paused = true)]
async fn what_is_worthwhile_can_be_told() {
    // Not after a 503, but after a 500 as well as what else is.
    let layer = || {
        layer().with_classify(|answer| match answer {
            Ok(head) if head.status == 503 => false,
            Ok(head) if head.status == 500 => true,
            answer => is_transient(answer),
        })
    };
    for (answer, attempts) in [(503, 1), (500, 3), (502, 3), (404, 1)] {
        let calls = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&calls);
        let service = tower::service_fn(move |_: In| {
            seen.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok::<_, io::Error>(status(answer)))
        });
        layer().layer(service).oneshot(get()).await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), attempts, "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rejection_is_neither_retried_nor_counted() {
    let breaker = Breaker::new("test", bartizan_protect::breaker::Config::default());
    breaker.command(Command::ForceOpen);
    let open = || Error::CircuitOpen(breaker.try_acquire().unwrap_err());
    let marked = || {
        let mut response = status(503);
        response.extensions_mut().insert(Rejection::default());
        response
    };
    let boxed: BoxError = open().into();
    for answer in [
        Err(boxed),
        Err(io::Error::other(open()).into()),
        Ok(marked()),
    ] {
        let notes = Notes::default();
        // Whatever anybody says of it.
        let layer = layer().with_observer(notes.clone()).with_classify(|_| true);
        let budget = layer.budget().clone();
        let (mut service, mut handle) = around_mock(layer);
        assert_ready_ok!(service.poll_ready());
        let mut call = task::spawn(service.call(get()));
        assert_pending!(call.poll());
        let (_, send) = handle.next_request().await.unwrap();
        let was_response = answer.is_ok();
        match answer {
            Ok(response) => send.send_response(response),
            Err(error) => send.send_error(error),
        }
        assert_eq!(assert_ready!(call.poll()).is_ok(), was_response);
        assert_eq!(counted(&budget), (0, 0));
        let Written { retrying, given_up } = notes.take();
        assert!(retrying.is_empty() && given_up.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_its_own_time_within_that_of_the_call() {
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&attempts);
    let started = Instant::now();
    let service = tower::service_fn(move |request: In| {
        let ms = request.headers()[REQUEST_TIMEOUT_MS].to_str().unwrap();
        let ms = Duration::from_millis(ms.parse().unwrap());
        seen.lock().unwrap().push((started.elapsed(), ms));
        std::future::pending::<Result<Out, io::Error>>()
    });
    let timeout = |ms: u64| TimeoutLayer::new(Duration::from_millis(ms)).unwrap();
    let notes = Notes::default();
    let service = layer()
        .with_observer(notes.clone())
        .layer(timeout(300).layer(service));
    let service = timeout(500).layer(service);
    let error = service.oneshot(get()).await.unwrap_err();

    // The second is cut off by the first of two timers, which are set for the same time.
    assert!(matches!(error, Error::TimedOut(_)));
    assert!(started.elapsed() <= 502 * MS);
    let attempts = attempts.lock().unwrap();
    assert_eq!(attempts.len(), 2);
    assert_eq!(attempts[0], (Duration::ZERO, 300 * MS));
    let (at, ms) = attempts[1];
    assert!(
        ms <= 500 * MS - at && ms + MS > 500 * MS - at,
        "{ms:?} at {at:?}"
    );
    let Written { retrying, given_up } = notes.take();
    assert_eq!(retrying[0].reason, Reason::TimedOut);
    assert!(given_up.iter().all(|told| told.because == GaveUp::Deadline));
}

#[tokio::test(start_paused = true)]
async fn a_panic_goes_through() {
    let layer = layer();
    let budget = layer.budget().clone();
    let mut service = layer.layer(tower::service_fn(async |request: In| {
        assert!(attempt(&request) == 0, "bad attempt");
        Ok::<_, io::Error>(status(503))
    }));
    let call = service.ready().await.unwrap().call(get());
    assert!(tokio::spawn(call).await.unwrap_err().is_panic());
    assert_eq!(counted(&budget), (1, 1));
}
