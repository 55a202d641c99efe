//! Runs the order service until SIGTERM or Ctrl-C.

use std::process::ExitCode;

use bartizan::ServeReport;

#[tokio::main]
async fn main() -> ExitCode {
    shop::exit("orders", run().await)
}

async fn run() -> Result<ServeReport, shop::Error> {
    let loaded = orders::loader().load()?;
    let service = orders::start(&loaded).await?;
    service.serve().await
}
