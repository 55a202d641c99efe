//! A call that is dropped after any number of polls, of the future and of the body.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bartizan_protect::breaker::{
    BreakerBuilder, CircuitBreakerLayer, HttpClassifier, Outcome, State,
};
use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use tokio::time;
use tokio_test::task;
use tower::{Layer, Service};

use super::told::Told;
use super::upstream::{SECOND, in_a_row};

/// How many polls each part takes: the head, each of two frames, the end.
const POLLS: usize = 3;

/// How many it takes from the beginning to the end.
const ALL: usize = 4 * POLLS;

/// Is pending before it has the next part.
#[derive(Debug)]
struct Slowly {
    polls: usize,
}

// === impl Slowly ===

impl Slowly {
    fn poll(&mut self) -> Poll<()> {
        self.polls += 1;
        if self.polls.is_multiple_of(POLLS) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Future for Slowly {
    type Output = io::Result<Response<Self>>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let polls = self.polls;
        Self::poll(&mut self).map(|()| Ok(Response::new(Self { polls: polls + 1 })))
    }
}

impl Body for Slowly {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Self::poll(&mut self).map(|()| {
            let frame = Frame::data(Bytes::from_static(b"part"));
            (self.polls < ALL).then_some(Ok(frame))
        })
    }
}

/// Polls a call up to `polls` times and drops it, `elapsed` after its start. Says how many of the
/// polls there were, and how many probes were out before it was dropped.
async fn run(
    layer: &CircuitBreakerLayer<HttpClassifier, Told>,
    polls: usize,
    elapsed: Duration,
) -> usize {
    let mut service = layer.layer(tower::service_fn(|_: Request<()>| Slowly { polls: 0 }));
    let mut call = task::spawn(service.call(Request::new(())));
    let mut body = None;
    let probes = || layer.handle().snapshot().probes;
    assert_eq!(probes(), 1);
    for _ in 0..polls {
        match &mut body {
            None => {
                if let Poll::Ready(answer) = call.poll() {
                    body = Some(task::spawn(answer.unwrap().into_body()));
                }
            }
            Some(body) => {
                let frame = body.enter(|cx, body| body.poll_frame(cx));
                assert!(!matches!(frame, Poll::Ready(Some(Err(_)))));
            }
        }
    }
    time::advance(elapsed).await;
    probes()
}

async fn ripe(
    told: &Told,
    classifier: HttpClassifier,
) -> CircuitBreakerLayer<HttpClassifier, Told> {
    let config = in_a_row(1).with_probes(2).with_slow_threshold(SECOND);
    let breaker = BreakerBuilder::new("upstream", config.build().unwrap())
        .with_observer(told.clone())
        .build();
    breaker.try_acquire().unwrap().record(Outcome::Failure);
    time::advance(SECOND).await;
    CircuitBreakerLayer::of(breaker).with_classifier(classifier)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_after_any_number_of_polls_is_over_and_has_one_outcome() {
    for (classifier, decisive) in [
        (HttpClassifier::new(), POLLS),
        (HttpClassifier::new().until_end(), ALL),
    ] {
        for polls in 0..=ALL {
            let told = Told::default();
            let layer = ripe(&told, classifier).await;
            let out = run(&layer, polls, Duration::ZERO).await;
            let is_decided = polls >= decisive;
            assert_eq!(out, usize::from(!is_decided), "{polls} polls");
            let snapshot = layer.handle().snapshot();
            assert_eq!((snapshot.state, snapshot.probes), (State::HalfOpen, 0));
            let outcome = if is_decided {
                Outcome::Success
            } else {
                Outcome::Ignored
            };
            let ended = [(Outcome::Failure, false), (outcome, false)];
            assert_eq!(told.ended(), ended, "{polls} polls");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_is_dropped_when_it_is_slow_has_failed_wherever_it_was() {
    for polls in 0..ALL {
        let told = Told::default();
        let layer = ripe(&told, HttpClassifier::new().until_end()).await;
        assert_eq!(run(&layer, polls, SECOND).await, 1);
        assert_eq!(
            layer.handle().snapshot().state,
            State::Open,
            "{polls} polls"
        );
        assert_eq!(told.ended()[1..], [(Outcome::Failure, false)]);
        assert_eq!(told.elapsed()[1], SECOND);
    }
}
