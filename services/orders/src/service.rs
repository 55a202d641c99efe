use std::io;
use std::net::SocketAddr;

use axum::Router;
use bartizan::Telemetry;
use tokio::net::TcpListener;

use crate::{
    CALL_TIMEOUT, CONNECT_TIMEOUT, Config, Db, OpenError, Orders, Sweeper, Upstream, router,
};

/// The service, ready to be given to [`bartizan::serve`].
#[derive(Debug)]
pub struct Service {
    /// The socket, already listening.
    pub listener: TcpListener,
    /// The routes with Bartizan's stack around them.
    pub app: Router,
    /// Where the spans, metrics and logs go.
    pub telemetry: Telemetry,
    /// Undoes what a crash has left, until it is stopped or dropped.
    pub sweeper: Sweeper,
}

/// The service could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The telemetry's environment is wrong, or the stack cannot be built.
    #[error(transparent)]
    Bartizan(#[from] bartizan::Error),
    /// The HTTP client cannot be built.
    #[error("cannot build the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] OpenError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address} (BIND): {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

// === impl Service ===

impl Service {
    /// Sets up telemetry from the environment, opens the database, builds the client and listens.
    ///
    /// # Errors
    ///
    /// See [`StartError`].
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        let telemetry = bartizan::telemetry::from_env()?;
        let db = Db::open(&config.database)?;
        let client = reqwest::Client::builder()
            // One hop away: a proxy that the environment names is for the world outside.
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT);
        let client = bartizan::client::reqwest(client, &telemetry)?;
        let inventory = Upstream::new("inventory", client.clone(), config.inventory_url.clone());
        let payments = Upstream::new("payments", client, config.payments_url.clone());
        let orders = Orders::new(db, inventory, payments);
        let app =
            router(orders.clone()).layer(bartizan::stack().with_telemetry(&telemetry).build()?);
        let listener =
            TcpListener::bind(config.bind)
                .await
                .map_err(|source| StartError::Listen {
                    address: config.bind,
                    source,
                })?;
        Ok(Self {
            listener,
            app,
            telemetry,
            sweeper: Sweeper::start(orders),
        })
    }
}
