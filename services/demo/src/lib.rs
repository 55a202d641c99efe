//! The whole of Bartizan in one process tree: an OTLP receiver with a bounded store in this
//! process, the shop's four services as child processes that export to it over loopback, and HTTP
//! traffic through all of them, by one of [`loadgen`]'s scenarios.
//!
//! The children are this same executable, run again in a hidden [`Role`], so that one `cargo run`
//! is enough; but they are processes of their own, and everything between them and the store goes
//! over real sockets. Nothing in the [`Summary`] is assumed: what was sent is counted by the
//! traffic, what ended and was lost by the children's own reports, what arrived by the store.
//!
//! A child ends when its standard input does. However the demo dies, the system closes that pipe, so
//! no child outlives it. Signals being what they are, this runs on Unix only.

mod child;
mod error;
mod interrupts;
mod last_lines;
mod options;
mod role;
mod run;
mod stage;
mod summary;

pub use child::{ChildError, READY_DEADLINE, STOP_DEADLINE};
pub use error::Error;
pub use last_lines::KEPT_LINES;
pub use options::{Command, DEFAULT_RATE, HELP, Options};
pub use role::{ROLE_ARGUMENT, Role, serve};
pub use run::run;
pub use summary::Summary;
