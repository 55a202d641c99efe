use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bartizan::telemetry::Report;
use bartizan_panel::{Receiver, Store};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::child::Child;
use crate::interrupts::Interrupts;
use crate::{Error, Options, Role};

/// Everything that runs: the receiver with its store, the panel, and the services.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) store: Arc<Store>,
    pub(crate) receiver: Receiver,
    pub(crate) panel: SocketAddr,
    /// In the order of [`Role::ALL`].
    pub(crate) services: [Child; 4],
    serving_panel: JoinHandle<io::Result<()>>,
}

// === impl Stage ===

impl Stage {
    /// Starts the receiver first and the gateway last, so that each finds what it talks to; `None`
    /// if somebody interrupts before all services serve. Then, and after an error, no service is
    /// left.
    pub(crate) async fn set(
        options: &Options,
        interrupts: &mut Interrupts,
    ) -> Result<Option<Self>, Error> {
        let store = Arc::new(Store::default());
        let receiver = receive(options, &store).await?;
        let (panel, serving_panel) = show(options, &store).await?;

        let mut started = Vec::new();
        let serving = start_services(options, &receiver, &mut started, interrupts).await;
        // The called come first.
        started.reverse();
        match <[Child; 4]>::try_from(started) {
            Ok(services) => Ok(Some(Self {
                store,
                receiver,
                panel,
                services,
                serving_panel,
            })),
            Err(mut started) => {
                for service in &mut started {
                    service.kill().await;
                }
                serving?;
                Ok(None)
            }
        }
    }

    pub(crate) fn service(&self, role: Role) -> &Child {
        let found = self.services.iter().find(|child| child.role() == role);
        found.expect("there is one for each role")
    }

    /// Waits until a service ends without having been asked to. Cancel safe.
    pub(crate) async fn crashed(&mut self) -> Error {
        let [gateway, orders, inventory, payments] = &mut self.services;
        tokio::select! {
            error = gateway.crashed() => error,
            error = orders.crashed() => error,
            error = inventory.crashed() => error,
            error = payments.crashed() => error,
        }
    }

    /// Stops the services, the callers before the called, and gives their reports.
    pub(crate) async fn stop_services(&mut self) -> Result<Vec<Report>, Error> {
        let mut reports = Vec::new();
        for service in &mut self.services {
            reports.push(service.stop().await?);
        }
        Ok(reports)
    }

    /// Ends the services at once and reaps them.
    pub(crate) async fn kill_services(&mut self) {
        for service in &mut self.services {
            service.kill().await;
        }
    }

    /// Ends what runs in this process.
    pub(crate) async fn clear(self) -> Arc<Store> {
        self.serving_panel.abort();
        self.receiver.stop().await;
        self.store
    }
}

/// Starts one service after the other, up to the first that does not start or is interrupted.
async fn start_services(
    options: &Options,
    receiver: &Receiver,
    started: &mut Vec<Child>,
    interrupts: &mut Interrupts,
) -> Result<(), Error> {
    for role in Role::ALL.into_iter().rev() {
        let vars = settings(role, options, started);
        let telemetry = telemetry(role, receiver).map(|(name, value)| (name.to_owned(), value));
        let vars = vars.into_iter().chain(telemetry);
        let Some(child) = Child::start(role, vars, interrupts).await? else {
            return Ok(());
        };
        started.push(child);
    }
    Ok(())
}

/// The environment that tells a service where to listen, and where those are that it calls.
fn settings(role: Role, options: &Options, started: &[Child]) -> Vec<(String, String)> {
    let url = |role| {
        let called = started.iter().find(|child| child.role() == role);
        let called = called.expect("the called are started before the callers");
        format!("http://{}", called.address())
    };
    let own = match role {
        Role::Gateway => vec![
            ("ORDERS_URL", url(Role::Orders)),
            ("INVENTORY_URL", url(Role::Inventory)),
        ],
        Role::Orders => vec![
            ("DATABASE", options.database.to_string_lossy().into_owned()),
            ("INVENTORY_URL", url(Role::Inventory)),
            ("PAYMENTS_URL", url(Role::Payments)),
        ],
        Role::Inventory | Role::Payments => vec![],
    };
    let (port, admin_port) = options.ports_of(role);
    let server = [
        ("SERVER__BIND", loopback(port).to_string()),
        ("SERVER__ADMIN__BIND", loopback(admin_port).to_string()),
        // The demo's traffic is over before it asks.
        ("SERVER__GRACE", "0s".to_owned()),
    ];
    let prefix = role.name().to_ascii_uppercase();
    let named = |(key, value)| (format!("{prefix}__{key}"), value);
    server.into_iter().chain(own).map(named).collect()
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

/// The environment that sends a service's telemetry to the receiver, over both of its protocols.
fn telemetry(role: Role, receiver: &Receiver) -> [(&'static str, String); 8] {
    let (protocol, receiver) = match role {
        Role::Gateway | Role::Payments => ("grpc", receiver.grpc_addr()),
        Role::Orders | Role::Inventory => ("http/protobuf", receiver.http_addr()),
    };
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
