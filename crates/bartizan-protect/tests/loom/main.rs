//! The circuit, under every interleaving that the memory model allows.
//!
//! Its files are compiled anew with loom's types in place of the standard library's, so that this is
//! an ordinary test: a `--cfg loom` for the whole build would change tokio, too.

mod breaker;
#[path = "../../src/chance.rs"]
mod chance;
#[path = "../../src/invalid.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "the crate shows more of it than the tests need"
)]
mod invalid;
#[path = "../../src/window/mod.rs"]
mod window;
