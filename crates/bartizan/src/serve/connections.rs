//! The connections that are open, those that were upgraded included.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bartizan_observe::request::OnClose;
use tokio::sync::Notify;

use super::in_flight::{InFlight, Known};
use super::line::Line;

/// The table of open connections. Clones are the same. It is as large as the process has sockets.
#[derive(Debug, Clone, Default)]
pub(super) struct Connections(Arc<Shared>);

/// A connection's place in the table, which its socket holds: an upgrade takes the socket out of
/// the server's hands, and this with it.
#[derive(Debug)]
pub(super) struct Seat {
    connections: Connections,
    number: u64,
}

/// What is still there when the time is up.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// The requests that are known, each with its peer.
    pub(super) requests: Vec<(SocketAddr, Known)>,
    /// Those that are not.
    pub(super) unknown: u64,
    /// Connections without a request under way.
    pub(super) connections: u64,
}

#[derive(Debug, Default)]
struct Shared {
    table: Mutex<Table>,
    /// Tells that a connection was closed.
    closed: Notify,
}

#[derive(Debug, Default)]
struct Table {
    open: HashMap<u64, Open>,
    opened: u64,
    /// The requests of the connections that are closed.
    requests: u64,
}

#[derive(Debug)]
struct Open {
    peer: SocketAddr,
    in_flight: InFlight,
    line: Arc<Line>,
    on_close: OnClose,
}

// === impl Connections ===

impl Connections {
    pub(super) fn open(
        &self,
        peer: SocketAddr,
        in_flight: InFlight,
        line: Arc<Line>,
        on_close: OnClose,
    ) -> Seat {
        let mut table = self.lock();
        let number = table.opened;
        table.opened += 1;
        let open = Open {
            peer,
            in_flight,
            line,
            on_close,
        };
        table.open.insert(number, open);
        Seat {
            connections: self.clone(),
            number,
        }
    }

    /// How many requests there were on all connections, closed and open.
    pub(super) fn requests(&self) -> u64 {
        let table = self.lock();
        let open = table.open.values().map(|open| open.in_flight.begun());
        table.requests + open.sum::<u64>()
    }

    /// Completes when no connection is open.
    pub(super) async fn all_closed(&self) {
        loop {
            let closed = self.0.closed.notified();
            if self.lock().open.is_empty() {
                return;
            }
            closed.await;
        }
    }

    /// What is under way, and what else is open.
    pub(super) fn left(&self) -> Left {
        let mut left = Left::default();
        for open in self.lock().open.values() {
            let (known, unknown) = open.in_flight.snapshot();
            left.connections += u64::from(known.is_empty() && unknown == 0);
            left.unknown += unknown;
            left.requests
                .extend(known.into_iter().map(|known| (open.peer, known)));
        }
        left
    }

    /// Breaks every connection, also those in hands other than ours, and ends the streams that they
    /// carry.
    pub(super) fn cut(&self) {
        // Outside of the lock: an ending stream writes a line.
        let open: Vec<_> = self
            .lock()
            .open
            .values()
            .map(|open| (Arc::clone(&open.line), open.on_close.clone()))
            .collect();
        for (line, on_close) in open {
            line.cut();
            on_close.closed();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Left ===

impl Left {
    pub(super) const fn is_empty(&self) -> bool {
        self.requests.is_empty() && self.unknown == 0 && self.connections == 0
    }
}

// === impl Seat ===

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.connections.lock();
        if let Some(open) = table.open.remove(&self.number) {
            table.requests += open.in_flight.begun();
        }
        drop(table);
        self.connections.0.closed.notify_waiters();
    }
}
