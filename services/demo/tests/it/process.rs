use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};

/// A running demo on free ports, the leader of a process group of its own.
pub(crate) struct Demo {
    process: Child,
    stdout: BufReader<ChildStdout>,
    /// What has been read so far.
    lines: Vec<String>,
    /// `None` once it has been read to its end.
    stderr: Option<JoinHandle<String>>,
}

/// How it went.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: Vec<String>,
}

/// Free ports; what a test passes comes later and wins.
const ANY_PORTS: [&str; 10] = [
    "--gateway-port",
    "0",
    "--orders-port",
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
        // The shell leaves a copy of standard output open as descriptor 3, which the services
        // inherit: the pipe ends when the last of the processes does.
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$0" "$@" 3>&1"#, env!("CARGO_BIN_EXE_demo")])
            .args(ANY_PORTS)
            .args(options)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(process.stdout.take().unwrap());
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
        }
    }

    pub(crate) fn pid(&self) -> String {
        self.process.id().to_string()
    }

    /// Reads lines up to the first that has `text` in it, and gives that one.
    pub(crate) fn read_until(&mut self, text: &str) -> String {
        loop {
            let mut line = String::new();
            let read = self.stdout.read_line(&mut line).unwrap();
            assert_ne!(read, 0, "the demo ended before {text:?}: {:?}", self.lines);
            self.lines.push(line.trim_end().to_owned());
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
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        self.lines.extend(rest.lines().map(str::to_owned));
        let status = self.process.wait().unwrap();
        let stderr = self.stderr.take().unwrap().join().unwrap();
        Ended {
            status,
            stdout: std::mem::take(&mut self.lines),
            stderr: stderr.lines().map(str::to_owned).collect(),
        }
    }
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
    assert!(
        Command::new("kill")
            .args([signal, "--", pid])
            .status()
            .unwrap()
            .success()
    );
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
