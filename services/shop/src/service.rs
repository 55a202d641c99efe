use std::fmt;
use std::future::Future;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use bartizan::admin::Admin;
use bartizan::config::ServerConfig;
use bartizan::{ExitPolicy, ServeReport, Server, Telemetry};
use tokio::net::TcpListener;

use crate::Error;

/// A service that listens, on its own port and on the admin port, and is to be served.
#[must_use = "a service does nothing until `serve`"]
pub struct Service {
    server: Server,
    listener: TcpListener,
    address: SocketAddr,
    admin: Option<SocketAddr>,
}

// === impl Service ===

impl Service {
    /// Listens where `config` says.
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on.
    pub async fn listen(
        config: &ServerConfig,
        app: Router,
        telemetry: Telemetry,
        admin: Admin,
    ) -> Result<Self, Error> {
        let mut server = config.server(app, telemetry);
        let (listener, address) = bind(config.bind(), "server.bind").await?;
        let mut admin_address = None;
        if config.admin().enabled {
            let (listener, address) = bind(config.admin().bind, "server.admin.bind").await?;
            server = server.with_admin(listener, admin);
            admin_address = Some(address);
        }
        Ok(Self {
            server,
            listener,
            address,
            admin: admin_address,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the admin port is, if there is one.
    #[must_use]
    pub const fn admin(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Stops when `stop` completes; see [`Server::with_stop`].
    pub fn with_stop(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.server = self.server.with_stop(stop);
        self
    }

    /// Has this done when all has been served; see [`Server::with_last`].
    pub fn with_last(mut self, last: impl Future<Output = ()> + Send + 'static) -> Self {
        self.server = self.server.with_last(last);
        self
    }

    /// Serves until SIGTERM or Ctrl-C, as [`bartizan::serve`] does.
    ///
    /// # Errors
    ///
    /// When signals cannot be listened for.
    ///
    /// # Cancel safety
    ///
    /// As [`Server::serve`].
    pub async fn serve(self) -> Result<ServeReport, Error> {
        let admin = self.admin.map(tracing::field::display);
        tracing::info!(address = %self.address, admin, "listening");
        self.server.serve(self.listener).await.map_err(Error::Serve)
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("server", &self.server)
            .field("address", &self.address)
            .field("admin", &self.admin)
            .finish_non_exhaustive()
    }
}

/// What `main` returns. The report, or the error, goes to standard error: the log is closed together
/// with the telemetry.
#[must_use]
pub fn exit(name: &str, served: Result<ServeReport, Error>) -> ExitCode {
    let (said, code) = match served {
        Ok(report) => (report.to_string(), report.exit_code(ExitPolicy::default())),
        Err(error) => (error.to_string(), error.exit_code()),
    };
    // Nothing is left to try if it is closed.
    let _ = writeln!(io::stderr(), "{name}: {said}");
    ExitCode::from(code)
}

async fn bind(address: SocketAddr, key: &'static str) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen {
        address,
        key,
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

#[cfg(test)]
mod tests {
    use bartizan::config::{self, Loaded};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Only {
        server: ServerConfig,
    }

    async fn listen(bind: &str, admin: &str) -> Result<Service, Error> {
        let loader = config::loader().with_default("server.grace", "0s");
        let Loaded { config, .. } = loader
            .with_default("server.bind", bind)
            .with_default("server.admin.bind", admin)
            .load::<Only>()
            .unwrap();
        let telemetry = Telemetry::builder().build().unwrap();
        Service::listen(&config.server, Router::new(), telemetry, Admin::new()).await
    }

    #[tokio::test]
    async fn a_taken_address_is_named_with_the_key_that_sets_it() {
        let any = "127.0.0.1:0";
        let service = listen(any, any).await.unwrap();
        let taken = service.address().to_string();
        for (bind, admin, key) in [
            (&*taken, any, "server.bind"),
            (any, &*taken, "server.admin.bind"),
        ] {
            let error = listen(bind, admin).await.unwrap_err();
            assert_eq!(error.exit_code(), 1);
            let said = format!("cannot listen on {taken} ({key}): ");
            assert!(error.to_string().starts_with(&said), "{error}");
        }
    }

    #[tokio::test]
    async fn what_comes_last_is_done_once_all_has_been_served() {
        let service = listen("127.0.0.1:0", "127.0.0.1:0").await.unwrap();
        let (done, is_done) = tokio::sync::oneshot::channel();
        let served = service
            .with_stop(std::future::ready(()))
            .with_last(async move { done.send(()).unwrap() })
            .serve();
        served.await.unwrap();
        is_done.await.unwrap();
    }
}
