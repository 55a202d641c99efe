//! `cargo run --release -p demo -- --help`

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::{env, io};

use demo::{Command, HELP};

#[tokio::main]
async fn main() -> ExitCode {
    let command = match Command::parse(env::args_os().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            complain("demo", &error);
            return ExitCode::from(2);
        }
    };
    match command {
        Command::Help => {
            let _ = io::stdout().write_all(HELP.as_bytes());
            ExitCode::SUCCESS
        }
        Command::Serve(role) => exit(role.name(), demo::serve(role).await),
        Command::Run(options) => exit("demo", demo::run(&options).await.map(|()| 0)),
    }
}

fn exit(name: &str, result: Result<u8, demo::Error>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            complain(name, &error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn complain(name: &str, error: &dyn Error) {
    // Nothing is left to try if stderr is closed.
    let _ = writeln!(io::stderr(), "{name}: {error}");
}
