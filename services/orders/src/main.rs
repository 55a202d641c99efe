//! Runs the order service until SIGTERM or Ctrl-C.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::{env, io};

use orders::{Config, Service};

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::from_vars(env::var) {
        Ok(config) => config,
        Err(error) => return fail(&error, 2),
    };
    match run(&config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(error.as_ref(), 1),
    }
}

async fn run(config: &Config) -> Result<(), Box<dyn Error>> {
    let Service {
        listener,
        app,
        telemetry,
        sweeper,
    } = Service::start(config).await?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    bartizan::serve(listener, app, telemetry).await?;
    sweeper.stop().await;
    Ok(())
}

fn fail(error: &dyn Error, code: u8) -> ExitCode {
    // Nothing is left to try if stderr is closed.
    let _ = writeln!(io::stderr(), "orders: {error}");
    ExitCode::from(code)
}
