//! What `handed.rs` synchronises with; `tests/loom` puts loom's in its place.

pub(super) use std::sync::Arc;
pub(super) use std::sync::atomic::{AtomicU64, Ordering};
