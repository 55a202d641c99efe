//! The demo's side of a child process.

use std::ffi::OsStr;
use std::io;
use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bartizan::telemetry::Report;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{ChildStdin, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::interrupts::{self, Interrupts};
use crate::last_lines::LastLines;
use crate::role::{Message, ROLE_ARGUMENT, Ready};
use crate::{Error, Role};

/// How long a service may take until it serves; it needs milliseconds.
pub const READY_DEADLINE: Duration = Duration::from_secs(10);

/// How long a service may take to drain and flush, which has deadlines of its own, before it is
/// killed.
pub const STOP_DEADLINE: Duration = Duration::from_secs(20);

/// A running service. Dropping it kills the process.
#[derive(Debug)]
pub(crate) struct Child {
    role: Role,
    ready: Ready,
    pid: u32,
    running: Running,
}

#[derive(Debug)]
struct Running {
    process: tokio::process::Child,
    /// Closing it is how the child is told to end; `None` once it has been.
    stdin: Option<ChildStdin>,
    /// Reads standard output to its end and gives the report, if there was one.
    out: JoinHandle<Option<Box<Report>>>,
    err: JoinHandle<()>,
    lines: LastLines,
}

/// A service did not do what it should.
#[derive(Debug, thiserror::Error)]
#[error("{} {what}{lines}", .role.name())]
pub struct ChildError {
    role: Role,
    what: What,
    /// Printed below the message.
    lines: LastLines,
}

#[derive(Debug, thiserror::Error)]
enum What {
    #[error("cannot be started: {0}")]
    Start(io::Error),
    #[error("did not start: {0}")]
    Failed(ExitStatus),
    #[error("did not say that it is ready within {READY_DEADLINE:?} and was killed")]
    NotReady,
    #[error("ended by itself: {0}")]
    Crashed(ExitStatus),
    #[error("cannot be waited for: {0}")]
    Wait(io::Error),
    #[error("did not end within {STOP_DEADLINE:?} and was killed")]
    Hung,
    #[error("ended without a report: {0}")]
    NoReport(ExitStatus),
    #[error("cut requests off at its end: {0}")]
    CutOff(ExitStatus),
}

// === impl Child ===

impl Child {
    /// Runs this executable as `role` and waits until it serves; `None` if somebody interrupts
    /// first, and then the process is gone.
    pub(crate) async fn start<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        role: Role,
        vars: impl IntoIterator<Item = (K, V)>,
        interrupts: &mut Interrupts,
    ) -> Result<Option<Self>, ChildError> {
        let (mut running, ready) = Running::spawn(role, vars).map_err(|error| ChildError {
            role,
            what: What::Start(error),
            lines: LastLines::default(),
        })?;
        let pid = running.process.id().unwrap_or_default();
        let said = tokio::select! {
            biased;
            () = interrupts.next() => None,
            said = timeout(READY_DEADLINE, ready) => Some(said),
        };
        let what = match said {
            None => {
                running.kill().await;
                return Ok(None);
            }
            Some(Ok(Ok(ready))) => {
                return Ok(Some(Self {
                    role,
                    ready,
                    pid,
                    running,
                }));
            }
            // It closed its output without a word, so it is on its way out.
            Some(Ok(Err(_))) => match running.wait().await {
                // Ctrl-C goes to the whole process group, and came before the child listened.
                Ok(status) if interrupts::ended(status) => return Ok(None),
                ended => ended.map_or_else(What::Wait, What::Failed),
            },
            Some(Err(_)) => What::NotReady,
        };
        running.kill().await;
        running.read_to_the_end().await;
        Err(ChildError {
            role,
            what,
            lines: running.lines,
        })
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.ready.address
    }

    /// Where its admin port is, if it has one.
    pub(crate) const fn admin(&self) -> Option<SocketAddr> {
        self.ready.admin
    }

    pub(crate) const fn role(&self) -> Role {
        self.role
    }

    pub(crate) const fn pid(&self) -> u32 {
        self.pid
    }

    /// Waits until the process ends without having been asked to. Cancel safe.
    pub(crate) async fn crashed(&mut self) -> Error {
        let what = self
            .running
            .wait()
            .await
            .map_or_else(What::Wait, What::Crashed);
        self.running.read_to_the_end().await;
        self.error(what).into()
    }

    /// Asks the service to end, and gives its report once the process is gone.
    pub(crate) async fn stop(&mut self) -> Result<Report, Error> {
        self.running.stdin = None;
        let what = match timeout(STOP_DEADLINE, self.running.wait()).await {
            Ok(Ok(status)) => match self.running.read_to_the_end().await {
                Some(report) if status.success() => return Ok(*report),
                Some(_) => What::CutOff(status),
                None => What::NoReport(status),
            },
            Ok(Err(error)) => What::Wait(error),
            Err(_) => {
                self.kill().await;
                What::Hung
            }
        };
        Err(self.error(what).into())
    }

    /// Ends the process at once and reaps it.
    pub(crate) async fn kill(&mut self) {
        self.running.kill().await;
    }

    fn error(&self, what: What) -> ChildError {
        ChildError {
            role: self.role,
            what,
            lines: self.running.lines.clone(),
        }
    }
}

