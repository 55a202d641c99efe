use std::io;
use std::net::SocketAddr;

use axum::Router;
use bartizan::Telemetry;
use shop::faults::{Admin, Switch};
use tokio::net::TcpListener;

use crate::{Config, Shelves, router};

/// The service, ready to be given to [`bartizan::serve`].
#[derive(Debug)]
pub struct Service {
    /// The socket, already listening.
    pub listener: TcpListener,
    /// The routes with Bartizan's stack around them.
    pub app: Router,
    /// Where the spans, metrics and logs go.
    pub telemetry: Telemetry,
    /// Where faults are set, open until it is dropped.
    pub admin: Admin,
}

/// The service could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The telemetry's environment is wrong, or the stack cannot be built.
    #[error(transparent)]
    Bartizan(#[from] bartizan::Error),
    /// An address cannot be listened on.
    #[error("cannot listen on {address} ({variable}): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The variable that sets it.
        variable: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

// === impl Service ===

impl Service {
    /// Sets up telemetry from the environment, fills the shelves and listens.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        let telemetry = bartizan::telemetry::from_env()?;
        let faults = Switch::default();
        let app = faults
            .around(router(Shelves::default()))
            .layer(bartizan::stack().with_telemetry(&telemetry).build()?);
        let admin = Admin::bind(config.admin_bind, faults).await;
        let listener = TcpListener::bind(config.bind).await;
        Ok(Self {
            listener: listener.map_err(StartError::at(config.bind, "BIND"))?,
            app,
            telemetry,
            admin: admin.map_err(StartError::at(config.admin_bind, "INVENTORY_ADMIN_BIND"))?,
        })
    }
}

// === impl StartError ===

impl StartError {
    fn at(address: SocketAddr, variable: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Listen {
            address,
            variable,
            source,
        }
    }
}
