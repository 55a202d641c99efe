//! `bartizan --help`

mod arguments;
mod doctor;
mod get;
mod options;
mod probe;
mod text;
mod url;

use std::env;
use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::options::{Command, HELP};

/// Something is not as it should be.
const EXIT_FAILED: u8 = 1;

/// The command line makes no sense.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Help) => print(HELP.trim_end()),
        Ok(Command::Probe(options)) => run(async move { Ok(probe::run(&options).await) }),
        Ok(Command::Doctor(options)) => run(doctor::run(&options)),
        Err(error) => {
            complain(&error);
            ExitCode::from(EXIT_USAGE)
        }
    }
}

/// Runs on this thread: a probe every few seconds is not to start threads.
fn run(command: impl Future<Output = io::Result<bool>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let is_well = runtime.and_then(|runtime| {
        let is_well = runtime.block_on(command);
        // A name that is still being looked up is not waited for.
        runtime.shutdown_background();
        is_well
    });
    match is_well {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILED),
        Err(error) => {
            complain(&error);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error);
            ExitCode::from(EXIT_FAILED)
        }
    }
}

fn complain(what: &dyn Display) {
    // Nothing is left to try if stderr is closed.
    let _ = writeln!(io::stderr(), "bartizan: {what}");
}