// === impl Running ===

impl Running {
    fn spawn<K: AsRef<OsStr>, V: AsRef<OsStr>>(
        role: Role,
        vars: impl IntoIterator<Item = (K, V)>,
    ) -> io::Result<(Self, oneshot::Receiver<Ready>)> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(ROLE_ARGUMENT).arg(role.name());
        // What the user has set for other programs would send the telemetry elsewhere.
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"OTEL_") {
                command.env_remove(name);
            }
        }
        command.envs(vars);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A net below the explicit kills: an early return must not leave a process.
        command.kill_on_drop(true);

        let mut process = command.spawn()?;
        let missing = || io::Error::other("a standard stream is missing");
        // Taken out, because waiting for the process would close it.
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().ok_or_else(missing)?;
        let stderr = process.stderr.take().ok_or_else(missing)?;
        let lines = LastLines::default();
        let (ready, is_ready) = oneshot::channel();
        let out = tokio::spawn(read_messages(stdout, lines.clone(), ready));
        let err = tokio::spawn(read_lines(stderr, lines.clone()));
        Ok((
            Self {
                process,
                stdin,
                out,
                err,
                lines,
            },
            is_ready,
        ))
    }

    /// Waits for the process's end; once it has ended, gives the same answer again. Cancel safe.
    async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.process.wait().await
    }

    /// Takes in what a process that has ended left in its pipes.
    async fn read_to_the_end(&mut self) -> Option<Box<Report>> {
        if !self.err.is_finished() {
            let _ = (&mut self.err).await;
        }
        (&mut self.out).await.ok().flatten()
    }

    async fn kill(&mut self) {
        // Fails only if the process has been reaped, which is what is wanted.
        let _ = self.process.kill().await;
    }
}

/// Keeps the lines and picks the messages out of them.
async fn read_messages(
    stdout: impl AsyncRead + Unpin,
    lines: LastLines,
    ready: oneshot::Sender<Ready>,
) -> Option<Box<Report>> {
    let mut ready = Some(ready);
    let mut report = None;
    each_line(stdout, |line| match serde_json::from_str(&line) {
        Ok(Message::Ready(said)) => {
            if let Some(ready) = ready.take() {
                // Nobody listens any more if it came too late.
                let _ = ready.send(said);
            }
        }
        Ok(Message::Report(said)) => report = Some(said),
        Err(_) => lines.push(line),
    })
    .await;
    report
}

async fn read_lines(stderr: impl AsyncRead + Unpin, lines: LastLines) {
    each_line(stderr, |line| lines.push(line)).await;
}

/// Reads to the end of the pipe, whatever is in it: a child must never find it full or closed.
async fn each_line(pipe: impl AsyncRead + Unpin, mut take: impl FnMut(String)) {
    let mut reader = BufReader::new(pipe);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line).await, Ok(1..)) {
        take(String::from_utf8_lossy(line.trim_ascii_end()).into_owned());
        line.clear();
    }
}
