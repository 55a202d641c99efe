//! How many retries there are in all.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use bartizan_protect::retry::GaveUp;
use tower::{Layer, Service, ServiceExt};

use super::*;

/// How often a service that fails every time is called for so many requests, through services that
/// `next` gives.
async fn calls<S>(requests: u64, mut next: impl FnMut(Failing) -> S) -> u64
where
    S: Service<In, Response = Out>,
    S::Error: std::fmt::Debug,
{
    let failing = Failing::default();
    for _ in 0..requests {
        let answer = next(failing.clone()).oneshot(get()).await.unwrap();
        assert_eq!(answer.status(), 503);
    }
    failing.0.load(Ordering::Relaxed)
}

/// Counts its calls.
#[derive(Debug, Clone, Default)]
struct Failing(Arc<AtomicU64>);

impl Service<In> for Failing {
    type Response = Out;
    type Error = io::Error;
    type Future = std::future::Ready<io::Result<Out>>;

    fn poll_ready(
        &mut self,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), io::Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: In) -> Self::Future {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::future::ready(Ok(status(503)))
    }
}

/// Without a reserve, and with a window that no test leaves.
fn budget(ratio: f64) -> Budget {
    let hour = Duration::from_secs(60 * 60);
    let budget = Budget::builder()
        .with_ratio(ratio)
        .with_reserve_per_second(0);
    budget.with_window(hour).build().unwrap()
}

/// 16 attempts as soon as possible.
fn eager() -> RetryLayer<Full<Bytes>> {
    let config = Config::builder().with_max_attempts(16).with_backoff(MS, MS);
    RetryLayer::new(config.build().unwrap())
}

/// With tokens of a rounded price, 0.6 of the requests were all of them.
#[tokio::test(start_paused = true)]
async fn tower_857_a_share_of_the_requests_is_that_share() {
    for (ratio, retries) in [(0.1, 2_000), (0.2, 4_000), (0.6, 12_000), (1.0, 20_000)] {
        let budget = budget(ratio);
        let layer = eager().with_budget(budget.clone());
        let calls = calls(20_000, |inner| layer.layer(inner)).await;
        assert_eq!(calls, 20_000 + retries, "{ratio}");
        assert_eq!(counted(&budget), (20_000, retries), "{ratio}");
    }
}

#[tokio::test(start_paused = true)]
async fn clones_and_all_services_of_a_layer_share_it() {
    let layer = eager().with_budget(budget(0.5));
    let clone = layer.clone();
    let mut service = None;
    let mut turn = 0;
    let calls = calls(1_000, |inner| {
        turn += 1;
        match turn % 3 {
            0 => layer.layer(inner),
            1 => clone.layer(inner),
            _ => service.get_or_insert_with(|| layer.layer(inner)).clone(),
        }
    });
    assert_eq!(calls.await, 1_500);
    assert_eq!(counted(layer.budget()), (1_000, 500));
    assert_eq!(counted(clone.budget()), (1_000, 500));
}

#[tokio::test(start_paused = true)]
async fn layers_that_are_given_one_share_it() {
    let budget = budget(0.5);
    let layers = [(); 4].map(|()| eager().with_budget(budget.clone()));
    let mut turn = 0;
    let calls = calls(1_000, |inner| {
        turn += 1;
        layers[turn % 4].layer(inner)
    });
    assert_eq!(calls.await, 1_500);
    assert_eq!(counted(&budget), (1_000, 500));
}

#[tokio::test(start_paused = true)]
async fn layers_have_one_each_otherwise() {
    let layer = eager();
    calls(7, |inner| layer.layer(inner)).await;
    assert_eq!(counted(eager().budget()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn by_default_it_is_a_fifth_and_ten_a_second() {
    let notes = Notes::default();
    let layer = eager().with_observer(notes.clone());
    assert_eq!(snapshot(layer.budget()).available, 100);
    // They take the budget's window by far not.
    let calls = calls(100, |inner| layer.layer(inner)).await;
    assert_eq!(calls, 100 + 100 + 20);
    assert_eq!(snapshot(layer.budget()).available, 0);
    let given_up = notes.take().given_up;
    assert_eq!(given_up.last().unwrap().because, GaveUp::Budget);
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(snapshot(layer.budget()).available, 100);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_retried_is_not_charged() {
    let once = RetryLayer::new(Config::builder().with_max_attempts(1).build().unwrap());
    let fine = eager().with_classify(|_| false);
    for layer in [once, fine] {
        assert_eq!(calls(50, |inner| layer.layer(inner)).await, 50);
        assert_eq!(counted(layer.budget()), (50, 0));
    }
}
