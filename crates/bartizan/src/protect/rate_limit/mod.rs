//! Rate limits that are seen: those of [`bartizan_protect`], told as metrics and events, and
//! answering 429 for the service.

mod layer;
mod observer;
mod series;

pub use bartizan_protect::rate_limit::{
    Answers, Charged, Counts, Decision, Decisions, Fields, KeyHash, Keys, MissingKey, Mode,
    Observer, Outcome, Overflow, Policy, Proxies, Quota, RateLimiter, Refusal, Rejected,
    Reservation, Snapshot, Trusted, UnknownPolicy, Usage,
};
pub use layer::RateLimitLayer;
pub(crate) use layer::address;
pub use observer::RateLimitObserver;
pub use series::PolicySeries;
pub(crate) use series::Refused;
