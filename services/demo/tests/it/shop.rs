//! The four services as processes of the test's own, in the demo's hidden roles: what the demo would
//! end over, a test can watch.

use std::net::SocketAddr;
use std::time::Duration;

use bartizan_testkit::{OtlpSink, SpanView};
use tokio::time::timeout;

use crate::http::Ask;
use crate::process::kill;
use crate::support::http::Answer;
use crate::support::service::{Ended, Service};
use crate::support::services::{SERVICES, Services};

/// A telemetry sink and the services that export to it.
pub(crate) struct Shop {
    sink: OtlpSink,
    database: String,
    services: Services,
}

/// A database file of a test's own, removed with its side files.
pub(crate) struct Database(pub(crate) String);

// === impl Shop ===

impl Shop {
    /// With orders in memory.
    pub(crate) async fn open() -> Self {
        Self::open_with(":memory:").await
    }

    /// With orders in this file.
    pub(crate) async fn open_with(database: &str) -> Self {
        let mut shop = Self {
            sink: OtlpSink::start().await.unwrap(),
            database: database.to_owned(),
            services: Services::default(),
        };
        for name in SERVICES.into_iter().rev() {
            let any = SocketAddr::from(([127, 0, 0, 1], 0));
            shop.start(name, any, &[]).await;
        }
        shop
    }

    /// Starts a service at this address, in the place of one that has ended.
    pub(crate) async fn start(
        &mut self,
        name: &'static str,
        bind: SocketAddr,
        vars: &[(&str, &str)],
    ) {
        let mut settings = vec![("SERVER__BIND", bind.to_string())];
        match name {
            // A test asks as fast as it can, from one address.
            "gateway" => settings.push(("RATE_LIMIT__ENABLED", "false".to_owned())),
            "orders" => settings.push(("DATABASE", self.database.clone())),
            _ => {}
        }
        let telemetry = [
            ("OTEL_SERVICE_NAME", name.to_owned()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.sink.endpoint_http()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
            ("OTEL_BLRP_SCHEDULE_DELAY", "50".to_owned()),
            ("OTEL_METRIC_EXPORT_INTERVAL", "500".to_owned()),
        ];
        let vars = vars.iter().map(|&(name, value)| (name, value.to_owned()));
        let vars = telemetry.into_iter().chain(vars);
        self.services.start(name, settings, vars).await;
    }

    pub(crate) fn service(&self, name: &str) -> &Service {
        self.services.get(name)
    }

    /// Sends a service a signal, and waits until it is gone.
    pub(crate) async fn end(&mut self, name: &str, signal: &str) -> Ended {
        let mut services = self.services.0.iter_mut();
        let service = services.find(|service| service.name == name).unwrap();
        kill(signal, &service.process.id().unwrap().to_string());
        // It is the signal that it has to end for.
        let _open = service.process.stdin.take();
        service.ended().await
    }

    /// The spans of a service that the sink has.
    pub(crate) fn spans(&self, name: &str) -> Vec<SpanView> {
        let mut spans = self.sink.spans();
        spans.retain(|span| span.service() == name);
        spans
    }

    /// How many spans and log records of a service the sink has, each of the spans once.
    pub(crate) fn received(&self, name: &str) -> (u64, u64) {
        let spans = self.spans(name);
        let mut ids: Vec<_> = spans
            .iter()
            .map(|span| (span.trace_id.to_string(), span.span_id.to_string()))
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), spans.len(), "{name}: a span came twice");
        let logs = self.sink.logs();
        let logs = logs.iter().filter(|log| log.service() == name).count();
        (spans.len() as u64, logs as u64)
    }
}

// === impl Service ===

impl Service {
    /// A gauge or a counter, as the admin port shows it.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let page = Ask::get("/metrics").of(self.admin()).await.unwrap();
        page.metric(name, labels)
    }

    /// Has its requests take longer, whatever they are for.
    pub(crate) async fn delay(&self, faults: &'static str) {
        let set = Ask::put("/faults", faults).of(self.admin()).await.unwrap();
        assert_eq!(set.status, 200, "{set:?}");
    }
}

// === impl Database ===

impl Database {
    pub(crate) fn named(name: &str) -> Self {
        let database = Self(format!("{}/{name}", env!("CARGO_TARGET_TMPDIR")));
        // One that was killed may have left it.
        database.remove();
        database
    }

    fn remove(&self) {
        for suffix in ["", "-wal", "-shm"] {
            // There is none, as a rule.
            let _removed = std::fs::remove_file(format!("{}{suffix}", self.0));
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Sends a request, and sees that it is answered in good time or refused.
pub(crate) async fn ask(ask: &Ask, address: SocketAddr) -> std::io::Result<Answer> {
    // What the gateway itself waits for, and a busy machine.
    let limit = gateway::REQUEST_TIMEOUT + Duration::from_secs(5);
    let answer = timeout(limit, ask.of(address)).await;
    answer.unwrap_or_else(|_| panic!("no answer within {limit:?} to {ask:?}"))
}
