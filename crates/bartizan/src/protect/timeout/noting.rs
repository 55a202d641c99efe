use std::task::{Context, Poll};

use axum::http::Request;
use bartizan_protect::timeout::Deadline;
use bartizan_task::Task;
use tower_service::Service;

/// Tells the current task by when its request is to be answered, so that the calls it makes have no
/// more time than that.
#[derive(Debug, Clone)]
pub struct Noting<S>(pub(super) S);

// === impl Noting ===

impl<S: Service<Request<B>>, B> Service<Request<B>> for Noting<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        if let Some(Deadline(deadline)) = request.extensions().get() {
            Task::with_current(|task| {
                if let Some(task) = task {
                    task.set_deadline(*deadline);
                }
            });
        }
        self.0.call(request)
    }
}
