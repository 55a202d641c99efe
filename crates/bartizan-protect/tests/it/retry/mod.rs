mod attempts;
mod bounds;
mod budget;
mod cancel;
mod contract;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_protect::retry::{
    Attempt, Budget, BudgetSnapshot, Config, GivenUp, Observer, Retry, RetryLayer, Retrying,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{Empty, Full};
use tokio::time::Instant;
use tower_test::mock::{self, Handle, Mock, Spawn};

const MS: Duration = Duration::from_millis(1);

/// Longer than the longest pause of [`layer`].
const PAUSE: Duration = Duration::from_millis(201);

type In = Request<Full<Bytes>>;
type Out = Response<Empty<Bytes>>;

/// 3 attempts, with pauses of up to 100 ms and then 200 ms, within a budget that is not in the way.
fn layer() -> RetryLayer<Full<Bytes>> {
    let config = Config::builder().with_backoff(100 * MS, 1_000 * MS);
    RetryLayer::new(config.build().unwrap())
}

type Mocked = Spawn<Retry<Mock<In, Out>, Full<Bytes>>>;

/// A mocked service with the retries.
fn around_mock(layer: RetryLayer<Full<Bytes>>) -> (Mocked, Handle<In, Out>) {
    mock::spawn_layer(layer)
}

fn get() -> In {
    Request::default()
}

fn status(status: u16) -> Out {
    let response = Response::builder().status(status);
    response.body(Empty::new()).unwrap()
}

fn attempt(request: &In) -> u32 {
    request.extensions().get::<Attempt>().unwrap().0
}

fn snapshot(budget: &Budget) -> BudgetSnapshot {
    budget.snapshot(Instant::now().into_std())
}

/// Requests and retries.
fn counted(budget: &Budget) -> (u64, u64) {
    let snapshot = snapshot(budget);
    (snapshot.requests, snapshot.retries)
}

/// Writes down what it is told.
#[derive(Debug, Clone, Default)]
struct Notes(Arc<Mutex<Written>>);

#[derive(Debug, Default)]
struct Written {
    retrying: Vec<Retrying>,
    given_up: Vec<GivenUp>,
}

impl Observer for Notes {
    fn retrying(&self, retrying: &Retrying) {
        self.0.lock().unwrap().retrying.push(*retrying);
    }

    fn gave_up(&self, given_up: &GivenUp) {
        self.0.lock().unwrap().given_up.push(*given_up);
    }
}

impl Notes {
    fn take(&self) -> Written {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}
