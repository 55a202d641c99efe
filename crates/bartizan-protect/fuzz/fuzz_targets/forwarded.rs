//! `cargo +nightly fuzz run forwarded`: what clients write into headers is not what proxies have.

#![no_main]

#[path = "../../tests/it/rate_limit/fuzz/forwarded.rs"]
mod forwarded;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| forwarded::check(data));
