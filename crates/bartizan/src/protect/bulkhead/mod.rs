//! Bulkheads that are seen: those of [`bartizan_protect`], told as metrics and events, and answering
//! 503 for the service.

mod layer;
mod observer;

pub use bartizan_protect::bulkhead::{
    Acquire, Adaptive, Bulkhead, BulkheadBuilder, Cause, Config, ConfigBuilder, Limit, LimitChange,
    Observer, Permit, Reason, Rejected, Snapshot, Waited,
};
pub use layer::BulkheadLayer;
pub use observer::BulkheadObserver;
