use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bartizan_task::Scoped;
use http::Response;
use http_body::Body;
use pin_project_lite::pin_project;

use super::body::{Ending, ResponseBody};
use super::ending::CallEnding;
use super::head;
use super::on_close::OnClose;
use crate::Outcome;

pin_project! {
    /// The future of [`Observe`](super::Observe).
    ///
    /// Polls the inner future in the request's scope. Dropping it before its response ends the
    /// request as *cancelled*; unwinding out of a poll ends it as *panicked*.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<F> {
        // Before `ending`: what its destructor does still belongs to the request.
        #[pin]
        inner: Scoped<F>,
        // `None` where a layer further out ends the request.
        ending: Option<CallEnding>,
        on_close: Option<OnClose>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(
        inner: Scoped<F>,
        ending: Option<CallEnding>,
        on_close: Option<OnClose>,
    ) -> Self {
        Self {
            inner,
            ending,
            on_close,
        }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<ResponseBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let Some(ending) = this.ending else {
            let response = ready!(this.inner.poll(cx))?;
            return Poll::Ready(Ok(
                response.map(|body| ResponseBody::new(body, Ending::Nothing))
            ));
        };
        let result = ready!(ending.during(|| this.inner.poll(cx)));
        Poll::Ready(match result {
            Ok(response) => Ok(match ending.disarm() {
                Some(record) => head::respond(record, this.on_close.take(), response),
                // Polled again after its end, which only a broken inner future gets us to.
                None => response.map(|body| ResponseBody::new(body, Ending::Nothing)),
            }),
            Err(error) => {
                ending.end(Outcome::Error);
                Err(error)
            }
        })
    }
}
