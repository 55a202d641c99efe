//! Jaeger, and what it answers on the API that its page uses.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use serde_json::Value;

use crate::chain::configs;
use crate::http;
use crate::program::{Program, free};

/// It refuses to look for more traces than it has room for.
const MOST: usize = 10_000;

#[derive(Debug)]
pub(crate) struct Jaeger {
    pub(crate) program: Program,
    pub(crate) grpc: SocketAddr,
    query: SocketAddr,
}

/// What is looked at of a span.
#[derive(Debug)]
pub(crate) struct Span {
    pub(crate) trace: String,
    pub(crate) id: String,
    pub(crate) parent: String,
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) events: Vec<String>,
}

// === impl Jaeger ===

impl Jaeger {
    /// With the shipped file for this storage, in this directory; not yet started.
    pub(crate) fn new(path: OsString, storage: &str, directory: &Path) -> Self {
        let [grpc, http, query, query_grpc, health, own_metrics] = [(); 6].map(|()| free());
        let own = directory.join("jaeger");
        let vars = vec![
            ("JAEGER_OTLP_GRPC", grpc.to_string()),
            ("JAEGER_OTLP_HTTP", http.to_string()),
            ("JAEGER_QUERY_HTTP", query.to_string()),
            ("JAEGER_QUERY_GRPC", query_grpc.to_string()),
            ("JAEGER_HEALTH", health.to_string()),
            ("JAEGER_METRICS_HOST", own_metrics.ip().to_string()),
            ("JAEGER_METRICS_PORT", own_metrics.port().to_string()),
            ("JAEGER_DIRECTORY", own.to_string_lossy().into_owned()),
        ];
        let arguments = configs(&[&format!("deploy/jaeger/{storage}.yaml")]);
        let log = directory.join("jaeger.log");
        Self {
            program: Program::new(path, arguments, vars, &log, (health, "/status")),
            grpc,
            query,
        }
    }

    /// All spans of all traces that this service has a part in.
    pub(crate) async fn find(&self, service: &str) -> Vec<Span> {
        let path = format!(
            "/api/v3/traces?query.service_name={service}&query.num_traces={MOST}\
             &query.start_time_min=2000-01-01T00:00:00Z&query.start_time_max=2100-01-01T00:00:00Z"
        );
        self.spans(&path).await
    }

    /// All spans of a trace.
    pub(crate) async fn trace(&self, id: &str) -> Vec<Span> {
        self.spans(&format!("/api/v3/traces/{id}")).await
    }

    /// The traces that its page finds by a tag of one of this service's spans.
    pub(crate) async fn search(
        &self,
        service: &str,
        (tag, value): (&str, &str),
    ) -> BTreeSet<String> {
        let path = format!(
            "/api/traces?service={service}&limit={MOST}&lookback=1h\
             &tags=%7B%22{tag}%22:%22{value}%22%7D"
        );
        let answer = http::get(self.query, &path).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        let found = answer.json();
        each(&found["data"])
            .map(|trace| text(&trace["traceID"]))
            .collect()
    }

    /// The services that it knows.
    pub(crate) async fn services(&self) -> BTreeSet<String> {
        let answer = http::get(self.query, "/api/v3/services").await.unwrap();
        let services = answer.json();
        let names = services["services"].as_array().into_iter().flatten();
        names.map(text).collect()
    }

    async fn spans(&self, path: &str) -> Vec<Span> {
        let answer = http::get(self.query, path).await.unwrap();
        // It says so when it finds none.
        if answer.status == 404 {
            return Vec::new();
        }
        assert_eq!(answer.status, 200, "{answer:?}");
        let found = answer.json();
        resources(&found["result"], "resourceSpans", "scopeSpans", "spans")
            .map(|(service, span)| Span {
                trace: text(&span["traceId"]),
                id: text(&span["spanId"]),
                parent: text(&span["parentSpanId"]),
                service,
                name: text(&span["name"]),
                events: each(&span["events"])
                    .map(|event| text(&event["name"]))
                    .collect(),
            })
            .collect()
    }
}

/// The log records of a line: each one's service and trace id.
pub(crate) fn records(line: &str) -> Vec<(String, String)> {
    let batch: Value = serde_json::from_str(line).unwrap();
    resources(&batch, "resourceLogs", "scopeLogs", "logRecords")
        .map(|(service, record)| (service, text(&record["traceId"])))
        .collect()
}

/// The items of a batch in OTLP's JSON, each with its service.
fn resources<'a>(
    batch: &'a Value,
    resources: &str,
    scopes: &'a str,
    items: &'a str,
) -> impl Iterator<Item = (String, &'a Value)> {
    each(&batch[resources]).flat_map(move |resource| {
        let service = each(&resource["resource"]["attributes"])
            .find(|attribute| attribute["key"] == "service.name")
            .map_or_else(String::new, |name| text(&name["value"]["stringValue"]));
        let items = each(&resource[scopes]).flat_map(move |scope| each(&scope[items]));
        items.map(move |item| (service.clone(), item))
    })
}

fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
