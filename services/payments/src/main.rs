//! Runs the payments until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use bartizan::ServeReport;

#[tokio::main]
async fn main() -> ExitCode {
    shop::exit("payments", run().await)
}

async fn run() -> Result<ServeReport, shop::Error> {
    let loaded = payments::loader().load()?;
    let service = payments::start(&loaded).await?;
    service.serve().await
}
