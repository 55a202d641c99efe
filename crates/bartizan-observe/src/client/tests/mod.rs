//! What is recorded of an attempt, by how it goes.

mod ends;
mod metrics;
mod network;
mod request;
pub(super) mod server;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Empty};
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_sdk::trace::SpanData;
use tokio_test::assert_ready_ok;
use tower_test::mock::{self, Mock, SendResponse};

use super::{Client, ClientLayer, ResponseBody, ResponseFuture};
use crate::names::attr;
use crate::test_support::{Recorded, text, tokio_clock};

type Sent = Request<Empty<Bytes>>;
type Answer = Response<Script>;
type Answered = Response<ResponseBody<Script>>;
type Pending = ResponseFuture<mock::future::ResponseFuture<Answer>>;

/// A client over a mock that answers as a test says.
struct Rig {
    recorded: Recorded,
    client: mock::Spawn<Client<Mock<Sent, Answer>>>,
    server: mock::Handle<Sent, Answer>,
}

/// A body that does these things in turn, then ends.
#[derive(Debug, Default)]
struct Script(VecDeque<Step>);

#[derive(Debug)]
enum Step {
    Data(&'static str),
    /// Asserts that the attempt's context is current.
    InContext,
    Fail,
    Hang,
    Panic,
}

// === impl Rig ===

impl Rig {
    fn new() -> Self {
        Self::with(|layer| layer)
    }

    fn with(options: impl FnOnce(ClientLayer) -> ClientLayer) -> Self {
        Self::over(Recorded::new(), options)
    }

    fn over(recorded: Recorded, options: impl FnOnce(ClientLayer) -> ClientLayer) -> Self {
        let layer = options(ClientLayer::new(&recorded.telemetry).with_clock(tokio_clock()));
        let (client, server) = mock::spawn_layer(layer);
        Self {
            recorded,
            client,
            server,
        }
    }

    /// Sends a request up to the mock.
    async fn send(&mut self, request: Sent) -> (Pending, Sent, SendResponse<Answer>) {
        assert_ready_ok!(self.client.poll_ready());
        let pending = self.client.call(request);
        let (request, respond) = self.server.next_request().await.expect("it has been sent");
        (pending, request, respond)
    }

    /// Sends a request and answers it.
    async fn exchange(&mut self, answer: Answer) -> Answered {
        let (pending, _, respond) = self.send(get("http://shop/items")).await;
        respond.send_response(answer);
        pending.await.expect("it was answered")
    }

    /// Sends a request, answers it and reads the body.
    async fn complete(&mut self, request: Sent, answer: Answer) -> SpanData {
        let (pending, _, respond) = self.send(request).await;
        respond.send_response(answer);
        read(pending.await.expect("it was answered"))
            .await
            .expect("the body is whole");
        self.recorded
            .spans
            .ended()
            .pop()
            .expect("the attempt has ended")
    }
}

// === impl Script ===

impl Script {
    fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self(steps.into_iter().collect())
    }
}

impl Body for Script {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(match self.0.pop_front() {
            None => None,
            Some(Step::Data(text)) => Some(Ok(Frame::data(Bytes::from_static(text.as_bytes())))),
            Some(Step::InContext) => {
                assert!(
                    has_context(),
                    "the body is polled inside its attempt's context"
                );
                Some(Ok(Frame::data(Bytes::new())))
            }
            Some(Step::Fail) => Some(Err(io::ErrorKind::ConnectionReset.into())),
            Some(Step::Hang) => return Poll::Pending,
            Some(Step::Panic) => panic!("as the script says"),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty()
    }
}

fn has_context() -> bool {
    opentelemetry::Context::map_current(|context| context.span().span_context().is_valid())
}

fn get(uri: &str) -> Sent {
    Request::get(uri).body(Empty::new()).unwrap()
}

fn answer(status: u16, steps: impl IntoIterator<Item = Step>) -> Answer {
    Response::builder()
        .status(status)
        .body(Script::of(steps))
        .unwrap()
}

async fn read(response: Answered) -> io::Result<Bytes> {
    Ok(response.into_body().collect().await?.to_bytes())
}

/// Status, `error.type` and outcome of a span.
fn verdict(span: &SpanData) -> (Status, Option<String>, String) {
    let outcome = text(span, attr::OUTCOME).expect("every span has an outcome");
    (span.status.clone(), text(span, attr::ERROR_TYPE), outcome)
}

fn fine(outcome: &str) -> (Status, Option<String>, String) {
    (Status::Unset, None, outcome.to_owned())
}

fn failed(error: &str, outcome: &str) -> (Status, Option<String>, String) {
    (
        Status::error(""),
        Some(error.to_owned()),
        outcome.to_owned(),
    )
}
