//! The connections of a server, and the tasks that serve them.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use bartizan_observe::Clock;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::accept::{Acceptor, tell_panic};
use super::attend::Attendant;
use super::connections::{Connections, Left};
use super::converse::converse;
use super::in_flight::InFlight;
use super::lifecycle::Lifecycle;
use super::line::{Line, Socket};
use super::phases::Phase;
use crate::{Connection, PerConnection};

/// How long cut-off requests get to be dropped. It takes no time, unless one of them blocks its
/// thread, which nothing can cancel and nobody should wait for.
const CANCEL_DEADLINE: Duration = Duration::from_secs(1);

/// How many connections are still taken in when accepting stops: a backlog as large as systems
/// allow by default.
const MAX_WAITING: usize = 4096;

/// All that is being served. Dropped early, it takes its connections along.
#[derive(Debug)]
pub(super) struct Serving {
    app: Router,
    lifecycle: Lifecycle,
    clock: Clock,
    /// Every task of ours but the streams of HTTP/2, which their connection's task owns.
    tasks: JoinSet<()>,
    connections: Connections,
    cut_off: watch::Sender<bool>,
}

// === impl Serving ===

impl Serving {
    pub(super) fn new(app: Router, lifecycle: Lifecycle, clock: Clock) -> Self {
        Self {
            app,
            lifecycle,
            clock,
            tasks: JoinSet::new(),
            connections: Connections::default(),
            cut_off: watch::Sender::new(false),
        }
    }

    /// How many requests there were so far.
    pub(super) fn requests(&self) -> u64 {
        self.connections.requests()
    }

    /// Serves new connections, and forgets those that ended, until `over` completes.
    pub(super) async fn accept_until<T>(
        &mut self,
        acceptor: &mut Acceptor,
        over: impl Future<Output = T>,
    ) -> T {
        let mut over = pin!(over);
        loop {
            tokio::select! {
                biased;
                over = &mut over => return over,
                Some(ended) = self.tasks.join_next() => tell_panic(ended),
                (stream, peer) = acceptor.next() => self.welcome(stream, peer),
            }
        }
    }

    /// Takes in whoever has connected by now; closing the listener would reset them.
    pub(super) async fn take_waiting(&mut self, acceptor: &mut Acceptor) {
        for _ in 0..MAX_WAITING {
            let Some((stream, peer)) = acceptor.waiting().await else {
                return;
            };
            self.welcome(stream, peer);
        }
    }

    fn welcome(&mut self, stream: TcpStream, peer: SocketAddr) {
        let connection = Connection::new(stream);
        let on_close = connection.on_close().clone();
        let in_flight = InFlight::default();
        let line = Arc::new(Line::default());
        let seat =
            self.connections
                .open(peer, in_flight.clone(), Arc::clone(&line), on_close.clone());
        let attendant = Attendant {
            service: PerConnection::new(self.app.clone(), peer, on_close),
            in_flight,
            lifecycle: self.lifecycle.clone(),
            clock: self.clock.clone(),
        };
        let socket = Socket::new(connection, line, seat);
        let cut_off = self.cut_off.subscribe();
        self.tasks.spawn(converse(socket, attendant, cut_off));
    }

    /// Completes when our tasks have ended and upgraded connections are closed, too.
    pub(super) async fn all_ended(&mut self) {
        while let Some(ended) = self.tasks.join_next().await {
            tell_panic(ended);
        }
        self.connections.all_closed().await;
    }

    /// What there is to cut off; `None` if all has ended.
    pub(super) fn left(&self) -> Option<Left> {
        let left = self.connections.left();
        (!left.is_empty() || !self.tasks.is_empty()).then_some(left)
    }

    /// Drops everything that is under way, and waits until it is gone.
    pub(super) async fn cut_off(&mut self) {
        self.cut_off.send_replace(true);
        let ended = async {
            while let Some(ended) = self.tasks.join_next().await {
                tell_panic(ended);
            }
        };
        if timeout(CANCEL_DEADLINE, ended).await.is_err() {
            let tasks = self.tasks.len();
            tracing::warn!(tasks, "tasks that block their thread are left behind");
        }
        // After the tasks, which may upgrade until they are gone.
        self.connections.cut();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Nobody is to be sent to a server that is gone.
        self.lifecycle.advance(Phase::Stopped);
        self.connections.cut();
    }
}
