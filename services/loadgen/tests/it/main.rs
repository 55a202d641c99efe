//! Load against targets played by the tests, on a clock that stands still unless all wait.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use loadgen::options::Options;
use loadgen::{
    Answer, Counts, FaultPorts, Http, Limits, Load, MAX_IN_FLIGHT, Remote, Scenario, Target,
};
use tokio::time::{Instant, sleep_until};

const RATE: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// A shop that answers at once, except between two moments, when it answers at the second.
#[derive(Clone)]
struct Shop {
    start: Instant,
    stall: (Duration, Duration),
    calls: Arc<AtomicU64>,
}

impl Shop {
    fn stalling(from: u64, to: u64) -> Self {
        Self {
            start: Instant::now(),
            stall: (Duration::from_millis(from), Duration::from_millis(to)),
            calls: Arc::default(),
        }
    }
}

impl Target for Shop {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Answer, String>> + Send + 'static {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let Self { start, stall, .. } = *self;
        async move {
            let now = Instant::now().duration_since(start);
            if stall.0 <= now && now < stall.1 {
                sleep_until(start + stall.1).await;
            }
            Ok(good(&request))
        }
    }
}

/// What the shop should answer.
fn good(request: &Request<Bytes>) -> Answer {
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let status = match (request.method(), request.uri().path()) {
        (&Method::POST, _) if body.contains(r#""quantity":0"#) => 422,
        (&Method::POST, _) if body.contains(r#""quantity":100"#) => 402,
        (&Method::POST, _) => 201,
        (_, path) if path.ends_with(&i64::MAX.to_string()) => 404,
        _ => 200,
    };
    answer(status)
}

fn answer(status: u16) -> Answer {
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        retry_after: None,
        body: Bytes::from_static(br#"{"id":1}"#),
    }
}

const fn no_ports<T>() -> FaultPorts<T> {
    FaultPorts {
        payments: None,
        inventory: None,
    }
}

async fn load<T: Target>(target: T, limits: Limits) -> Counts {
    let plan = Scenario::Steady.plan(RATE, limits.length);
    let mut load = Load::start(target, plan, no_ports(), limits);
    load.over().await;
    load.finish().await
}

const fn seconds(number: u64) -> Limits {
    Limits {
        length: Some(Duration::from_secs(number)),
        requests: None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_seen_by_all_who_came_meanwhile() {
    // One second of ten. A client that waits for its answer before it asks again would have one slow
    // request among a thousand, and a 99th percentile of nothing.
    let shop = Shop::stalling(4_000, 5_000);
    let counts = load(shop, seconds(10)).await;
    assert_eq!(
        (counts.requests, counts.errors, counts.skipped),
        (1_000, 0, 0)
    );
    assert!(counts.millis(0.89) <= 2.0, "{}", counts.millis(0.89));
    assert!(
        (480.0..520.0).contains(&counts.millis(0.95)),
        "{}",
        counts.millis(0.95)
    );
    assert!(
        (890.0..1_010.0).contains(&counts.millis(0.99)),
        "{}",
        counts.millis(0.99)
    );
    assert!(counts.millis(1.0) >= 999.0, "{}", counts.millis(1.0));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_cannot_keep_up_counts_from_when_each_was_due() {
    let shop = Shop::stalling(0, 0);
    let plan = Scenario::Steady.plan(RATE, None);
    let limits = Limits {
        requests: Some(100),
        length: None,
    };
    let mut load = Load::start(shop, plan, no_ports(), limits);
    // As if the machine had been busy with something else for half a second.
    tokio::task::yield_now().await;
    tokio::time::advance(Duration::from_millis(500)).await;
    load.over().await;
    let counts = load.finish().await;
    assert_eq!(counts.requests, 100);
    // Half of them were late, evenly up to half a second.
    assert!(
        (230.0..270.0).contains(&counts.millis(0.75)),
        "{}",
        counts.millis(0.75)
    );
}

#[tokio::test(start_paused = true)]
async fn it_ends_by_time_by_number_and_by_being_told() {
    let started = Instant::now();
    assert_eq!(load(Shop::stalling(0, 0), seconds(2)).await.requests, 200);
    assert_eq!(started.elapsed().as_secs(), 2);

    let seven = Limits {
        requests: Some(7),
        length: Some(Duration::from_secs(60)),
    };
    assert_eq!(load(Shop::stalling(0, 0), seven).await.requests, 7);

    let plan = Scenario::Steady.plan(RATE, None);
    let endless = Load::start(Shop::stalling(0, 0), plan, no_ports(), Limits::default());
    tokio::time::advance(Duration::from_millis(95)).await;
    tokio::task::yield_now().await;
    let counts = endless.finish().await;
    assert!((1..=10).contains(&counts.requests), "{}", counts.requests);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_while_too_many_are_under_way_is_skipped_and_counted() {
    let shop = Shop::stalling(0, 9_999_000);
    let limits = Limits {
        requests: Some(2_000),
        length: None,
    };
    let plan = Scenario::Steady.plan(NonZeroU32::new(1_000).unwrap(), None);
    let mut load = Load::start(shop.clone(), plan, no_ports(), limits);
    load.over().await;
    let counts = load.finish().await;
    assert_eq!(shop.calls.load(Ordering::Relaxed), MAX_IN_FLIGHT as u64);
    assert_eq!((counts.requests, counts.errors), (1_024, 1_024));
    assert_eq!(counts.skipped, 976);
    let error = counts.last_error.unwrap();
    assert!(error.ends_with("no answer within 10s"), "{error}");
}

/// Fails the first two times that it sees a key, or a path without one.
#[derive(Clone, Default)]
struct Flaky(Arc<Mutex<Vec<String>>>);

impl Target for Flaky {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Answer, String>> + Send + 'static {
        let key = request.headers().get("idempotency-key");
        let name = key.map_or_else(
            || request.uri().to_string(),
            |key| key.to_str().unwrap().to_owned(),
        );
        let mut seen = self.0.lock().unwrap();
        seen.push(name.clone());
        let before = seen.iter().filter(|other| **other == name).count();
        let result = match before {
            1 => Err("connection reset".to_owned()),
            2 => Ok(Answer {
                retry_after: Some(Duration::from_secs(1)),
                ..answer(503)
            }),
            _ => Ok(good(&request)),
        };
        async { result }
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_order_is_sent_again_with_its_key_and_counts_from_the_first_time() {
    let flaky = Flaky::default();
    let once = Limits {
        requests: Some(1),
        length: None,
    };
    let counts = load(flaky.clone(), once).await;
    assert_eq!((counts.requests, counts.errors, counts.retries), (1, 0, 2));
    // A tenth of a second of our own, then the second that the answer asked for.
    assert!(
        (1_099.0..1_110.0).contains(&counts.millis(0.5)),
        "{}",
        counts.millis(0.5)
    );
    let seen = flaky.0.lock().unwrap().clone();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|key| *key == seen[0]), "{seen:?}");
}

/// Answers at once.
#[derive(Clone)]
struct Always<F>(F);

impl<F: Fn(&Request<Bytes>) -> Answer + Clone + Send + Sync + 'static> Target for Always<F> {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Answer, String>> + Send + 'static {
        let answer = (self.0)(&request);
        async { Ok(answer) }
    }
}

#[tokio::test(start_paused = true)]
async fn a_spike_is_a_client_of_its_own_and_does_not_insist_when_it_is_limited() {
    let limiting = |request: &Request<Bytes>| match request.headers().get("x-api-key") {
        Some(_) => answer(429),
        None => good(request),
    };
    let plan = Scenario::Spike.plan(RATE, Some(Duration::from_secs(9)));
    let mut load = Load::start(Always(limiting), plan, no_ports(), seconds(9));
    load.over().await;
    assert!(load.look().to_string().contains("2700 limited"));
    let counts = load.finish().await;
    // Nine times the rate for three seconds, on top of it.
    assert_eq!((counts.requests, counts.limited), (3_600, 2_700));
    assert_eq!(
        (counts.limited_steady, counts.errors, counts.retries),
        (0, 0, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_steady_client_that_is_limited_is_told_apart() {
    let limited = |_: &Request<Bytes>| answer(429);
    let counts = load(Always(limited), seconds(1)).await;
    assert_eq!((counts.limited, counts.limited_steady), (100, 100));
    assert_eq!((counts.errors, counts.retries), (0, 0));
}

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Port(Arc<Mutex<Vec<(u64, String)>>>, Option<Instant>);

impl Target for Port {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> impl Future<Output = Result<Answer, String>> + Send + 'static {
        let answer = if request.uri().path() == "/faults" {
            let body = String::from_utf8(request.body().to_vec()).unwrap();
            let at = Instant::now().duration_since(self.1.unwrap()).as_secs();
            self.0.lock().unwrap().push((at, body));
            answer(200)
        } else {
            good(&request)
        };
        async { Ok(answer) }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_begins_and_ends_and_nothing_is_left_broken() {
    for (length, expected) in [
        (9, vec![(3, r#"{"outage": true}"#), (6, "{}"), (9, "{}")]),
        // Cut short while it is broken.
        (5, vec![(3, r#"{"outage": true}"#), (5, "{}")]),
    ] {
        let port = Port(Arc::default(), Some(Instant::now()));
        let ports = FaultPorts {
            payments: Some(port.clone()),
            inventory: None,
        };
        let plan = Scenario::PaymentsOutage.plan(RATE, Some(Duration::from_secs(9)));
        let mut load = Load::start(port.clone(), plan, ports, seconds(length));
        load.over().await;
        assert_eq!(load.finish().await.faults_not_set, None);
        let told = port.0.lock().unwrap().clone();
        let told: Vec<_> = told.iter().map(|(at, body)| (*at, body.as_str())).collect();
        assert_eq!(told, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn faults_that_cannot_be_set_are_told() {
    let plan = Scenario::SlowInventory.plan(RATE, Some(Duration::from_secs(3)));
    let mut load = Load::start(Shop::stalling(0, 0), plan, no_ports(), seconds(3));
    load.over().await;
    assert_eq!(
        load.finish().await.faults_not_set.as_deref(),
        Some("nobody said where the admin port of inventory is")
    );
}

#[tokio::test]
async fn it_loads_a_server_over_sockets_and_sums_up() {
    let app = axum::Router::new().fallback(async || "{}");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut options = Options::default();
    options.target = target;
    options.requests = Some(20);
    options.rate = NonZeroU32::new(1_000).unwrap();
    let http = Http::new(&options.target, Remote::Refused).unwrap();
    let summary = loadgen::run(&options, http, no_ports(), std::future::pending()).await;
    assert_eq!((summary.requests, summary.retries), (20, 0));
    // Mistakes should have been refused.
    assert_eq!(summary.errors, 3);
    assert!(0.0 < summary.p50_ms && summary.p50_ms <= summary.max_ms);
    let said = summary.to_string();
    assert!(said.contains("20 ended, 3 errors"), "{said}");
    assert!(said.contains("0 limited"), "{said}");
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["scenario"], "steady");
    assert_eq!(
        (&json["limited"], &json["limited_steady"]),
        (&0.into(), &0.into())
    );
}
