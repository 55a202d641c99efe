//! A service that lets others run first, and a task that has run for long enough to do so.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::task::{consume_budget, coop};
use tower::Service;

/// Not ready in a task that has used up its turn, as everything of tokio's is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Polite(Arc<AtomicUsize>);

impl Polite {
    /// How often it was not.
    pub(crate) fn yielded(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Service<Request<()>> for Polite {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if coop::has_budget_remaining() {
            return Poll::Ready(Ok(()));
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::default()))
    }
}

/// Runs `then` in a task that has used up its turn.
pub(crate) async fn in_a_used_up_task<T: Send + 'static>(
    then: impl Future<Output = T> + Send + 'static,
) -> T {
    let task = tokio::spawn(async {
        while coop::has_budget_remaining() {
            consume_budget().await;
        }
        then.await
    });
    task.await.unwrap()
}
