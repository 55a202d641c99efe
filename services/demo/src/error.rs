use std::io;
use std::net::SocketAddr;

use crate::Role;
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
    /// In a service's role: it could not start or serve, for another reason than its ports.
    #[error(transparent)]
    Service(shop::Error),
}

// === impl Error ===

impl Error {
    /// Why the service of a role does not serve.
    ///
    /// It names the key of its address, but whoever runs the demo has an option for it.
    pub(crate) fn of(role: Role, error: shop::Error) -> Self {
        match error {
            shop::Error::Listen {
                address,
                key,
                source,
            } => Self::Listen {
                address,
                option: match key {
                    "server.admin.bind" => role.admin_port_option(),
                    _ => role.port_option(),
                },
                source,
            },
            other => Self::Service(other),
        }
    }

    /// What the process should exit with: 2 where the configuration is to blame, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Service(error) => error.exit_code(),
            _ => 1,
        }
    }
}
