use std::io;
use std::net::SocketAddr;

use bartizan::config::InvalidVar;

use crate::child::ChildError;

/// Why the demo, or a service that it started, ended early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A port is taken, or the address cannot be had.
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
    /// In a service's role: its environment is wrong.
    #[error(transparent)]
    Config(#[from] InvalidVar),
    /// In the gateway's role: it could not start, for another reason than its port.
    #[error(transparent)]
    Gateway(gateway::StartError),
    /// In the inventory's role: it could not start, for another reason than its ports.
    #[error(transparent)]
    Inventory(inventory::StartError),
    /// In the order service's role: it could not start, for another reason than its port.
    #[error(transparent)]
    Orders(orders::StartError),
    /// In the payments' role: it could not start, for another reason than its ports.
    #[error(transparent)]
    Payments(payments::StartError),
    /// In a service's role: serving failed.
    #[error("cannot serve: {0}")]
    Serve(#[source] io::Error),
}

impl Error {
    /// What the process should exit with: 2 where the configuration is to blame, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Config(_) => 2,
            _ => 1,
        }
    }
}

// A service names the variable of its address, but whoever runs the demo has an option for it.

impl From<gateway::StartError> for Error {
    fn from(error: gateway::StartError) -> Self {
        match error {
            gateway::StartError::Listen { address, source } => Self::Listen {
                address,
                option: "--gateway-port",
                source,
            },
            other => Self::Gateway(other),
        }
    }
}

impl From<orders::StartError> for Error {
    fn from(error: orders::StartError) -> Self {
        match error {
            orders::StartError::Listen { address, source } => Self::Listen {
                address,
                option: "--orders-port",
                source,
            },
            other => Self::Orders(other),
        }
    }
}

impl From<inventory::StartError> for Error {
    fn from(error: inventory::StartError) -> Self {
        match error {
            inventory::StartError::Listen {
                address,
                variable,
                source,
            } => Self::Listen {
                address,
                option: match variable {
                    "BIND" => "--inventory-port",
                    _ => "--inventory-admin-port",
                },
                source,
            },
            other => Self::Inventory(other),
        }
    }
}

impl From<payments::StartError> for Error {
    fn from(error: payments::StartError) -> Self {
        match error {
            payments::StartError::Listen {
                address,
                variable,
                source,
            } => Self::Listen {
                address,
                option: match variable {
                    "BIND" => "--payments-port",
                    _ => "--payments-admin-port",
                },
                source,
            },
            other => Self::Payments(other),
        }
    }
}
