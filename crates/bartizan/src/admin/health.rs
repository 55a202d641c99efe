//! `/livez` and `/readyz`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::probe::{Finding, Probe};
use super::router::Facts;

#[derive(Serialize)]
pub(super) struct Live {
    status: &'static str,
    phase: &'static str,
}

#[derive(Serialize)]
pub(super) struct Ready {
    status: &'static str,
    phase: &'static str,
    checks: Vec<Checked>,
}

#[derive(Serialize)]
struct Checked {
    name: String,
    status: &'static str,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// How long the check took.
    duration_ms: f64,
    /// How long ago it ended.
    age_ms: f64,
}

pub(super) async fn livez(State(facts): State<Arc<Facts>>) -> Json<Live> {
    Json(Live {
        status: "live",
        phase: facts.lifecycle.phase().as_str(),
    })
}

pub(super) async fn readyz(State(facts): State<Arc<Facts>>) -> (StatusCode, Json<Ready>) {
    // A server that starts or stops is not ready whatever it depends on, so nobody is asked.
    let findings = if facts.lifecycle.is_ready() {
        findings(&facts.probes).await
    } else {
        Vec::new()
    };
    // Once more: a stop may have been asked for meanwhile.
    let phase = facts.lifecycle.phase();
    let is_ready = facts.lifecycle.is_ready()
        && findings
            .iter()
            .all(|(probe, finding)| finding.error.is_none() || !probe.check.is_required);
    let now = Instant::now();
    let checks = findings.into_iter().map(|(probe, finding)| Checked {
        name: probe.check.name.clone(),
        status: if finding.error.is_none() {
            "up"
        } else {
            "down"
        },
        required: probe.check.is_required,
        error: finding.error,
        duration_ms: millis(finding.took),
        age_ms: millis(now.duration_since(finding.at)),
    });
    let ready = Ready {
        status: if is_ready { "ready" } else { "not ready" },
        phase: phase.as_str(),
        checks: checks.collect(),
    };
    let status = if is_ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(ready))
}

/// Asks all at the same time. Their tasks end with the request.
async fn findings(probes: &[Arc<Probe>]) -> Vec<(Arc<Probe>, Finding)> {
    let mut asked = JoinSet::new();
    for (index, probe) in probes.iter().enumerate() {
        let probe = Arc::clone(probe);
        asked.spawn(async move {
            let finding = probe.finding().await;
            (index, probe, finding)
        });
    }
    // None of them panics.
    let mut findings = asked.join_all().await;
    findings.sort_by_key(|(index, ..)| *index);
    let findings = findings.into_iter();
    findings
        .map(|(_, probe, finding)| (probe, finding))
        .collect()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
