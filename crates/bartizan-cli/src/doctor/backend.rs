//! Where traces end up and can be read again.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use http::StatusCode;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::client::Client;
use crate::text::answered;
use crate::url::Url;

/// The pause between two looks: a trace takes parts of a second from a collector to a store.
const PAUSE: Duration = Duration::from_millis(200);

/// A store of traces.
#[derive(Debug)]
pub(super) enum Backend {
    /// Jaeger's query service, by its API v3.
    Jaeger(Url),
    /// `bartizan-panel`'s router.
    Panel(Url),
}

/// What is read of a trace.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trace {
    pub(super) spans: Vec<Span>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) id: String,
    /// `None` for a root.
    pub(super) parent: Option<String>,
    pub(super) service: String,
}

/// Why a trace was not found as it should be.
#[derive(Debug)]
pub(super) enum Missing {
    /// The store cannot be asked.
    Unwell(String),
    /// It does not have it.
    Absent,
    /// It has this of it.
    Partial(Trace),
}

// === impl Backend ===

impl Backend {
    /// Looks for a trace until it is `enough` or the time is up.
    pub(super) async fn wait_for(
        &self,
        client: &Client,
        id: &str,
        limit: Duration,
        enough: impl Fn(&Trace) -> bool,
    ) -> Result<Trace, Missing> {
        let end = Instant::now() + limit;
        loop {
            let missing = match self.look(client, id).await {
                Ok(trace) if enough(&trace) => return Ok(trace),
                Ok(trace) => Missing::Partial(trace),
                Err(missing) => missing,
            };
            if Instant::now() + PAUSE >= end {
                return Err(missing);
            }
            sleep(PAUSE).await;
        }
    }

    async fn look(&self, client: &Client, id: &str) -> Result<Trace, Missing> {
        let url = match self {
            Self::Jaeger(base) => base.under(&format!("/api/v3/traces/{id}")),
            Self::Panel(base) => base.under(&format!("/api/traces/{id}")),
        };
        let answer = client.get(&url, None).await.map_err(Missing::Unwell)?;
        if answer.status == StatusCode::NOT_FOUND && is_of_the_store(&answer.body) {
            return Err(Missing::Absent);
        }
        if !answer.status.is_success() {
            return Err(Missing::Unwell(answered(answer.status, &answer.body)));
        }
        let value: Value = serde_json::from_slice(&answer.body)
            .map_err(|error| Missing::Unwell(format!("no JSON: {error}")))?;
        let trace = match self {
            Self::Jaeger(_) => jaeger(&value),
            Self::Panel(_) => panel(&value),
        };
        trace.ok_or_else(|| Missing::Unwell("answers with JSON that is no trace".to_owned()))
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Jaeger(_) => f.write_str("Jaeger"),
            Self::Panel(_) => f.write_str("panel"),
        }
    }
}

/// Both stores say in JSON that they do not have it; a server without these paths says something else.
fn is_of_the_store(body: &[u8]) -> bool {
    serde_json::from_slice(body).is_ok_and(|body: Value| !body["error"].is_null())
}

/// OTLP's JSON, in the envelope of a gRPC gateway.
fn jaeger(answer: &Value) -> Option<Trace> {
    let mut trace = Trace::default();
    for resource in answer["result"]["resourceSpans"].as_array()? {
        let service = resource["resource"]["attributes"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|attribute| attribute["key"] == "service.name")
            .and_then(|attribute| attribute["value"]["stringValue"].as_str())
            .unwrap_or_default();
        for scope in resource["scopeSpans"].as_array().into_iter().flatten() {
            for span in scope["spans"].as_array().into_iter().flatten() {
                trace.spans.push(Span {
                    id: span["spanId"].as_str()?.to_owned(),
                    parent: parent(&span["parentSpanId"]),
                    service: service.to_owned(),
                });
            }
        }
    }
    Some(trace)
}

fn panel(answer: &Value) -> Option<Trace> {
    let spans = answer["spans"].as_array()?.iter().map(|span| {
        Some(Span {
            id: span["span_id"].as_str()?.to_owned(),
            parent: parent(&span["parent_span_id"]),
            service: span["resource"]["service"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
        })
    });
    Some(Trace {
        spans: spans.collect::<Option<_>>()?,
    })
}

fn parent(id: &Value) -> Option<String> {
    let id = id.as_str().filter(|id| !id.is_empty())?;
    Some(id.to_owned())
}

// === impl Trace ===

impl Trace {
    pub(super) fn has(&self, span: &str) -> bool {
        self.spans.iter().any(|each| each.id == span)
    }

    pub(super) fn services(&self) -> BTreeSet<&str> {
        self.spans.iter().map(|span| &*span.service).collect()
    }

    /// How many spans are children of one that is not there.
    pub(super) fn orphans(&self) -> usize {
        let parents = self.spans.iter().filter_map(|span| span.parent.as_deref());
        parents.filter(|parent| !self.has(parent)).count()
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let services: Vec<_> = self.services().into_iter().collect();
        let plural = if self.spans.len() == 1 { "" } else { "s" };
        write!(
            f,
            "{} span{plural} of {}",
            self.spans.len(),
            services.join(", ")
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_stores_tell_the_same() {
        let from_jaeger = jaeger(&json!({"result": {"resourceSpans": [
            {
                "resource": {"attributes": [
                    {"key": "host.name", "value": {"stringValue": "vm"}},
                    {"key": "service.name", "value": {"stringValue": "gateway"}},
                ]},
                "scopeSpans": [{"scope": {}, "spans": [
                    {"traceId": "01", "spanId": "0a", "parentSpanId": "", "name": "GET"},
                    {"traceId": "01", "spanId": "0b", "parentSpanId": "0a"},
                ]}],
            },
            {"resource": {}, "scopeSpans": [{"spans": [{"spanId": "0c", "parentSpanId": "0f"}]}]},
        ]}}));
        let from_panel = panel(&json!({"complete": true, "spans": [
            {"span_id": "0a", "parent_span_id": null, "resource": {"service": "gateway"}},
            {"span_id": "0b", "parent_span_id": "0a", "resource": {"service": "gateway"}},
            {"span_id": "0c", "parent_span_id": "0f", "resource": {"service": ""}},
        ]}));
        assert_eq!(from_jaeger, from_panel);
        let trace = from_panel.unwrap();
        assert_eq!(trace.services(), BTreeSet::from(["", "gateway"]));
        assert_eq!(trace.orphans(), 1);
        assert!(trace.has("0b") && !trace.has("0f"));
    }

    #[test]
    fn other_json_is_no_trace() {
        for other in [
            json!({}),
            json!([]),
            json!({"result": {}}),
            json!({"spans": [{}]}),
        ] {
            assert_eq!(jaeger(&other), None);
            assert_eq!(panel(&other), None);
        }
    }
}
