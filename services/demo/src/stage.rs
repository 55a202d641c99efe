use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use bartizan::telemetry::Report;
use bartizan_panel::{Receiver, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::child::Child;
use crate::{Error, Options, Role};

/// Everything that runs: the receiver with its store, the panel, and the two services.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) store: Arc<Store>,
    pub(crate) receiver: Receiver,
    pub(crate) panel: SocketAddr,
    pub(crate) gateway: Child,
    pub(crate) orders: Child,
    serving_panel: JoinHandle<io::Result<()>>,
}

// === impl Stage ===

impl Stage {
    /// Starts the receiver first and the gateway last, so that each finds what it talks to.
    pub(crate) async fn set(options: &Options) -> Result<Self, Error> {
        let store = Arc::new(Store::default());
        let receiver = receive(options, &store).await?;
        let (panel, serving_panel) = show(options, &store).await?;

        let mut orders = Child::start(
            Role::Orders,
            [
                ("BIND", loopback(options.orders_port).to_string()),
                database(&options.database),
            ]
            .into_iter()
            .chain(telemetry(
                Role::Orders,
                "http/protobuf",
                receiver.http_addr(),
            )),
        )
        .await?;
        let gateway = Child::start(
            Role::Gateway,
            [
                ("BIND", loopback(options.gateway_port).to_string()),
                ("ORDERS_URL", format!("http://{}", orders.address())),
            ]
            .into_iter()
            .chain(telemetry(Role::Gateway, "grpc", receiver.grpc_addr())),
        )
        .await;
        let gateway = match gateway {
            Ok(gateway) => gateway,
            Err(error) => {
                orders.kill().await;
                return Err(error.into());
            }
        };
        Ok(Self {
            store,
            receiver,
            panel,
            gateway,
            orders,
            serving_panel,
        })
    }

    /// Waits until a service ends without having been asked to. Cancel safe.
    pub(crate) async fn crashed(&mut self) -> Error {
        tokio::select! {
            error = self.gateway.crashed() => error,
            error = self.orders.crashed() => error,
        }
    }

    /// Stops the services, the caller before the called, and gives their reports.
    pub(crate) async fn stop_services(&mut self) -> Result<[Report; 2], Error> {
        Ok([self.gateway.stop().await?, self.orders.stop().await?])
    }

    /// Ends the services at once and reaps them.
    pub(crate) async fn kill_services(&mut self) {
        self.gateway.kill().await;
        self.orders.kill().await;
    }

    /// Ends what runs in this process.
    pub(crate) async fn clear(self) -> Arc<Store> {
        self.serving_panel.abort();
        self.receiver.stop().await;
        self.store
    }
}

async fn receive(options: &Options, store: &Arc<Store>) -> Result<Receiver, Error> {
    let grpc = loopback(options.otlp_grpc_port);
    let http = loopback(options.otlp_http_port);
    Receiver::bind(grpc, http, store.clone())
        .await
        .map_err(|error| Error::Listen {
            address: error.addr,
            option: if error.listener == "gRPC" {
                "--otlp-grpc-port"
            } else {
                "--otlp-http-port"
            },
            source: error.source,
        })
}

async fn show(
    options: &Options,
    store: &Arc<Store>,
) -> Result<(SocketAddr, JoinHandle<io::Result<()>>), Error> {
    let address = loopback(options.panel_port);
    let failed = |source| Error::Listen {
        address,
        option: "--panel-port",
        source,
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let panel = bartizan_panel::router(Arc::clone(store));
    Ok((
        address,
        tokio::spawn(axum::serve(listener, panel).into_future()),
    ))
}

const fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

fn database(path: &Path) -> (&'static str, String) {
    ("ORDERS_DB", path.to_string_lossy().into_owned())
}

/// The environment that sends a service's telemetry to the receiver.
fn telemetry(
    role: Role,
    protocol: &'static str,
    receiver: SocketAddr,
) -> [(&'static str, String); 8] {
    [
        ("OTEL_SERVICE_NAME", role.name().to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{receiver}")),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
        // The defaults of 5 s, 1 s and a minute are long for somebody who watches, and a trace is to
        // be there together with its lines.
        ("OTEL_BSP_SCHEDULE_DELAY", "200".to_owned()),
        ("OTEL_BLRP_SCHEDULE_DELAY", "200".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000".to_owned()),
        ("RUST_LOG", "info".to_owned()),
        // The lines are shown when the service crashes.
        (bartizan::telemetry::LOG_FORMAT_VARIABLE, "human".to_owned()),
    ]
}
