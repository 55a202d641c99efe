//! One line per request, written without blocking.

mod record;

pub use record::{AccessRecord, Level, LineKind};
