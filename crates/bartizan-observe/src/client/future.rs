use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::ResponseBody;
use super::attempt::Attempt;

pin_project! {
    /// The response of a [`Client`](super::Client).
    ///
    /// Dropping it before it is ready ends the attempt as cancelled. It must not be polled again
    /// after it was ready.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        #[pin]
        sending: Sending<F>,
    }
}

pin_project! {
    /// A request on its way: polled inside the attempt's context, which it gives back at the end.
    #[derive(Debug)]
    pub(super) struct Sending<F> {
        // Before the attempt, so that spans which end in the future's drop end before ours.
        #[pin]
        inner: F,
        // `None` once ready.
        attempt: Option<Attempt>,
    }
}

// === impl ResponseFuture ===

impl<F> ResponseFuture<F> {
    pub(super) const fn new(inner: F, attempt: Attempt) -> Self {
        Self {
            sending: Sending::new(inner, attempt),
        }
    }
}

impl<F, R, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: Body,
    E: 'static,
{
    type Output = Result<Response<ResponseBody<R>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let (result, attempt) = ready!(self.project().sending.poll(cx));
        Poll::Ready(match result {
            Ok(response) => Ok(ResponseBody::wrap(response, attempt, None)),
            Err(error) => {
                attempt.fail(&error, None);
                Err(error)
            }
        })
    }
}

// === impl Sending ===

impl<F> Sending<F> {
    pub(super) const fn new(inner: F, attempt: Attempt) -> Self {
        Self {
            inner,
            attempt: Some(attempt),
        }
    }
}

impl<F: Future> Future for Sending<F> {
    type Output = (F::Output, Attempt);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(mut attempt) = this.attempt.take() else {
            panic!("polled after it was ready");
        };
        match attempt.run(|| this.inner.poll(cx)) {
            Poll::Ready(output) => Poll::Ready((output, attempt)),
            Poll::Pending => {
                *this.attempt = Some(attempt);
                Poll::Pending
            }
        }
    }
}
