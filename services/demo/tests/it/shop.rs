//! The four services as processes of the test's own, in the demo's hidden roles: what the demo would
//! end over, a test can watch.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use bartizan::telemetry::Report;
use bartizan_testkit::{OtlpSink, SpanView};
use demo::ROLE_ARGUMENT;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use crate::SERVICES;
use crate::http::{Answer, Ask};
use crate::process::kill;

/// How long anything may take that comes in the end; whatever takes longer never does.
const DEADLINE: Duration = Duration::from_secs(60);

/// A telemetry sink and the services that export to it.
pub(crate) struct Shop {
    sink: OtlpSink,
    database: String,
    services: Vec<Service>,
}

/// A process. Dropping it kills it.
pub(crate) struct Service {
    name: &'static str,
    process: Child,
    /// The service ends when this does.
    _stdin: ChildStdin,
    address: SocketAddr,
    admin: SocketAddr,
    /// Reads standard output to its end and gives the report, if there was one.
    out: JoinHandle<Option<Box<Report>>>,
    err: JoinHandle<String>,
}

/// A database file of a test's own, removed with its side files.
pub(crate) struct Database(pub(crate) String);

/// How a process went.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) report: Option<Box<Report>>,
    pub(crate) stderr: String,
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
    /// With orders in memory.
    pub(crate) async fn open() -> Self {
        Self::open_with(":memory:").await
    }

    /// With orders in this file.
    pub(crate) async fn open_with(database: &str) -> Self {
        let mut shop = Self {
            sink: OtlpSink::start().await.unwrap(),
            database: database.to_owned(),
            services: Vec::new(),
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
        let mut settings = self.settings(name);
        settings.push(("SERVER__BIND", bind.to_string()));
        let prefix = name.to_uppercase();
        let named = |(key, value)| (format!("{prefix}__{key}"), value);
        let settings = settings.into_iter().map(named);
        let telemetry = [
            ("OTEL_SERVICE_NAME", name.to_owned()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", self.sink.endpoint_http()),
            ("OTEL_BSP_SCHEDULE_DELAY", "50".to_owned()),
            ("OTEL_BLRP_SCHEDULE_DELAY", "50".to_owned()),
            ("OTEL_METRIC_EXPORT_INTERVAL", "500".to_owned()),
        ];
        let telemetry = telemetry.map(|(name, value)| (name.to_owned(), value));
        let vars = vars
            .iter()
            .map(|&(name, value)| (name.into(), value.into()));
        let vars = settings.chain(telemetry).chain(vars);
        let service = Service::start(name, vars).await;
        self.services.retain(|service| service.name != name);
        self.services.push(service);
    }

    fn settings(&self, name: &str) -> Vec<(&'static str, String)> {
        let url = |name| format!("http://{}", self.service(name).address);
        let mut settings = vec![
            ("SERVER__ADMIN__BIND", "127.0.0.1:0".to_owned()),
            // Nobody balances load here.
            ("SERVER__GRACE", "0s".to_owned()),
        ];
        match name {
            "gateway" => settings.extend([
                ("ORDERS_URL", url("orders")),
                ("INVENTORY_URL", url("inventory")),
                // A test asks as fast as it can, from one address.
                ("RATE_LIMIT__ENABLED", "false".to_owned()),
            ]),
            "orders" => settings.extend([
                ("DATABASE", self.database.clone()),
                ("INVENTORY_URL", url("inventory")),
                ("PAYMENTS_URL", url("payments")),
            ]),
            _ => {}
        }
        settings
    }

    pub(crate) fn service(&self, name: &str) -> &Service {
        let mut services = self.services.iter();
        services.find(|service| service.name == name).unwrap()
    }

    /// Sends a service a signal, and waits until it is gone.
    pub(crate) async fn end(&mut self, name: &str, signal: &str) -> Ended {
        self.service(name).signal(signal);
        let mut services = self.services.iter_mut();
        let service = services.find(|service| service.name == name).unwrap();
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
    async fn start(name: &'static str, vars: impl Iterator<Item = (String, String)>) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_demo"))
            .args([ROLE_ARGUMENT, name])
            .envs(vars)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let (ready, is_ready) = oneshot::channel();
        let out = tokio::spawn(read(process.stdout.take().unwrap(), ready));
        let mut stderr = process.stderr.take().unwrap();
        let err = tokio::spawn(async move {
            let mut said = String::new();
            stderr.read_to_string(&mut said).await.unwrap();
            said
        });
        let Ok((address, admin)) = timeout(DEADLINE, is_ready).await.unwrap() else {
            panic!("{name} did not start: {}", err.await.unwrap());
        };
        Self {
            name,
            _stdin: process.stdin.take().unwrap(),
            process,
            address,
            admin,
            out,
            err,
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) const fn admin(&self) -> SocketAddr {
        self.admin
    }

    pub(crate) fn signal(&self, signal: &str) {
        kill(signal, &self.process.id().unwrap().to_string());
    }

    async fn ended(&mut self) -> Ended {
        let name = self.name;
        let status = timeout(DEADLINE, self.process.wait()).await;
        Ended {
            status: status
                .unwrap_or_else(|_| panic!("{name} does not end"))
                .unwrap(),
            report: (&mut self.out).await.unwrap(),
            stderr: (&mut self.err).await.unwrap(),
        }
    }

    /// A gauge or a counter, as the admin port shows it.
    pub(crate) async fn metric(&self, name: &str, labels: &[&str]) -> u64 {
        let page = Ask::get("/metrics").of(self.admin).await.unwrap();
        page.metric(name, labels)
    }

    /// Has its requests take longer, whatever they are for.
    pub(crate) async fn delay(&self, faults: &'static str) {
        let set = Ask::put("/faults", faults).of(self.admin).await.unwrap();
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

/// Looks again and again until there is what is looked for.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = async {
        let mut ticks = interval(Duration::from_millis(5));
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    let found = timeout(DEADLINE, found).await;
    found.unwrap_or_else(|_| panic!("never: {what}"))
}

/// Sends a request, and sees that it is answered in good time or refused.
pub(crate) async fn ask(ask: &Ask, address: SocketAddr) -> std::io::Result<Answer> {
    // What the gateway itself waits for, and a busy machine.
    let limit = gateway::REQUEST_TIMEOUT + Duration::from_secs(5);
    let answer = timeout(limit, ask.of(address)).await;
    answer.unwrap_or_else(|_| panic!("no answer within {limit:?} to {ask:?}"))
}
