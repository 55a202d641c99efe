//! What holds of the whole of a process, and so takes an allocator of its own.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy.toml's exception does not reach"
)]

mod held;
mod memory;
