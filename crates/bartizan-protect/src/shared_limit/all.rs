use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// What all of them say, once the last one has: a few, so that all are polled when one is woken.
pub(super) async fn all<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<Pin<Box<F>>> = futures.map(Box::pin).collect();
    let mut said = Vec::with_capacity(waiting.len());
    poll_fn(|cx| {
        waiting.retain_mut(|future| match future.as_mut().poll(cx) {
            Poll::Ready(output) => {
                said.push(output);
                false
            }
            Poll::Pending => true,
        });
        match waiting.is_empty() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    said
}
