use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::{Classify, Observer, Permit};

pin_project! {
    /// The body of a response that went through a breaker.
    ///
    /// Where the classifier waits for its end, the call goes on until then: dropped before, it is a
    /// cancelled call.
    #[derive(Debug)]
    pub struct ResponseBody<B, C, O: Observer> {
        #[pin]
        inner: B,
        // `None` once the outcome is known.
        call: Option<(Permit<O>, C)>,
    }
}

// === impl ResponseBody ===

impl<B, C, O: Observer> ResponseBody<B, C, O> {
    pub(super) const fn plain(inner: B) -> Self {
        Self { inner, call: None }
    }
}

impl<B: Body, C: Classify, O: Observer> ResponseBody<B, C, O> {
    /// A body without a frame has ended already, and nobody may ever ask it.
    pub(super) fn watched(inner: B, permit: Permit<O>, classifier: C) -> Self {
        if inner.is_end_stream() {
            permit.record(classifier.end(None));
            return Self::plain(inner);
        }
        Self {
            inner,
            call: Some((permit, classifier)),
        }
    }
}

impl<B, C, O> Body for ResponseBody<B, C, O>
where
    B: Body,
    B::Error: 'static,
    C: Classify,
    O: Observer,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some((permit, _)) = this.call else {
            return this.inner.poll_frame(cx);
        };
        let Poll::Ready(frame) = permit.run(|| this.inner.as_mut().poll_frame(cx)) else {
            permit.wait();
            return Poll::Pending;
        };
        let outcome = |classifier: &C| match &frame {
            None => Some(classifier.end(None)),
            Some(Err(error)) => Some(classifier.error(error)),
            Some(Ok(frame)) if frame.is_trailers() => Some(classifier.end(frame.trailers_ref())),
            // Readers that know the length stop at the last frame, and do not ask for the end.
            Some(Ok(_)) => this.inner.is_end_stream().then(|| classifier.end(None)),
        };
        if let Some((permit, classifier)) = this.call.take() {
            match outcome(&classifier) {
                Some(outcome) => permit.record(outcome),
                None => *this.call = Some((permit, classifier)),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
