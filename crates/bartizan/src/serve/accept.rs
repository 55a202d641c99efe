//! Taking connections in, also when the system has a bad time.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinError;
use tokio::time::sleep;

/// The pause after the first failure; each one in a row doubles it.
const MIN_PAUSE: Duration = Duration::from_millis(10);
/// And no longer than this, so that a server out of file descriptors is soon back.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// A listener that never fails.
#[derive(Debug)]
pub(super) struct Acceptor {
    listener: TcpListener,
    backoff: Backoff,
}

/// How long to wait after a failure.
#[derive(Debug, Default)]
struct Backoff {
    /// In a row.
    failures: u32,
}

// === impl Acceptor ===

impl Acceptor {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self {
            listener,
            backoff: Backoff::default(),
        }
    }

    /// The next connection. Dropping the future loses none; the pause after a failure starts anew.
    pub(super) async fn next(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok(accepted) => {
                    self.backoff = Backoff::default();
                    return accepted;
                }
                Err(error) => self.fail(&error).await,
            }
        }
    }

    /// A connection that is there already, if there is one.
    pub(super) async fn waiting(&mut self) -> Option<(TcpStream, SocketAddr)> {
        poll_fn(|cx| match self.listener.poll_accept(cx) {
            Poll::Ready(accepted) => Poll::Ready(accepted.ok()),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }

    async fn fail(&mut self, error: &io::Error) {
        let Some(pause) = self.backoff.after(error.kind()) else {
            tracing::debug!(%error, "a connection was gone before it was accepted");
            return;
        };
        if self.backoff.failures == 1 {
            tracing::error!(%error, "cannot accept connections, trying on");
        }
        sleep(pause).await;
    }
}

// === impl Backoff ===

impl Backoff {
    /// `None` when it was the peer's doing, which says nothing of the next connection.
    fn after(&mut self, kind: io::ErrorKind) -> Option<Duration> {
        use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};

        let is_the_peers = matches!(
            kind,
            ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
        );
        if is_the_peers {
            return None;
        }
        let doubled = 1 << self.failures.min(16);
        self.failures = self.failures.saturating_add(1);
        Some(MAX_PAUSE.min(MIN_PAUSE * doubled))
    }
}

/// A task of ours that panics has taken down no more than itself.
pub(super) fn tell_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "a connection's task panicked");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_that_fails_is_asked_less_and_less_but_at_least_every_second() {
        let mut backoff = Backoff::default();
        let mut pause = || backoff.after(io::ErrorKind::Other).unwrap().as_millis();
        let pauses: Vec<_> = (0..8).map(|_| pause()).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 640, 1000]);
        assert!((0..100).all(|_| pause() == 1000));
    }

    #[test]
    fn a_peer_that_fails_is_no_reason_to_wait() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.after(io::ErrorKind::ConnectionAborted), None);
        assert_eq!(backoff.failures, 0);
    }
}
