//! Runs the inventory until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use bartizan::ServeReport;

#[tokio::main]
async fn main() -> ExitCode {
    shop::exit("inventory", run().await)
}

async fn run() -> Result<ServeReport, shop::Error> {
    let loaded = inventory::loader().load()?;
    let service = inventory::start(&loaded).await?;
    service.serve().await
}
