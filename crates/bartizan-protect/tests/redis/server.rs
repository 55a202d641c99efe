use std::ffi::OsString;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::SECOND;

/// A server, which ends with this.
#[derive(Debug)]
pub(crate) struct Server {
    program: OsString,
    port: u16,
    child: Child,
}

// === impl Server ===

impl Server {
    /// A server on a free port. `None`, and a word about it, where there is no program.
    pub(crate) async fn start() -> Option<Self> {
        let Some(program) = std::env::var_os("BARTIZAN_REDIS_SERVER") else {
            let text = b"skipped: BARTIZAN_REDIS_SERVER does not say where the server is\n";
            io::stderr().write_all(text).unwrap();
            return None;
        };
        for _ in 0..5 {
            let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
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

    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// Ends it without a word to anybody.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(&self.program, self.port);
        assert!(self.is_up().await, "it has lost its port");
    }

    /// Has it hold still, or go on: connections stay, and nobody answers.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args([signal, &id]).status();
        assert!(kill.unwrap().success());
    }

    /// Whether it answers, rather than ends.
    async fn is_up(&mut self) -> bool {
        let client = redis::Client::open(self.url()).unwrap();
        until(10 * SECOND, async || {
            if self.child.try_wait().unwrap().is_some() {
                return Some(false);
            }
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            let ping: Result<String, _> = redis::cmd("PING").query_async(&mut connection).await;
            ping.ok().map(|_| true)
        })
        .await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks every few milliseconds until there is an answer.
pub(crate) async fn until<T>(patience: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let mut ticks = interval(Duration::from_millis(5));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let asking = async {
        loop {
            ticks.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    timeout(patience, asking).await.unwrap()
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
