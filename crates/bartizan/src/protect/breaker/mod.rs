//! Circuit breakers that are seen: those of [`bartizan_protect`], told as metrics, events and lines,
//! and answering for the service where it is a router.

mod future;
mod layer;
mod observer;
mod service;

pub use bartizan_protect::InvalidConfig;
pub use bartizan_protect::breaker::{
    Breaker, BreakerBuilder, Call, CancelPolicy, Change, CircuitId, Classify, Command, Config,
    ConfigBuilder, Correlation, GrpcClassifier, HttpClassifier, Keys, Observer, Outcome, Overflow,
    Permit, Reason, Rejected, Snapshot, State, Transition, Transitions, UnknownKey, Verdict,
};
pub use future::BreakerFuture;
pub use layer::CircuitBreakerLayer;
pub use observer::{BreakerObserver, CircuitSeries, MAX_LABELLED_KEYS};
pub use service::CircuitBreaker;
