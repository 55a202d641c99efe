//! For how long is waited, and when not at all.

use std::io;

use bartizan_protect::retry::GaveUp;
use bartizan_protect::timeout::{Deadline, DeadlineSource};
use tower::{Layer, ServiceExt};

use super::*;

/// How long it took to pass on the answer to the second attempt, or that of the first.
async fn answered(layer: RetryLayer<Full<Bytes>>, request: In, first: Out) -> (u16, Duration) {
    let started = Instant::now();
    let first = Arc::new(Mutex::new(Some(first)));
    let service = tower::service_fn(move |_: In| {
        let answer = first.lock().unwrap().take().unwrap_or_else(|| status(200));
        std::future::ready(Ok::<_, io::Error>(answer))
    });
    let response = layer.layer(service).oneshot(request).await.unwrap();
    (response.status().as_u16(), started.elapsed())
}

fn busy(status: u16, retry_after: &str) -> Out {
    let response = Response::builder().status(status);
    let date = "Wed, 25 Nov 2026 12:00:00 GMT";
    let headers = response
        .header("retry-after", retry_after)
        .header("date", date);
    headers.body(Empty::new()).unwrap()
}

fn within(left: Duration) -> In {
    let deadline = Deadline(Instant::now().into_std() + left);
    let request = Request::builder().extension(deadline);
    request.body(Full::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_waits_by_chance() {
    let mut pauses = Vec::new();
    for _ in 0..200 {
        let (status, took) = answered(layer(), get(), status(503)).await;
        assert_eq!(status, 200);
        // Timers go by the millisecond.
        assert!(took <= 102 * MS, "{took:?}");
        pauses.push(took);
    }
    // The chance that none of 200 is in a third is less than one in 10^35.
    assert!(pauses.iter().any(|pause| *pause < 34 * MS));
    assert!(
        pauses
            .iter()
            .any(|pause| (34 * MS..67 * MS).contains(pause))
    );
    assert!(pauses.iter().any(|pause| *pause > 67 * MS));
}

#[tokio::test(start_paused = true)]
async fn it_waits_as_long_as_the_service_asks_for() {
    for first in [
        busy(503, "3"),
        busy(429, "3"),
        busy(503, "Wed, 25 Nov 2026 12:00:03 GMT"),
    ] {
        let (status, took) = answered(layer(), get(), first).await;
        assert_eq!(status, 200);
        assert!((3_000 * MS..=3_102 * MS).contains(&took), "{took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn it_does_not_wait_for_longer_than_is_of_use() {
    let source = |left: Duration| {
        let deadline = Instant::now().into_std() + left;
        DeadlineSource::new(move || Some(deadline))
    };
    for (because, layer, request, first) in [
        (GaveUp::RetryAfterTooLong, layer(), get(), busy(503, "6")),
        (
            GaveUp::RetryAfterTooLong,
            layer(),
            get(),
            busy(429, "Wed, 25 Nov 2026 12:00:06 GMT"),
        ),
        (
            GaveUp::Deadline,
            layer(),
            within(3_000 * MS),
            busy(503, "3"),
        ),
        (
            GaveUp::Deadline,
            layer(),
            within(Duration::ZERO),
            status(503),
        ),
        (
            GaveUp::Deadline,
            layer().with_deadline_source(source(3_000 * MS)),
            get(),
            busy(503, "3"),
        ),
    ] {
        let notes = Notes::default();
        let layer = layer.with_observer(notes.clone());
        let budget = layer.budget().clone();
        let expected = first.status().as_u16();
        let answered = answered(layer, request, first).await;
        assert_eq!(answered, (expected, Duration::ZERO));
        assert_eq!(notes.take().given_up[0].because, because);
        assert_eq!(counted(&budget), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn it_waits_where_there_is_time() {
    let (status, took) = answered(layer(), within(3_200 * MS), busy(503, "3")).await;
    assert_eq!(status, 200);
    assert!(took >= 3_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn no_attempt_starts_after_the_deadline() {
    for left in 0..150 {
        let started = Instant::now();
        let service = tower::service_fn(move |_: In| {
            assert!(started.elapsed() <= left * MS, "{left}");
            std::future::ready(Ok::<_, io::Error>(status(503)))
        });
        let answer = layer().layer(service).oneshot(within(left * MS));
        assert_eq!(answer.await.unwrap().status(), 503);
    }
}
