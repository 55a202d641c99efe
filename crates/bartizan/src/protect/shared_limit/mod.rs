//! Rate limits that replicas share and that are seen: those of [`bartizan_protect`], told as metrics,
//! events and a line when the store is lost, and answering 429 for the service.

mod layer;
mod observer;

#[cfg(feature = "redis")]
pub use bartizan_protect::shared_limit::RedisStore;
pub use bartizan_protect::shared_limit::{
    Ask, By, Charged, Counts, DEFAULT_CAPACITY, DEFAULT_DEADLINE, DEFAULT_LEASE_SHARE, Decision,
    Decisions, Grant, MAX_CAPACITY, MemoryStore, Observer, Refusal, Rejected, Reservation,
    SharedLimiter, SharedLimiterBuilder, Store, StoreDown, StoreFailure, StoreKey,
};
pub use layer::SharedLimitLayer;
pub use observer::{SharedLimitObserver, StoreBreakerObserver};
