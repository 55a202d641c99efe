//! Circuit breaking, timeouts and retries for tower HTTP services.
//!
//! Each middleware is a pure core, which is told the time and gives a decision, and a thin tower
//! layer around it. What counts across requests lives in the layer value, and every service that a
//! layer makes shares it. Decisions are made in `call`; `poll_ready` says what the inner service
//! says, since a readied service may never be called.
//!
//! | layer | says no with |
//! |---|---|
//! | [`CircuitBreakerLayer`](breaker::CircuitBreakerLayer) | [`Error::CircuitOpen`] |
//! | [`TimeoutLayer`](timeout::TimeoutLayer) | [`Error::TimedOut`], [`Error::NoTimeLeft`] |
//! | [`RetryLayer`](retry::RetryLayer) | nothing of its own |
//! | [`RateLimitLayer`](rate_limit::RateLimitLayer) | [`Error::RateLimited`] |
//! | [`SharedLimitLayer`](shared_limit::SharedLimitLayer) | [`Error::SharedLimit`] |
//! | [`BulkheadLayer`](bulkhead::BulkheadLayer) | [`Error::Saturated`] |
//! | [`LoadShedLayer`](shed::LoadShedLayer) | [`Error::Shed`] |
//!
//! On the way out to a service they belong in this order, from the outside in: a timeout for the
//! whole call, the retries, the breaker, a timeout for each attempt, the client. A breaker outside
//! the retries would see one failure where there were three; a timeout outside the breaker cuts a
//! call off unheard, which the breaker then has to guess about (see
//! [`CancelPolicy`](breaker::CancelPolicy)).
//!
//! On the way in: load shedding, rate limit, shared limit, bulkhead, timeout, the handler. What is refused should
//! have cost nothing, and the bulkhead is what load shedding goes by.
//!
//! Around work that is no HTTP call, a [`Guard`](guard::Guard) is rate limit, bulkhead, breaker and
//! timeout in one.

pub mod breaker;
pub mod bulkhead;
mod chance;
mod error;
pub mod guard;
mod invalid;
pub mod rate_limit;
pub mod retry;
mod retry_after;
pub mod shared_limit;
pub mod shed;
pub mod timeout;
mod timer;
mod window;

pub use error::{BoxError, Error, Rejection};
pub use invalid::{InvalidConfig, MAX_DURATION};
pub use timer::Timer;
