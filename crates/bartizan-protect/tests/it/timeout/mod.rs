mod body;
mod deadline;
mod layer;

use std::time::Duration;

use bartizan_protect::timeout::{ResponseBody, Timeout, TimeoutLayer};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Empty;
use tower_test::mock::{self, Handle, Mock, Spawn};

const MS: Duration = Duration::from_millis(1);

type In = Request<()>;
type Out = Response<Empty<Bytes>>;

type Mocked = Spawn<Timeout<Mock<In, Out>>>;

/// A mocked service with the timeout.
fn around_mock(layer: TimeoutLayer) -> (Mocked, Handle<In, Out>) {
    mock::spawn_layer(layer)
}

fn timeout(ms: u64) -> TimeoutLayer {
    TimeoutLayer::new(Duration::from_millis(ms)).unwrap()
}

fn answer() -> Out {
    Response::default()
}

#[test]
fn what_it_is_made_of_goes_anywhere() {
    fn anywhere<T: Send + Sync + std::fmt::Debug>() {}
    anywhere::<TimeoutLayer>();
    anywhere::<Timeout<()>>();
    anywhere::<ResponseBody<()>>();
    anywhere::<bartizan_protect::timeout::ResponseFuture<std::future::Ready<()>>>();
    anywhere::<bartizan_protect::timeout::DeadlineSource>();
}
