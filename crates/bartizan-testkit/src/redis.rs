use std::ffi::OsString;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::until;

/// What names the program.
const PROGRAM: &str = "BARTIZAN_REDIS_SERVER";

/// How long a server may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server of Redis on loopback, a process of its own that keeps nothing and ends with this.
#[derive(Debug)]
pub struct RedisServer {
    program: OsString,
    port: u16,
    child: Child,
}

// === impl RedisServer ===

impl RedisServer {
    /// A server on a free port. `None`, and a word about it on standard error, where the environment
    /// variable `BARTIZAN_REDIS_SERVER` does not name the program.
    ///
    /// # Panics
    ///
    /// When the program does not run.
    pub async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os(PROGRAM) else {
            let text = format!("skipped: {PROGRAM} does not say where the server is\n");
            // Who does not read it misses nothing else.
            let _ = io::stderr().write_all(text.as_bytes());
            return None;
        };
        for _ in 0..5 {
            let port = or_panic(free_port().await, "a free port");
            let mut server = Self {
                child: spawn(&program, port),
                program: program.clone(),
                port,
            };
            // Somebody else may have taken the port.
            if server.is_up().await {
                return Some(server);
            }
        }
        panic!("{} does not run", program.display());
    }

    /// Where it is, as `redis://127.0.0.1:6379/`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Ends it without a word to anybody.
    ///
    /// # Panics
    ///
    /// When it cannot be ended.
    pub fn kill(&mut self) {
        or_panic(self.child.kill(), "kill");
        or_panic(self.child.wait(), "wait");
    }

    /// Starts it again where it was, with nothing in it.
    ///
    /// # Panics
    ///
    /// When it does not run there.
    pub async fn restart(&mut self) {
        self.child = spawn(&self.program, self.port);
        assert!(self.is_up().await, "it has lost its port");
    }

    /// Has it hold still: connections stay, and nobody answers.
    ///
    /// # Panics
    ///
    /// When there is no program `kill`.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Has it go on after a [pause](Self::pause).
    ///
    /// # Panics
    ///
    /// When there is no program `kill`.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let status = or_panic(Command::new("kill").args([signal, &id]).status(), "kill");
        assert!(status.success(), "kill {signal}: {status}");
    }

    /// Whether it answers, rather than ends.
    async fn is_up(&mut self) -> bool {
        until(PATIENCE, async || {
            if or_panic(self.child.try_wait(), "wait").is_some() {
                return Some(false);
            }
            ping(self.port).await.ok()
        })
        .await
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn free_port() -> io::Result<u16> {
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(any.local_addr()?.port())
}

async fn ping(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await?;
    match &answer {
        b"+PONG\r\n" => Ok(true),
        _ => Err(io::Error::other("it is not ready")),
    }
}

fn spawn(program: &OsString, port: u16) -> Child {
    let spawned = Command::new(program)
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    spawned.unwrap_or_else(|error| panic!("{}: {error}", program.display()))
}

fn or_panic<T>(result: io::Result<T>, what: &str) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}
