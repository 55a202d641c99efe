use std::io;
use std::net::SocketAddr;

use crate::child::ChildError;

/// Why the demo, or a service that it started, ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A port of the demo's own is taken, or the address cannot be had.
    #[error("cannot listen on {address} ({option}): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The option that sets its port.
        option: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// A service did not start, crashed or did not stop.
    #[error(transparent)]
    Child(#[from] ChildError),
    /// Standard output is closed or full.
    #[error("cannot write to standard output: {0}")]
    Output(#[source] io::Error),
    /// Signals cannot be listened for.
    #[error("cannot listen for signals: {0}")]
    Signals(#[source] io::Error),
    /// A second Ctrl-C came while the services were being stopped.
    #[error("interrupted again, the services were killed and their reports are lost")]
    Impatient,
    /// In the gateway's role: its environment is wrong.
    #[error(transparent)]
    GatewayConfig(#[from] gateway::InvalidVar),
    /// In the gateway's role: it could not start.
    #[error(transparent)]
    Gateway(#[from] gateway::StartError),
    /// In the order service's role: its environment is wrong.
    #[error(transparent)]
    OrdersConfig(#[from] orders::InvalidVar),
    /// In the order service's role: it could not start.
    #[error(transparent)]
    Orders(#[from] orders::StartError),
    /// In a service's role: serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[source] io::Error),
}

impl Error {
    /// What the process should exit with: 2 where the configuration is to blame, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::GatewayConfig(_) | Self::OrdersConfig(_) => 2,
            _ => 1,
        }
    }
}
