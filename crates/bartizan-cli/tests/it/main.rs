//! The program as it is: a process, its output and its exit code.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

mod doctor;
mod probe;
mod services;
mod stores;

use std::process::Output;

use tokio::process::Command;

/// Long enough for any machine; only what hangs takes it.
const LONG: &str = "60s";

/// Runs the program with these variables and no others.
async fn bartizan(arguments: &[&str], vars: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bartizan"));
    let command = command
        .args(arguments)
        .env_clear()
        .envs(vars.iter().copied());
    command.kill_on_drop(true).output().await.unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn complaints(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
