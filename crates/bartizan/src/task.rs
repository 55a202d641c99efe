//! Spawning that carries the request along: its task, its span, its baggage.
//!
//! `tokio::spawn` loses all three, since they live in thread-locals while a future is polled.

use std::borrow::Cow;
use std::future::Future;

use bartizan_task::Scope;
#[doc(inline)]
pub use bartizan_task::{Task, TaskId};
use tokio::task::JoinHandle;

/// Spawns a future as a child of the current task, in the current span, with the current baggage.
///
/// Like `tokio::spawn`, dropping the handle detaches.
///
/// # Panics
///
/// When called outside of a tokio runtime.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use bartizan::task::{self, Task};
///
/// let request = Task::root("request", None);
/// let _current = request.attach();
/// let parent = task::spawn("audit", async { Task::current().and_then(|task| task.parent_id()) });
/// assert_eq!(parent.await.ok().flatten(), Some(request.id()));
/// # }
/// ```
pub fn spawn<F>(name: impl Into<Cow<'static, str>>, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(Scope::capture().child(name).wrap(future))
}

/// Runs a blocking closure on tokio's blocking pool as a child of the current task, in the current
/// span, with the current baggage.
///
/// # Panics
///
/// When called outside of a tokio runtime.
pub fn spawn_blocking<R>(
    name: impl Into<Cow<'static, str>>,
    work: impl FnOnce() -> R + Send + 'static,
) -> JoinHandle<R>
where
    R: Send + 'static,
{
    let scope = Scope::capture().child(name);
    tokio::task::spawn_blocking(move || scope.run(work))
}
