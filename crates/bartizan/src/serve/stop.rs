//! Who asks a server to stop.

use std::fmt;
use std::future::{Future, pending};
use std::io;
use std::pin::Pin;

type BoxFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// How a server is told to stop.
pub(super) enum Stop {
    /// By the process's signals.
    Signals(Signals),
    /// By futures: the first for a stop, the second for an end at once.
    Given(BoxFuture, BoxFuture),
}

/// How it was asked the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// With all its phases.
    Stop,
    /// By a person at a terminal, behind which there is no load balancer to wait for.
    StopByHand,
    /// At once.
    End,
}

/// The signals that ask a process to end. Listening takes their default action away.
#[derive(Debug)]
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
}

// === impl Stop ===

impl Stop {
    pub(super) fn given(stop: Option<BoxFuture>, end: Option<BoxFuture>) -> Option<Self> {
        if stop.is_none() && end.is_none() {
            return None;
        }
        let never = || Box::pin(pending()) as BoxFuture;
        Some(Self::Given(
            stop.unwrap_or_else(never),
            end.unwrap_or_else(never),
        ))
    }

    /// The first time. Called once.
    pub(super) async fn asked(&mut self) -> Asked {
        match self {
            Self::Signals(signals) => signals.next().await,
            Self::Given(stop, end) => tokio::select! {
                biased;
                () = end => Asked::End,
                () = stop => Asked::Stop,
            },
        }
    }

    /// Any further time. Dropping the future loses no request to end; it completes once.
    pub(super) async fn again(&mut self) {
        match self {
            Self::Signals(signals) => {
                signals.next().await;
            }
            Self::Given(_, end) => end.await,
        }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signals(_) => f.write_str("Stop::Signals"),
            Self::Given(..) => f.write_str("Stop::Given"),
        }
    }
}

// === impl Signals ===

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};

        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::StopByHand,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    #[expect(clippy::unnecessary_wraps, reason = "it fails elsewhere")]
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {})
    }

    async fn next(&mut self) -> Asked {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "cannot listen for Ctrl-C");
            pending::<()>().await;
        }
        Asked::StopByHand
    }
}
