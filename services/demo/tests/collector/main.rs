//! The shipped files of the Collector and of Jaeger, in a real Collector and a real Jaeger, as
//! processes: what the services tell is read back from where an operator reads it, and nothing that
//! was acknowledged is lost when one of the two is killed.
//!
//! `BARTIZAN_OTELCOL` and `BARTIZAN_JAEGER` name the programs; `deploy/check/install` builds them.
//! Without them there is nothing to test, and the tests say so and pass. Only addresses, directories
//! and intervals differ from what is shipped, and all of them by the environment.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees test code in test functions only; a helper that fails is a failed test"
)]

mod chain;
mod files;
mod http;
mod jaeger;
mod losses;
mod program;
mod sampling;
mod sender;
mod shop;
#[path = "../support/mod.rs"]
mod support;
mod traces;

use std::time::Duration;

/// How long anything may take that comes in the end; whatever takes longer never does.
const DEADLINE: Duration = Duration::from_secs(90);

/// How often it is looked for: each look is a search in somebody else's store.
const PACE: Duration = Duration::from_millis(100);
