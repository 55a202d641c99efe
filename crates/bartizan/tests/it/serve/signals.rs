//! The process's own signals; one test, since they go to all servers that listen.

use std::process::{self, Command};

use bartizan::{Lifecycle, Phase, ServeReport};
use tokio::task::JoinHandle;

use super::replica::{NEVER, within};
use super::{Gate, Replica};

fn send(signal: &str) {
    let sent = Command::new("kill")
        .args([signal, &process::id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

async fn start() -> (Lifecycle, JoinHandle<std::io::Result<ServeReport>>) {
    let server = Replica::prepare(Gate::new().router(), |server| server.with_grace(NEVER));
    let (sink, lifecycle, _, server) = server.await;
    let server = tokio::spawn(async {
        let report = server.await;
        drop(sink);
        report
    });
    // By then it listens to signals, too.
    within(lifecycle.reached(Phase::Ready)).await;
    (lifecycle, server)
}

#[tokio::test]
async fn sigterm_has_a_grace_period_that_a_second_signal_ends_and_ctrl_c_has_none() {
    let (lifecycle, server) = start().await;
    send("-TERM");
    within(lifecycle.reached(Phase::Grace)).await;
    assert_eq!(lifecycle.phase(), Phase::Grace);
    send("-INT");
    let report = within(server).await.unwrap().unwrap();
    assert!(report.at_once, "{report}");

    let (_, server) = start().await;
    send("-INT");
    let report = within(server).await.unwrap().unwrap();
    assert!(!report.at_once, "{report}");
    assert_eq!(report.lasted(Phase::Grace), None, "{report}");
}
