use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::alarm::Alarm;
use crate::{BoxError, Error};

pin_project! {
    /// The body of a response that had a timeout.
    ///
    /// It has one itself if the layer was [asked to](super::TimeoutLayer::with_body): when the time
    /// is over, it fails once, and has then ended.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        // `None` once the time was over.
        #[pin]
        inner: Option<B>,
        alarm: Option<Alarm>,
    }
}

// === impl ResponseBody ===

impl<B> ResponseBody<B> {
    pub(super) const fn new(inner: B, alarm: Option<Alarm>) -> Self {
        Self {
            inner: Some(inner),
            alarm,
        }
    }
}

impl<B: Body<Error: Into<BoxError>>> Body for ResponseBody<B> {
    type Data = B::Data;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, Error>>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(frame) = inner.poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::inner)));
        }
        let Some(alarm) = this.alarm else {
            return Poll::Pending;
        };
        let elapsed = ready!(alarm.poll(cx));
        this.inner.set(None);
        Poll::Ready(Some(Err(Error::TimedOut(elapsed))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.inner {
            Some(inner) => inner.size_hint(),
            None => SizeHint::with_exact(0),
        }
    }
}
