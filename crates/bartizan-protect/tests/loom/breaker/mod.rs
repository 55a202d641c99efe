//! A circuit and what it is made of, and nothing that only the crate needs.

#![expect(
    dead_code,
    unreachable_pub,
    reason = "the crate needs and shows more of it than the tests"
)]

mod races;
mod sync {
    pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    pub(super) use loom::sync::{Mutex, MutexGuard};
    pub(super) use std::sync::PoisonError;
}

#[path = "../../../src/breaker/builder.rs"]
mod builder;
#[path = "../../../src/breaker/check.rs"]
mod check;
#[path = "../../../src/breaker/circuit/mod.rs"]
mod circuit;
#[path = "../../../src/breaker/closed.rs"]
mod closed;
#[path = "../../../src/breaker/config.rs"]
mod config;
#[path = "../../../src/breaker/in_flight.rs"]
mod in_flight;
#[path = "../../../src/breaker/open_time.rs"]
mod open_time;
#[path = "../../../src/breaker/outcome.rs"]
mod outcome;
#[path = "../../../src/breaker/probation.rs"]
mod probation;
#[path = "../../../src/breaker/state.rs"]
mod state;
#[path = "../../../src/breaker/word.rs"]
mod word;

use builder::ConfigBuilder;
use config::*;
use outcome::{CancelPolicy, Outcome};
use state::{Change, Command, Reason, State};
