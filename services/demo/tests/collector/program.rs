//! A program that is not ours, on ports that the test chooses, killed when it is dropped.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU16, Ordering};

use tokio::process::{Child, Command};

use crate::http;
use crate::support::eventually::eventually;

/// A program with its arguments and environment, and the process, while there is one.
#[derive(Debug)]
pub(crate) struct Program {
    path: OsString,
    arguments: Vec<String>,
    vars: Vec<(&'static str, String)>,
    /// What it says, of all its runs.
    log: PathBuf,
    /// Answers 200 once it serves.
    health: (SocketAddr, &'static str),
    process: Option<Child>,
}

/// Where the program is that this variable names; says so if it does not.
pub(crate) fn named(variable: &str) -> Option<OsString> {
    let path = std::env::var_os(variable);
    if path.is_none() {
        let text = format!("skipped: {variable} does not say where the program is\n");
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    }
    path
}

/// A port on the loopback interface that nobody listens on. It is below those that the system gives
/// to connections: a program that is killed finds it free when it comes back.
pub(crate) fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 300).unwrap() * 40;
    loop {
        let port = 20_000 + first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            return address;
        }
    }
}

// === impl Program ===

impl Program {
    pub(crate) fn new(
        path: OsString,
        arguments: Vec<String>,
        vars: Vec<(&'static str, String)>,
        log: &Path,
        health: (SocketAddr, &'static str),
    ) -> Self {
        Self {
            path,
            arguments,
            vars,
            log: log.to_owned(),
            health,
            process: None,
        }
    }

    /// Starts it, again if it has been killed, and waits until it serves.
    pub(crate) async fn start(&mut self) {
        let log = self.open_log();
        let process = Command::new(&self.path)
            .args(&self.arguments)
            .envs(self.vars.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.process = Some(process);
        let (address, path) = self.health;
        eventually("the program serves", async || {
            if let Some(status) = self.process.as_mut()?.try_wait().unwrap() {
                panic!("ended at once, {status}: {}", self.said());
            }
            let answer = http::get(address, path).await.ok()?;
            (answer.status == 200).then_some(())
        })
        .await;
    }

    /// SIGKILL: it has no time for anything. It is gone when this returns.
    pub(crate) async fn kill(&mut self) {
        self.process.take().unwrap().kill().await.unwrap();
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    fn open_log(&self) -> File {
        let mut options = OpenOptions::new();
        options.create(true).append(true).open(&self.log).unwrap()
    }
}
