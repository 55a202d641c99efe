//! The layers through tower's contract, on paused time.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees test code in test functions only; a helper that fails is a failed test"
)]

mod breaker;
mod bulkhead;
mod coop;
mod guard;
mod rate_limit;
mod retry;
mod shared_limit;
mod shed;
mod support;
mod timeout;
