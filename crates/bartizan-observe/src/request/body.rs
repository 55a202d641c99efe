use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::ending::{BodyEnding, StreamEnding, WatchedBody};
use crate::Outcome;

pin_project! {
    /// A response body that knows when its request ends.
    ///
    /// Each frame is polled in the request's scope. Dropping it before its end ends the request as
    /// *body dropped*.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        body: B,
        ending: Ending,
    }
}

#[derive(Debug)]
pub(super) enum Ending {
    /// Nothing is owed: the request has ended, or a layer further out ends it.
    Nothing,
    Body(BodyEnding),
    Stream(Box<StreamEnding>),
}

// === impl ResponseBody ===

impl<B> ResponseBody<B> {
    pub(super) const fn new(body: B, ending: Ending) -> Self {
        Self { body, ending }
    }
}

impl<B: Body> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.ending.during(|| this.body.as_mut().poll_frame(cx)));
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    this.ending.add(data.remaining() as u64);
                }
                // A server does not ask again after the last frame, which trailers always are.
                if frame.is_trailers() || this.body.is_end_stream() {
                    this.ending.end(Outcome::Completed);
                }
            }
            Some(Err(_)) => this.ending.end(Outcome::BodyError),
            None => this.ending.end(Outcome::Completed),
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

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::new(B::default(), Ending::Nothing)
    }
}

// === impl Ending ===

impl Ending {
    fn during<R>(&mut self, poll: impl FnOnce() -> R) -> R {
        match self.body() {
            Some(body) => body.during(poll),
            None => poll(),
        }
    }

    fn add(&mut self, bytes: u64) {
        if let Some(body) = self.body() {
            body.add(bytes);
        }
    }

    fn end(&mut self, outcome: Outcome) {
        match self {
            Self::Nothing => {}
            Self::Body(ending) => ending.end(outcome),
            Self::Stream(ending) => ending.end(outcome),
        }
    }

    fn body(&mut self) -> Option<&mut WatchedBody> {
        match self {
            Self::Nothing => None,
            Self::Body(ending) => Some(ending.body()),
            Self::Stream(ending) => Some(ending.body()),
        }
    }
}
