mod acquire;
mod adaptive;
mod cancel;
mod contract;
mod crowd;
mod layer;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bartizan_protect::bulkhead::{
    Bulkhead, BulkheadBuilder, BulkheadLayer, BulkheadService, Config, LimitChange, Observer,
    Rejected, Waited,
};
use bartizan_protect::{BoxError, Error};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::rt::Sleep;
use tower_test::mock::{self, Handle, Mock, Spawn};

const MS: Duration = Duration::from_millis(1);

type In = Request<()>;
type Out = Response<Full<Bytes>>;

/// So many calls, and so many that wait for 100 ms.
fn config(limit: usize, max_queue: usize) -> Config {
    let config = Config::builder(limit).with_max_queue(max_queue);
    config.with_queue_timeout(100 * MS).build().unwrap()
}

fn bulkhead(limit: usize, max_queue: usize) -> Bulkhead {
    Bulkhead::new("stock", config(limit, max_queue))
}

/// How many calls there are, and how many wait.
fn counted<O: Observer>(bulkhead: &Bulkhead<O>) -> (usize, usize) {
    let snapshot = bulkhead.snapshot();
    (snapshot.in_flight, snapshot.queued)
}

type Mocked = Spawn<BulkheadService<Mock<In, Out>>>;

/// A mocked service behind the bulkhead.
fn around_mock(layer: BulkheadLayer) -> (Mocked, Handle<In, Out>) {
    mock::spawn_layer(layer)
}

/// A timer that tells tokio's time, and goes off when it wants to.
#[derive(Debug, Clone, Copy)]
enum Odd {
    Never,
    AtOnce,
}

impl hyper::rt::Timer for Odd {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, _: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(*self)
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

impl Sleep for Odd {}

impl Future for Odd {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match *self {
            Self::Never => Poll::Pending,
            Self::AtOnce => Poll::Ready(()),
        }
    }
}

/// Writes down what it is told.
#[derive(Debug, Clone, Default)]
struct Notes(Arc<Mutex<Vec<String>>>);

impl Notes {
    fn write(&self, note: String) {
        self.0.lock().unwrap().push(note);
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl Observer for Notes {
    fn admitted(&self, call: &Waited<'_>) {
        self.write(format!(
            "{} admitted after {:?}",
            call.bulkhead, call.waited
        ));
    }

    fn rejected(&self, rejected: &Rejected) {
        self.write(rejected.to_string());
    }

    fn abandoned(&self, call: &Waited<'_>) {
        self.write(format!(
            "{} abandoned after {:?}",
            call.bulkhead, call.waited
        ));
    }

    fn limit_changed(&self, change: &LimitChange<'_>) {
        let LimitChange {
            from, to, cause, ..
        } = change;
        self.write(format!("{from} to {to}: {}", cause.name()));
    }
}
