//! Gateways as processes of their own, in front of an inventory played by the test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use bartizan::Telemetry;
use bartizan::client::ClientWithMiddleware;
use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::timeout;

/// How long anything may take that takes milliseconds; whatever takes longer would never end.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A running gateway, which ends with this.
#[derive(Debug)]
pub(crate) struct Gateway {
    _process: Process,
    client: ClientWithMiddleware,
    url: String,
    admin: String,
}

/// Ends with this, also where a test fails before it is ready.
#[derive(Debug)]
struct Process(Child);

/// What it answers.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// What is left, as the `RateLimit` fields have it.
    pub(crate) fields: Vec<String>,
}

// === impl Gateway ===

impl Gateway {
    /// Waits until it listens.
    pub(crate) async fn start(inventory: u16, vars: &[(&str, &str)]) -> Self {
        let started = Command::new(env!("CARGO_BIN_EXE_gateway"))
            .env_clear()
            .envs([
                ("GATEWAY__SERVER__BIND", "127.0.0.1:0"),
                ("GATEWAY__SERVER__ADMIN__BIND", "127.0.0.1:0"),
                ("OTEL_TRACES_EXPORTER", "none"),
                ("OTEL_METRICS_EXPORTER", "none"),
                ("OTEL_LOGS_EXPORTER", "none"),
            ])
            .env(
                "GATEWAY__INVENTORY_URL",
                format!("http://127.0.0.1:{inventory}"),
            )
            .envs(vars.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn();
        let mut process = Process(started.unwrap());
        let stdout = BufReader::new(process.0.stdout.take().unwrap());
        let (ready, is_ready) = oneshot::channel();
        // Reads on to the end, as nobody can go on who writes to a pipe that is full.
        thread::spawn(move || {
            let mut ready = Some(ready);
            for line in stdout.lines() {
                let said: Value = serde_json::from_str(&line.unwrap()).unwrap();
                if said["message"] == "listening"
                    && let Some(ready) = ready.take()
                {
                    // Nobody listens any more once a test has failed.
                    let _ = ready.send(said["fields"].clone());
                }
            }
        });
        let fields = timeout(PATIENCE, is_ready).await.unwrap();
        let fields = fields.expect("it ended before it was ready");
        let url = |key: &str| format!("http://{}", fields[key].as_str().unwrap());
        let client = reqwest::Client::builder().no_proxy();
        let telemetry = Telemetry::builder().build().unwrap();
        Self {
            _process: process,
            client: bartizan::client::reqwest(client, &telemetry).unwrap(),
            url: url("address"),
            admin: url("admin"),
        }
    }

    /// Asks for the products, in the name of `key`.
    pub(crate) async fn ask(&self, key: &str) -> Answer {
        let request = self.client.get(format!("{}/products", self.url));
        let sent = request.header("x-api-key", key).send();
        let answer = timeout(PATIENCE, sent).await.unwrap().unwrap();
        let fields = answer.headers().get_all("ratelimit").iter();
        let fields = fields.map(|value| value.to_str().unwrap().to_owned());
        Answer {
            status: answer.status().as_u16(),
            fields: fields.collect(),
        }
    }

    /// What a counter says, over all series that have this in their labels.
    pub(crate) async fn counted(&self, name: &str, label: &str) -> u64 {
        let asked = self.client.get(format!("{}/metrics", self.admin)).send();
        let page = timeout(PATIENCE, asked).await.unwrap().unwrap();
        let page = page.text().await.unwrap();
        let series = page.lines().filter(|line| {
            let (of, _) = line.split_once(' ').unwrap_or_default();
            of.starts_with(&format!("{name}{{")) && of.contains(label)
        });
        let values = series.filter_map(|line| line.rsplit(' ').next());
        values.map(|value| value.parse::<u64>().unwrap()).sum()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
