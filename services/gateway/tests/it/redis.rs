//! A server of Redis, for the tests that have one.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::gateways::until;

/// A server, which ends with this.
#[derive(Debug)]
pub(crate) struct Redis {
    program: OsString,
    port: u16,
    child: Child,
}

// === impl Redis ===

impl Redis {
    /// A server on a free port. `None`, and a word about it, where `BARTIZAN_REDIS_SERVER` does not
    /// name the program.
    pub(crate) async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("BARTIZAN_REDIS_SERVER") else {
            let text = b"skipped: BARTIZAN_REDIS_SERVER does not say where the server is\n";
            io::stderr().write_all(text).unwrap();
            return None;
        };
        for _ in 0..5 {
            let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
            let port = any.local_addr().unwrap().port();
            drop(any);
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

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Ends it without a word to anybody.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, with nothing in it.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.program, self.port);
        assert!(self.is_up().await, "it has lost its port");
    }

    /// Whether it answers, rather than ends.
    async fn is_up(&mut self) -> bool {
        until(Duration::from_secs(10), async || {
            if self.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            ping(self.port).await.ok()
        })
        .await
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn ping(port: u16) -> io::Result<bool> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    stream.write_all(b"PING\r\n").await?;
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).await?;
    if &answer == b"+PONG\r\n" {
        return Ok(true);
    }
    Err(io::Error::other("it is not ready"))
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
