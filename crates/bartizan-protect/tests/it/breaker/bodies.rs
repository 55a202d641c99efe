//! Results that are known at the end of a body.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_protect::breaker::{
    CircuitBreakerLayer, Classify, GrpcClassifier, HttpClassifier, Outcome,
};
use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame};
use tokio::time;
use tokio_test::task::{self, Spawn};
use tower::{Layer, ServiceExt};

use super::told::Told;
use super::upstream::{SECOND, in_a_row};

/// One step of a body.
#[derive(Debug)]
enum Step {
    Data,
    Trailers(&'static str, &'static str),
    Error,
    Pending,
    Panic,
}

/// Takes its steps and ends. Says before the end that it will, where it knows its length.
#[derive(Debug)]
struct Script {
    steps: VecDeque<Step>,
    knows_its_length: bool,
}

// === impl Script ===

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(match self.steps.pop_front() {
            None => return Poll::Ready(None),
            Some(Step::Pending) => return Poll::Pending,
            Some(Step::Data) => Ok(Frame::data(Bytes::from_static(b"part"))),
            Some(Step::Trailers(name, value)) => {
                let mut trailers = HeaderMap::new();
                trailers.insert(name, value.parse().expect("a value"));
                Ok(Frame::trailers(trailers))
            }
            Some(Step::Error) => Err(io::Error::other("broken off")),
            Some(Step::Panic) => panic!("as planned"),
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.knows_its_length && self.steps.is_empty()
    }
}

type Watched<C> = Spawn<bartizan_protect::breaker::ResponseBody<Script, C, Told>>;

async fn start<C: Classify + Clone>(
    told: &Told,
    classifier: C,
    knows_its_length: bool,
    steps: impl IntoIterator<Item = Step>,
) -> (CircuitBreakerLayer<C, Told>, Watched<C>) {
    let config = in_a_row(2)
        .with_slow_rate(1.0, 100)
        .with_slow_threshold(SECOND);
    let layer = told.layer(config).with_classifier(classifier);
    let script = Script {
        steps: steps.into_iter().collect(),
        knows_its_length,
    };
    let mut answer = Some(Response::new(script));
    let service = layer.layer(tower::service_fn(move |_: Request<()>| {
        let answer = answer.take().expect("one call");
        async { Ok::<_, Infallible>(answer) }
    }));
    let answer = service.oneshot(Request::new(())).await;
    let body = answer.expect("the circuit lets it through").into_body();
    (layer, task::spawn(body))
}

fn poll<C: Classify>(body: &mut Watched<C>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
    body.enter(|cx, body| body.poll_frame(cx))
}

/// What a body that is read so many times counts as, each time as soon as it is known.
async fn outcome<C: Classify + Clone>(
    classifier: C,
    knows_its_length: bool,
    steps: impl IntoIterator<Item = Step>,
    polls: usize,
) -> Vec<Outcome> {
    let told = Told::default();
    let (_layer, mut body) = start(&told, classifier, knows_its_length, steps).await;
    for _ in 0..polls {
        let _frame = poll(&mut body);
    }
    told.ended()
        .into_iter()
        .map(|(outcome, _)| outcome)
        .collect()
}

#[tokio::test(start_paused = true)]
async fn the_trailers_of_a_grpc_call_are_its_result() {
    let status = |code| Step::Trailers("grpc-status", code);
    for (code, counts_as) in [
        ("0", Outcome::Success),
        ("1", Outcome::Ignored),
        ("8", Outcome::Backpressure(None)),
        ("14", Outcome::Failure),
    ] {
        let before = outcome(GrpcClassifier::new(), false, [Step::Data, status(code)], 1).await;
        assert_eq!(before, []);
        let after = outcome(GrpcClassifier::new(), false, [Step::Data, status(code)], 2).await;
        assert_eq!(after, [counts_as], "{code}");
    }
    // An end without them is none.
    let cut = outcome(GrpcClassifier::new(), false, [Step::Data], 2).await;
    assert_eq!(cut, [Outcome::Failure]);
    let nothing = outcome(GrpcClassifier::new(), true, [], 0).await;
    assert_eq!(nothing, [Outcome::Failure]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_off_is_a_failure_where_the_end_counts() {
    let steps = || [Step::Data, Step::Error];
    let until_end = HttpClassifier::new().until_end();
    assert_eq!(
        outcome(until_end, false, steps(), 2).await,
        [Outcome::Failure]
    );
    let head = HttpClassifier::new();
    assert_eq!(outcome(head, false, steps(), 2).await, [Outcome::Success]);
}

#[tokio::test(start_paused = true)]
async fn a_body_of_known_length_has_ended_with_its_last_frame() {
    let until_end = HttpClassifier::new().until_end();
    let steps = || [Step::Data, Step::Data];
    assert_eq!(outcome(until_end, true, steps(), 1).await, []);
    assert_eq!(
        outcome(until_end, true, steps(), 2).await,
        [Outcome::Success]
    );
    assert_eq!(outcome(until_end, false, steps(), 2).await, []);
    assert_eq!(
        outcome(until_end, false, steps(), 3).await,
        [Outcome::Success]
    );
    // And one without any before anybody has asked.
    assert_eq!(outcome(until_end, true, [], 0).await, [Outcome::Success]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_panics_is_a_failure() {
    let told = Told::default();
    let until_end = HttpClassifier::new().until_end();
    let (layer, mut body) = start(&told, until_end, false, [Step::Panic]).await;
    let task = tokio::spawn(async move { poll(&mut body).is_ready() });
    assert!(task.await.unwrap_err().is_panic());
    assert_eq!(told.ended(), [(Outcome::Failure, false)]);
    assert_eq!(layer.handle().snapshot().consecutive_failures, 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_hangs_counts_as_slow_while_it_does_though_its_head_came_at_once() {
    let told = Told::default();
    let until_end = HttpClassifier::new().until_end();
    let (layer, mut body) = start(&told, until_end, false, [Step::Pending, Step::Pending]).await;
    assert!(poll(&mut body).is_pending());
    time::advance(SECOND + SECOND / 8).await;
    layer
        .handle()
        .try_acquire()
        .unwrap()
        .record(Outcome::Ignored);
    assert_eq!(layer.handle().snapshot().slow, 1);
    // Once, whatever becomes of it.
    assert!(poll(&mut body).is_pending());
    drop(body);
    let snapshot = layer.handle().snapshot();
    assert_eq!((snapshot.slow, snapshot.failures), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_passed_on_is_what_came() {
    let told = Told::default();
    let steps = [
        Step::Data,
        Step::Pending,
        Step::Trailers("grpc-status", "0"),
    ];
    let (layer, mut body) = start(&told, GrpcClassifier::new(), false, steps).await;
    let Poll::Ready(Some(Ok(data))) = poll(&mut body) else {
        panic!("the body begins with data");
    };
    assert_eq!(data.into_data().unwrap(), "part");
    assert!(poll(&mut body).is_pending());
    let Poll::Ready(Some(Ok(trailers))) = poll(&mut body) else {
        panic!("trailers follow");
    };
    assert_eq!(trailers.into_trailers().unwrap()["grpc-status"], "0");
    assert!(matches!(poll(&mut body), Poll::Ready(None)));
    assert_eq!(told.ended(), [(Outcome::Success, false)]);
    assert_eq!(told.elapsed(), [Duration::ZERO]);
    assert_eq!(layer.handle().snapshot().calls, 1);
}
