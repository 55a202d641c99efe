//! The four services as processes, exporting to a Collector.

use std::net::SocketAddr;
use std::process::Stdio;

use bartizan::telemetry::Report;
use demo::ROLE_ARGUMENT;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::chain::Collector;
use crate::http::{self, Answer};
use crate::{DEADLINE, SERVICES};

/// The services, the called before the callers. Dropping it kills them.
pub(crate) struct Shop {
    services: Vec<Service>,
}

struct Service {
    name: &'static str,
    process: Child,
    /// The service ends when this does.
    stdin: ChildStdin,
    address: SocketAddr,
    admin: SocketAddr,
    /// Reads standard output to its end and gives the report, if there was one.
    out: JoinHandle<Option<Box<Report>>>,
}

/// What a service says among its log lines.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Message {
    Ready {
        address: SocketAddr,
        admin: SocketAddr,
    },
    Report(Box<Report>),
}

// === impl Shop ===

impl Shop {
    /// With these settings of the gateway's beside those that it needs.
    pub(crate) async fn open(collector: &Collector, gateway: &[(&str, &str)]) -> Self {
        let mut shop = Self {
            services: Vec::new(),
        };
        for name in SERVICES.into_iter().rev() {
            let mut settings = shop.settings(name);
            if name == "gateway" {
                let given = gateway.iter().map(|&(key, value)| (key, value.to_owned()));
                settings.extend(given);
            }
            let prefix = name.to_uppercase();
            let named = |(key, value)| (format!("{prefix}__{key}"), value);
            let vars = settings.into_iter().map(named);
            let vars = vars.chain(telemetry(name, collector));
            shop.services.push(Service::start(name, vars).await);
        }
        shop
    }

    fn settings(&self, name: &str) -> Vec<(&'static str, String)> {
        let url = |name| format!("http://{}", self.service(name).address);
        let mut settings = vec![
            ("SERVER__BIND", "127.0.0.1:0".to_owned()),
            ("SERVER__ADMIN__BIND", "127.0.0.1:0".to_owned()),
            // Nobody balances load here.
            ("SERVER__GRACE", "0s".to_owned()),
        ];
        match name {
            "gateway" => settings.extend([
                ("ORDERS_URL", url("orders")),
                ("INVENTORY_URL", url("inventory")),
            ]),
            "orders" => settings.extend([
                ("DATABASE", ":memory:".to_owned()),
                ("INVENTORY_URL", url("inventory")),
                ("PAYMENTS_URL", url("payments")),
            ]),
            _ => {}
        }
        settings
    }

    fn service(&self, name: &str) -> &Service {
        let mut services = self.services.iter();
        services.find(|service| service.name == name).unwrap()
    }

    /// Orders one of the first product.
    pub(crate) async fn order(&self, key: &str) -> Answer {
        place(self.gateway(), key).await
    }

    pub(crate) fn gateway(&self) -> SocketAddr {
        self.service("gateway").address
    }

    /// Has all payments fail.
    pub(crate) async fn fail_payments(&self) {
        let admin = self.service("payments").admin;
        let faults = r#"{"outage": true}"#;
        let set = http::send(admin, "PUT /faults", None, faults)
            .await
            .unwrap();
        assert_eq!(set.status, 200, "{set:?}");
    }

    /// Ends the services in order, the callers before the called, and gives their last words.
    pub(crate) async fn close(self) -> Vec<(&'static str, Box<Report>)> {
        let mut reports = Vec::new();
        for mut service in self.services.into_iter().rev() {
            drop(service.stdin);
            let status = timeout(DEADLINE, service.process.wait()).await;
            let status = status.unwrap_or_else(|_| panic!("{} does not end", service.name));
            let report = service.out.await.unwrap();
            let report = report.unwrap_or_else(|| panic!("{}: {status:?}", service.name));
            reports.push((service.name, report));
        }
        reports
    }
}

/// Orders one of the first product.
pub(crate) async fn place(gateway: SocketAddr, key: &str) -> Answer {
    let order = r#"{"product_id": 1, "quantity": 1}"#;
    let answer = http::send(gateway, "POST /orders", Some(key), order).await;
    answer.unwrap()
}

/// Both protocols are used, and nothing is waited for that only comes once in a while.
fn telemetry(name: &str, collector: &Collector) -> [(String, String); 6] {
    let (protocol, endpoint) = match name {
        "gateway" | "payments" => ("grpc", collector.grpc),
        _ => ("http/protobuf", collector.http),
    };
    [
        ("OTEL_SERVICE_NAME", name.to_owned()),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{endpoint}")),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
        ("OTEL_BLRP_SCHEDULE_DELAY", "100".to_owned()),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
}

// === impl Service ===

impl Service {
    async fn start(name: &'static str, vars: impl Iterator<Item = (String, String)>) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_demo"))
            .args([ROLE_ARGUMENT, name])
            .envs(vars)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (ready, is_ready) = oneshot::channel();
        let out = tokio::spawn(read(process.stdout.take().unwrap(), ready));
        let ready = timeout(DEADLINE, is_ready).await.unwrap();
        let (address, admin) = ready.unwrap_or_else(|_| panic!("{name} did not start"));
        Self {
            name,
            stdin: process.stdin.take().unwrap(),
            process,
            address,
            admin,
            out,
        }
    }
}

async fn read(
    stdout: ChildStdout,
    ready: oneshot::Sender<(SocketAddr, SocketAddr)>,
) -> Option<Box<Report>> {
    let (mut ready, mut report) = (Some(ready), None);
    let mut lines = BufReader::new(stdout).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        match serde_json::from_str(&line) {
            Ok(Message::Ready { address, admin }) => {
                let ready = ready.take().unwrap();
                ready.send((address, admin)).unwrap();
            }
            Ok(Message::Report(said)) => report = Some(said),
            // A log line.
            Err(_) => {}
        }
    }
    report
}
