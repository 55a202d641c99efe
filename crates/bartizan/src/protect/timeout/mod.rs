//! Timeouts for what a server answers.

mod layer;
mod noting;
mod service;

pub use bartizan_protect::timeout::{
    Deadline, DeadlineSource, Elapsed, InvalidTimeout, Limit, MAX_REMAINING, MAX_TIMEOUT,
    NoTimeLeft, REQUEST_TIMEOUT_MS,
};
pub use layer::TimeoutLayer;
pub use noting::Noting;
pub use service::Timeout;

use bartizan_task::Task;

/// The deadline of the request that the running code works for.
pub(crate) fn of_current_task() -> DeadlineSource {
    DeadlineSource::new(|| Task::with_current(|task| task?.deadline()))
}
