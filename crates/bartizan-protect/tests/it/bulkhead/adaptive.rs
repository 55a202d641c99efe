//! What an adaptive limit goes by.

use bartizan_protect::Rejection;
use bartizan_protect::bulkhead::Adaptive;
use bartizan_protect::timeout::TimeoutLayer;
use http_body_util::BodyExt;
use tokio::time;
use tower::{Layer, ServiceExt, service_fn};

use super::*;

/// One that goes by each call, and starts with a probe at 8.
fn by_each() -> Adaptive {
    Adaptive::default().with_initial(16).with_window(MS, 1)
}

fn adaptive(settings: Adaptive) -> Bulkhead {
    Bulkhead::new("stock", Config::builder(settings).build().unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_frees_its_place_and_says_nothing() {
    let bulkhead = adaptive(by_each());
    for _ in 0..100 {
        drop(bulkhead.acquire().await.unwrap());
    }
    let snapshot = bulkhead.snapshot();
    assert_eq!((snapshot.in_flight, snapshot.limit), (0, 8));
    bulkhead.acquire().await.unwrap().complete();
    assert_eq!(bulkhead.snapshot().limit, 4);
}

#[tokio::test(start_paused = true)]
async fn the_time_that_a_call_waits_is_none_that_it_takes() {
    let bulkhead = adaptive(by_each().with_bounds(1, 16).with_initial(1));
    let first = bulkhead.acquire().await.unwrap();
    let waiting = bulkhead.acquire();
    time::advance(50 * MS).await;
    first.complete();
    assert_eq!(bulkhead.snapshot().unloaded, Some(50 * MS));
    let second = waiting.await.unwrap();
    assert_eq!(second.waited(), 50 * MS);
    time::advance(50 * MS).await;
    second.complete();
    // Twice as long would not do for another one.
    assert_eq!(bulkhead.snapshot().limit_found, 2);
}

#[tokio::test(start_paused = true)]
async fn only_what_was_served_or_took_too_long_counts() {
    for (path, counts) in [
        ("/200", true),
        ("/404", true),
        ("/503", false),
        ("/503/ours", false),
        ("/200/ours", false),
        ("/error", false),
        ("/timeout", true),
    ] {
        for until_end in [false, true] {
            let layer = BulkheadLayer::of(adaptive(by_each()));
            let layer = if until_end { layer.until_end() } else { layer };
            let timeout = TimeoutLayer::new(10 * MS).unwrap();
            let service = layer.layer(timeout.layer(service_fn(answer)));
            let mut request = In::default();
            *request.uri_mut() = path.parse().unwrap();
            let call = time::timeout(50 * MS, service.oneshot(request));
            if let Ok(Ok(response)) = call.await {
                response.into_body().collect().await.unwrap();
            }
            let snapshot = layer.handle().snapshot();
            assert_eq!(snapshot.in_flight, 0);
            assert_eq!(snapshot.limit, if counts { 4 } else { 8 }, "{path}");
        }
    }
}

async fn answer(request: In) -> Result<Out, BoxError> {
    let mut parts = request.uri().path().split('/').skip(1);
    let status = match parts.next() {
        Some("timeout") => std::future::pending().await,
        Some("error") => return Err("broken".into()),
        status => status.unwrap(),
    };
    let mut response = Response::builder().status(status);
    if parts.next().is_some() {
        response = response.extension(Rejection::default());
    }
    Ok(response.body(Full::from("answer"))?)
}

#[tokio::test(start_paused = true)]
async fn probes_are_told_and_given_up_when_they_are_in_the_way() {
    for waits in [false, true] {
        let notes = Notes::default();
        let config = Config::builder(by_each()).without_queue().build().unwrap();
        let bulkhead = BulkheadBuilder::new("stock", config)
            .with_observer(notes.clone())
            .build();
        // Streams that do not end.
        let mut streams = Vec::new();
        while let Ok(permit) = bulkhead.try_acquire() {
            streams.push(permit);
        }
        assert_eq!(streams.len(), 8);
        notes.take();
        time::advance(5 * MS).await;
        let permit = if waits {
            bulkhead.acquire().await.unwrap()
        } else {
            bulkhead.try_acquire().unwrap()
        };
        assert_eq!(
            notes.take(),
            ["8 to 16: measured", "stock admitted after 0ns"]
        );
        time::advance(5 * MS).await;
        permit.complete();
        assert_eq!(bulkhead.snapshot().limit_found, 20);
    }
}
