//! `cargo run --release -p loadgen -- --help`

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::{env, io};

use loadgen::options::{Command, HELP, Options};
use loadgen::{FaultPorts, Http, InvalidTarget};

#[tokio::main]
async fn main() -> ExitCode {
    let options = match Command::parse(env::args_os().skip(1)) {
        Ok(Command::Run(options)) => options,
        Ok(Command::Help) => return print(HELP.trim_end()),
        Err(error) => return fail(&error, 2),
    };
    let (target, ports) = match targets(&options) {
        Ok(targets) => targets,
        Err(error) => return fail(&error, 2),
    };
    let interrupted = async {
        // Where signals cannot be listened for, Ctrl-C ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    let summary = loadgen::run(&options, target, ports, interrupted).await;
    if !options.json {
        return print(&summary.to_string());
    }
    match serde_json::to_string(&summary) {
        Ok(line) => print(&line),
        Err(error) => fail(&error, 1),
    }
}

fn targets(options: &Options) -> Result<(Http, FaultPorts<Http>), InvalidTarget> {
    let ports = FaultPorts {
        payments: Some(Http::new(&options.payments_admin, options.remote)?),
        inventory: Some(Http::new(&options.inventory_admin, options.remote)?),
    };
    Ok((Http::new(&options.target, options.remote)?, ports))
}

fn print(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

fn fail(error: &dyn Error, code: u8) -> ExitCode {
    // Nothing is left to try if stderr is closed.
    let _ = writeln!(io::stderr(), "loadgen: {error}");
    ExitCode::from(code)
}
