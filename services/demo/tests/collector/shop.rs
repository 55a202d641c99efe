//! The four services as processes, exporting to a Collector.

use std::net::SocketAddr;

use bartizan::telemetry::Report;

use crate::chain::Collector;
use crate::http;
use crate::support::http::Answer;
use crate::support::service::Ended;
use crate::support::services::{SERVICES, Services};

/// The services. Dropping it kills them.
pub(crate) struct Shop {
    services: Services,
}

// === impl Shop ===

impl Shop {
    /// With these settings of the gateway's beside those that it needs.
    pub(crate) async fn open(collector: &Collector, gateway: &[(&str, &str)]) -> Self {
        let mut services = Services::default();
        for name in SERVICES.into_iter().rev() {
            let mut settings = vec![("SERVER__BIND", "127.0.0.1:0".to_owned())];
            match name {
                "gateway" => {
                    let given = gateway.iter().map(|&(key, value)| (key, value.to_owned()));
                    settings.extend(given);
                }
                "orders" => settings.push(("DATABASE", ":memory:".to_owned())),
                _ => {}
            }
            let telemetry = telemetry(name, collector);
            services.start(name, settings, telemetry).await;
        }
        Self { services }
    }

    /// Orders one of the first product.
    pub(crate) async fn order(&self, key: &str) -> Answer {
        place(self.gateway(), key).await
    }

    pub(crate) fn gateway(&self) -> SocketAddr {
        self.services.get("gateway").address()
    }

    /// Has all payments fail.
    pub(crate) async fn fail_payments(&self) {
        let admin = self.services.get("payments").admin();
        let faults = r#"{"outage": true}"#;
        let set = http::send(admin, "PUT /faults", None, faults)
            .await
            .unwrap();
        assert_eq!(set.status, 200, "{set:?}");
    }

    /// Ends the services in order, the callers before the called, and gives their last words.
    pub(crate) async fn close(self) -> Vec<(&'static str, Box<Report>)> {
        let mut reports = Vec::new();
        for mut service in self.services.0.into_iter().rev() {
            let name = service.name;
            let Ended {
                status,
                report,
                stderr,
            } = service.ended().await;
            let report = report.unwrap_or_else(|| panic!("{name}: {status}: {stderr}"));
            reports.push((name, report));
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
fn telemetry(name: &str, collector: &Collector) -> [(&'static str, String); 6] {
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
}
