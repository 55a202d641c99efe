use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a demo may take from its start to its end. The longest waits that it allows itself add
/// up to less; whatever takes longer would never end.
const DEADLINE: Duration = Duration::from_secs(90);

/// A running demo on free ports, the leader of a process group of its own.
pub(crate) struct Demo {
    process: Child,
    /// What it prints. The channel ends with the pipe.
    stdout: Receiver<String>,
    /// What has been read so far.
    lines: Vec<String>,
    /// `None` once it has been read to its end.
    stderr: Option<JoinHandle<String>>,
    deadline: Instant,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

/// Free ports; what a test passes comes later and wins.
const ANY_PORTS: [&str; 22] = [
    "--gateway-port",
    "0",
    "--gateway-admin-port",
    "0",
    "--orders-port",
    "0",
    "--orders-admin-port",
    "0",
    "--inventory-port",
    "0",
    "--inventory-admin-port",
    "0",
    "--payments-port",
    "0",
    "--payments-admin-port",
    "0",
    "--otlp-grpc-port",
    "0",
    "--otlp-http-port",
    "0",
    "--panel-port",
    "0",
];

impl Demo {
    pub(crate) fn start(options: &[&str]) -> Self {
        Self::start_with(options, &[])
    }

    /// Starts it with these environment variables beside its own.
    pub(crate) fn start_with(options: &[&str], vars: &[(&str, &str)]) -> Self {
        // The shell leaves a copy of standard output open as descriptor 3, which the services
        // inherit: the pipe ends when the last of the processes does.
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3>&1"#, env!("CARGO_BIN_EXE_demo")])
            .args(ANY_PORTS)
            .args(options)
            .envs(vars.iter().copied())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = lines(process.stdout.take().unwrap());
        let mut stderr = process.stderr.take().unwrap();
        let stderr = thread::spawn(move || {
            let mut said = String::new();
            stderr.read_to_string(&mut said).unwrap();
            said
        });
        Self {
            process,
            stdout,
            lines: Vec::new(),
            stderr: Some(stderr),
            deadline: now() + DEADLINE,
        }
    }

    pub(crate) fn pid(&self) -> String {
        self.process.id().to_string()
    }

    /// Reads lines up to the first that has `text` in it, and gives that one.
    pub(crate) fn read_until(&mut self, text: &str) -> String {
        loop {
            let Some(line) = self.next_line() else {
                panic!("the demo ended before {text:?}: {:?}", self.lines);
            };
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Reads on to the line that says where a service is, and gives its process id.
    pub(crate) fn pid_of(&mut self, service: &str) -> String {
        let line = self.read_until(&format!("{service}  "));
        let (_, pid) = line.split_once("(pid ").unwrap();
        pid.trim_end().trim_end_matches(')').to_owned()
    }

    /// Waits until the demo and everything that it started have ended.
    pub(crate) fn wait(mut self) -> Ended {
        while self.next_line().is_some() {}
        let status = self.process.wait().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ended {
            status,
            stdout: std::mem::take(&mut self.lines),
            stderr: stderr.lines().map(str::to_owned).collect(),
        }
    }

    /// Reads a line; `None` is the end of the pipe, which comes when nobody holds it any more.
    fn next_line(&mut self) -> Option<String> {
        let left = self.deadline.saturating_duration_since(now());
        match self.stdout.recv_timeout(left) {
            Ok(line) => {
                self.lines.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                // The leader has not been waited for, so the group's id is still its own.
                send("-KILL", &format!("-{}", self.pid()));
                panic!(
                    "the demo, or a process that it left behind, still runs after {DEADLINE:?}: {:?}",
                    self.lines
                );
            }
        }
    }
}

/// Reads on a thread of its own, so that who waits for a line can stop waiting.
fn lines(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            // Nobody listens any more once a test has failed.
            if sender.send(line.unwrap()).is_err() {
                return;
            }
        }
    });
    lines
}

#[expect(
    clippy::disallowed_methods,
    reason = "processes run in real time; nothing but the end of a hung test depends on it"
)]
fn now() -> Instant {
    Instant::now()
}

impl Drop for Demo {
    /// A failed test leaves no demo running. The services end with it.
    fn drop(&mut self) {
        // Does nothing once it has been waited for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Sends a signal to a process, or to a group if the id has a minus sign.
pub(crate) fn kill(signal: &str, pid: &str) {
    assert!(send(signal, pid).success());
}

fn send(signal: &str, pid: &str) -> ExitStatus {
    Command::new("kill")
        .args([signal, "--", pid])
        .status()
        .unwrap()
}

/// Whether a process still runs. One that has ended but was not yet reaped by its new parent does
/// not: it is a zombie.
pub(crate) fn lives(pid: &str) -> bool {
    match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
        // The state follows the name, which is in parentheses.
        Ok(stat) => !stat
            .rsplit(") ")
            .next()
            .is_some_and(|rest| rest.starts_with('Z')),
        Err(_) => false,
    }
}
