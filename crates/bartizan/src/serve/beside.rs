//! A second port that is served from before the first one to after its end.

use axum::Router;
use bartizan_observe::Clock;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::accept::{Acceptor, tell_panic};
use super::lifecycle::Lifecycle;
use super::serving::Serving;

/// What is served beside. Dropped, it ends at once.
#[derive(Debug)]
pub(super) struct Beside {
    /// One task, which is dropped with the set.
    task: JoinSet<()>,
    over: oneshot::Sender<()>,
}

// === impl Beside ===

impl Beside {
    pub(super) fn start(app: Router, listener: TcpListener) -> Self {
        let (over, is_over) = oneshot::channel();
        let mut task = JoinSet::new();
        // With phases of its own, of which there is one: it answers to the end, and nobody waits
        // for its connections.
        let mut serving = Serving::new(app, Lifecycle::new(), Clock::default());
        task.spawn(async move {
            let mut acceptor = Acceptor::new(listener);
            let _over = serving.accept_until(&mut acceptor, is_over).await;
            drop(acceptor);
            serving.cut_off().await;
        });
        Self { task, over }
    }

    /// Breaks its connections, and waits until they are gone.
    pub(super) async fn end(mut self) {
        // It fails if the task is gone already.
        let _sent = self.over.send(());
        while let Some(ended) = self.task.join_next().await {
            tell_panic(ended);
        }
    }
}
