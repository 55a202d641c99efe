//! The circuit, under every interleaving that the memory model allows.
//!
//! Its files are compiled anew with loom's types in place of the standard library's, so that this is
//! an ordinary test: a `--cfg loom` for the whole build would change tokio, too.

mod breaker;
#[path = "../../src/chance.rs"]
mod chance;
#[path = "../../src/window/mod.rs"]
mod window;
