//! What `circuit.rs` synchronises with; `tests/loom` puts loom's in its place.

pub(super) use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
pub(super) use std::sync::{Mutex, MutexGuard, PoisonError};
