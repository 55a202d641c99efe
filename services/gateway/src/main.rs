//! Runs the gateway until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use bartizan::ServeReport;

#[tokio::main]
async fn main() -> ExitCode {
    shop::exit("gateway", run().await)
}

async fn run() -> Result<ServeReport, shop::Error> {
    let loaded = gateway::loader().load()?;
    let service = gateway::start(&loaded).await?;
    service.serve().await
}
