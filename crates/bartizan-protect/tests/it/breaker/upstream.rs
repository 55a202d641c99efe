//! A service that does with a request what the request says, and a client of it behind a breaker.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_protect::breaker::{
    CircuitBreakerLayer, Classify, Config, ConfigBuilder, HttpClassifier, Observer, ResponseBody,
    Snapshot, State,
};
use bartizan_protect::{BoxError, Error, Rejection};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use tokio::sync::oneshot;
use tokio::time;
use tower::{Layer, Service, ServiceExt};

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// What becomes of a request.
#[derive(Debug)]
pub(crate) enum Plan {
    Status(u16),
    /// So many seconds in `retry-after`.
    Busy(u64),
    Fail,
    /// As a layer of our own would refuse it, by an error and by a response.
    Refused(Error),
    Rejection,
    Panic,
    Hang,
    Late(Duration, u16),
    When(oneshot::Receiver<u16>),
}

/// Does what the [`Plan`] of a request says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upstream;

type Answer = Response<Full<Bytes>>;
type Answered = Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>>;

/// A response of [`Upstream`] as it comes out of the breaker.
pub(crate) type Guarded<C = HttpClassifier, O = ()> = Response<ResponseBody<Full<Bytes>, C, O>>;

// === impl Upstream ===

impl Service<Request<Plan>> for Upstream {
    type Response = Answer;
    type Error = BoxError;
    type Future = Answered;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Plan>) -> Answered {
        Box::pin(request.into_body().run())
    }
}

// === impl Plan ===

impl Plan {
    async fn run(self) -> Result<Answer, BoxError> {
        match self {
            Self::Status(status) => Ok(answer(status)),
            Self::Busy(seconds) => {
                let mut answer = answer(503);
                answer.headers_mut().insert("retry-after", seconds.into());
                Ok(answer)
            }
            Self::Fail => Err(io::Error::other("down").into()),
            Self::Refused(error) => Err(error.into()),
            Self::Rejection => {
                let mut answer = answer(503);
                answer.extensions_mut().insert(Rejection::default());
                Ok(answer)
            }
            Self::Panic => panic!("as planned"),
            Self::Hang => std::future::pending().await,
            Self::Late(wait, status) => {
                let hang = std::future::pending::<()>();
                let _elapsed = time::timeout(wait, hang).await;
                Ok(answer(status))
            }
            Self::When(told) => Ok(answer(told.await?)),
        }
    }
}

fn answer(status: u16) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    answer
}

/// One call through a new service of `layer`.
pub(crate) async fn call<C, O>(
    layer: &CircuitBreakerLayer<C, O>,
    plan: Plan,
) -> Result<Guarded<C, O>, Error>
where
    C: Classify + Clone,
    O: Observer,
{
    layer.layer(Upstream).oneshot(Request::new(plan)).await
}

/// Calls that are all answered so.
pub(crate) async fn calls<O: Observer>(
    layer: &CircuitBreakerLayer<HttpClassifier, O>,
    calls: usize,
    status: u16,
) {
    for _ in 0..calls {
        let answer = call(layer, Plan::Status(status)).await;
        assert_eq!(
            answer.expect("the circuit lets it through").status(),
            status
        );
    }
}

/// A call that is under way, on a task of its own; it has been polled.
pub(crate) async fn spawn(
    layer: &CircuitBreakerLayer,
    plan: Plan,
) -> tokio::task::JoinHandle<Result<Guarded, Error>> {
    let layer = layer.clone();
    let task = tokio::spawn(async move { call(&layer, plan).await });
    tokio::task::yield_now().await;
    task
}

/// Opens by so many failures in a row, for a second each time.
pub(crate) fn in_a_row(failures: u32) -> ConfigBuilder {
    Config::builder()
        .without_failure_rate()
        .with_consecutive_failures(failures)
        .with_open_time(SECOND, SECOND)
        .with_jitter(0.0)
}

pub(crate) fn layer(config: ConfigBuilder) -> CircuitBreakerLayer {
    CircuitBreakerLayer::new("upstream", config.build().expect("a valid configuration"))
}

/// One that has opened, and whose open time is over.
pub(crate) async fn ripe(config: ConfigBuilder) -> CircuitBreakerLayer {
    let layer = layer(config);
    while state(&layer) == State::Closed {
        calls(&layer, 1, 500).await;
    }
    time::advance(SECOND).await;
    layer
}

pub(crate) fn snapshot<C, O: Observer>(layer: &CircuitBreakerLayer<C, O>) -> Snapshot {
    layer.handle().snapshot()
}

pub(crate) fn state<C, O: Observer>(layer: &CircuitBreakerLayer<C, O>) -> State {
    snapshot(layer).state
}

#[track_caller]
pub(crate) fn assert_rejected<T>(result: Result<T, Error>) {
    match result {
        Err(Error::CircuitOpen(_)) => {}
        Err(error) => panic!("{error} is no rejection"),
        Ok(_) => panic!("the call was let through"),
    }
}
