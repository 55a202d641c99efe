use std::any::Any;
use std::pin::Pin;
use std::task::{Context as PollContext, Poll};

use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};
use opentelemetry::Context;
use pin_project_lite::pin_project;

use super::attempt::Attempt;
use super::error_type::Namer;

pin_project! {
    /// The body of a [`Client`](super::Client)'s response.
    ///
    /// The attempt ends with it: when it has been read, fails, or is dropped. It is polled inside
    /// the attempt's context.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // Before the watch, so that spans which end in the body's drop end before ours.
        #[pin]
        inner: B,
        watch: Watch,
    }
}

/// What the body still has to do with its attempt.
#[derive(Debug)]
enum Watch {
    /// The attempt lasts as long as the body.
    Lasts(Attempt, Option<Namer>),
    /// The attempt ended at the headers, the stream has only its context.
    Outlives(Context),
    /// Read to its end, or failed.
    Over,
}

// === impl ResponseBody ===

impl<B: Body> ResponseBody<B> {
    /// Hands the attempt from the response's head to its body.
    pub(super) fn wrap(
        response: Response<B>,
        attempt: Attempt,
        namer: Option<Namer>,
    ) -> Response<Self> {
        let (parts, inner) = response.into_parts();
        let context = attempt.context().clone();
        let watch = match attempt.respond(&parts) {
            None => Watch::Outlives(context),
            Some(attempt) if inner.is_end_stream() => {
                attempt.complete();
                Watch::Over
            }
            Some(attempt) => Watch::Lasts(attempt, namer),
        };
        Response::from_parts(parts, Self { inner, watch })
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body,
    B::Error: 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut PollContext<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = match this.watch {
            Watch::Lasts(attempt, _) => attempt.run(|| this.inner.as_mut().poll_frame(cx)),
            Watch::Outlives(context) => {
                let _current = context.clone().attach();
                return this.inner.poll_frame(cx);
            }
            Watch::Over => return this.inner.poll_frame(cx),
        };
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.watch.complete(),
            Poll::Ready(Some(Err(error))) => this.watch.fail(error),
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(data), Watch::Lasts(attempt, _)) = (frame.data_ref(), &mut *this.watch)
                {
                    attempt.read(data.remaining());
                }
                // A reader that knows the end has come does not ask again; trailers are the end.
                if frame.is_trailers() || this.inner.is_end_stream() {
                    this.watch.complete();
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

// === impl Watch ===

impl Watch {
    fn complete(&mut self) {
        if let Self::Lasts(attempt, _) = std::mem::replace(self, Self::Over) {
            attempt.complete();
        }
    }

    fn fail(&mut self, error: &dyn Any) {
        if let Self::Lasts(attempt, namer) = std::mem::replace(self, Self::Over) {
            attempt.fail(error, namer);
        }
    }
}
