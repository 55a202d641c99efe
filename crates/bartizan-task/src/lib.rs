//! Task context: which unit of work is running, for which request, on any executor.
//!
//! Logs need to say for whom a line was written, even when the line comes from a future that was
//! spawned three levels down or from a blocking closure on another thread. A [`Task`] is that
//! answer: a root task per request, child tasks for what it starts. A [`Scope`] carries the task
//! together with the OpenTelemetry context (span and baggage) across a spawn.
//!
//! Executors' own task ids do not do: a keep-alive connection is one executor task that serves many
//! requests, and smol has no task-locals at all. What works everywhere is a wrapper that swaps a
//! thread-local in around each poll, which is what [`Scoped`] does.
//!
//! ```
//! use bartizan_task::{Scope, Task};
//!
//! let task = Task::root("import", None);
//! let _current = task.attach();
//! let scope = Scope::capture();
//!
//! let seen = std::thread::spawn(move || scope.run(|| Task::current().map(|t| t.id())))
//!     .join()
//!     .expect("the closure does not panic");
//! assert_eq!(seen, Some(task.id()));
//! ```
//!
//! The crate spawns nothing and reads no clock; it works under tokio, smol and plain threads.

mod current;
mod id;
mod request_id;
mod scope;
mod task;

pub use current::Attached;
pub use id::TaskId;
pub use request_id::{InvalidRequestId, RequestId};
pub use scope::{InScope, Lending, Scope, Scoped};
pub use task::{Task, TaskRef};
