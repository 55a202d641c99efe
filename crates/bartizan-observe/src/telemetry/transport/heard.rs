//! What a gRPC answer itself said, which tonic's statuses mix with what tonic says of it.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tonic::transport::Channel;
use tower_service::Service;

/// What the far side said of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Success,
    Failure,
}

/// A channel for one request that listens for the [`Word`].
#[derive(Debug)]
pub(super) struct Listening {
    channel: Channel,
    word: Arc<OnceLock<Word>>,
}

/// An answer's body that listens.
#[derive(Debug)]
pub(super) struct Heard {
    body: tonic::body::Body,
    word: Arc<OnceLock<Word>>,
}

// === impl Word ===

impl Word {
    fn among(headers: &HeaderMap) -> Option<Self> {
        let status = headers.get("grpc-status")?;
        Some(if status == "0" {
            Self::Success
        } else {
            Self::Failure
        })
    }

    /// From the head of an answer. A proxy refuses with a status of HTTP.
    fn at_once<B>(response: &Response<B>) -> Option<Self> {
        if response.status() == StatusCode::OK {
            Self::among(response.headers())
        } else {
            Some(Self::Failure)
        }
    }
}

// === impl Listening ===

impl Listening {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            word: Arc::default(),
        }
    }

    /// Set once it is heard.
    pub(super) fn word(&self) -> Arc<OnceLock<Word>> {
        Arc::clone(&self.word)
    }
}

impl Service<Request<tonic::body::Body>> for Listening {
    type Response = Response<Heard>;
    type Error = tonic::transport::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.channel.poll_ready(cx)
    }

    fn call(&mut self, request: Request<tonic::body::Body>) -> Self::Future {
        let (answer, word) = (self.channel.call(request), self.word());
        Box::pin(async move {
            let response = answer.await?;
            note(&word, Word::at_once(&response));
            Ok(response.map(|body| Heard { body, word }))
        })
    }
}

/// The first word counts.
fn note(word: &OnceLock<Word>, heard: Option<Word>) {
    if let Some(heard) = heard {
        let _first = word.set(heard);
    }
}

// === impl Heard ===

impl Body for Heard {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, tonic::Status>>> {
        let frame = std::task::ready!(Pin::new(&mut self.body).poll_frame(cx));
        if let Some(Ok(frame)) = &frame {
            note(&self.word, frame.trailers_ref().and_then(Word::among));
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
