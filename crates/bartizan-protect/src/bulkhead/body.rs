use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::state::End;
use super::{Observer, Permit};

pin_project! {
    /// The body of a response that went through a bulkhead.
    ///
    /// It has the call's place until its end, where the layer was
    /// [asked to](super::BulkheadLayer::until_end).
    #[derive(Debug)]
    pub struct ResponseBody<B, O: Observer> {
        #[pin]
        inner: B,
        // `None` once it is given back.
        permit: Option<Permit<O>>,
        // What it is given back with, if the body comes to its end.
        end: End,
    }
}

// === impl ResponseBody ===

impl<B, O: Observer> ResponseBody<B, O> {
    pub(super) const fn plain(inner: B) -> Self {
        Self {
            inner,
            permit: None,
            end: End::Unknown,
        }
    }
}

impl<B: Body, O: Observer> ResponseBody<B, O> {
    /// A body without a frame has ended already, and nobody may ever ask it.
    pub(super) fn new(inner: B, mut permit: Option<Permit<O>>, end: End) -> Self {
        if inner.is_end_stream() {
            give_back(&mut permit, end);
        }
        Self { inner, permit, end }
    }
}

impl<B: Body, O: Observer> Body for ResponseBody<B, O> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        match &frame {
            Some(Err(_)) => give_back(this.permit, End::Unknown),
            None => give_back(this.permit, *this.end),
            // Readers that know the length stop at the last frame, and do not ask for the end.
            Some(Ok(frame)) if frame.is_trailers() || this.inner.is_end_stream() => {
                give_back(this.permit, *this.end);
            }
            Some(Ok(_)) => {}
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

fn give_back<O: Observer>(permit: &mut Option<Permit<O>>, end: End) {
    match permit.take() {
        Some(permit) if end == End::Served => permit.complete(),
        permit => drop(permit),
    }
}
