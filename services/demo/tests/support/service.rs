//! A service as a process of the test's own, in one of the demo's hidden roles.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};

use bartizan::telemetry::Report;
use demo::ROLE_ARGUMENT;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::DEADLINE;

/// A process. Dropping it kills it.
pub(crate) struct Service {
    pub(crate) name: &'static str,
    /// Its standard input is a pipe: the service ends when that does.
    pub(crate) process: Child,
    address: SocketAddr,
    admin: SocketAddr,
    /// Reads standard output to its end and gives the report, if there was one.
    out: JoinHandle<Option<Box<Report>>>,
    err: JoinHandle<String>,
}

/// How a process went.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) report: Option<Box<Report>>,
    pub(crate) stderr: String,
}

/// What a service says among its log lines.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    Ready {
        address: SocketAddr,
        admin: SocketAddr,
    },
    Report(Box<Report>),
}

// === impl Service ===

impl Service {
    /// Starts it with these variables, and waits until it serves.
    pub(crate) async fn start(
        name: &'static str,
        vars: impl Iterator<Item = (String, String)>,
    ) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_demo"))
            .args([ROLE_ARGUMENT, name])
            .envs(vars)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (ready, is_ready) = oneshot::channel();
        let out = tokio::spawn(read(process.stdout.take().unwrap(), ready));
        let mut stderr = process.stderr.take().unwrap();
        let err = tokio::spawn(async move {
            let mut said = String::new();
            stderr.read_to_string(&mut said).await.unwrap();
            said
        });
        let Ok((address, admin)) = timeout(DEADLINE, is_ready).await.unwrap() else {
            panic!("{name} did not start: {}", err.await.unwrap());
        };
        Self {
            name,
            process,
            address,
            admin,
            out,
            err,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn admin(&self) -> SocketAddr {
        self.admin
    }

    /// Closes its standard input, unless somebody has taken that, and waits until it is gone.
    pub(crate) async fn ended(&mut self) -> Ended {
        let name = self.name;
        // `wait` closes it as well; here it is said.
        drop(self.process.stdin.take());
        let status = timeout(DEADLINE, self.process.wait()).await;
        Ended {
            status: status
                .unwrap_or_else(|_| panic!("{name} does not end"))
                .unwrap(),
            report: (&mut self.out).await.unwrap(),
            stderr: (&mut self.err).await.unwrap(),
        }
    }
}

async fn read(
    stdout: ChildStdout,
    ready: oneshot::Sender<(SocketAddr, SocketAddr)>,
) -> Option<Box<Report>> {
    let (mut ready, mut report) = (Some(ready), None);
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        match serde_json::from_str(&line) {
            Ok(Message::Ready { address, admin }) => {
                let ready = ready.take().unwrap();
                ready.send((address, admin)).unwrap();
            }
            Ok(Message::Report(said)) => report = Some(said),
            // A log line.
            Err(_) => {}
        }
    }
    report
}
