//! `/info`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::router::Facts;

pub(super) async fn info(State(facts): State<Arc<Facts>>) -> Json<Value> {
    let service = facts.service.as_ref();
    let uptime = facts.started.elapsed();
    Json(json!({
        "service": service.map(|(name, version)| json!({ "name": name, "version": version })),
        "build": facts.build,
        "bartizan": env!("CARGO_PKG_VERSION"),
        "phase": facts.lifecycle.phase().as_str(),
        "uptime_seconds": uptime.as_secs_f64(),
        "config": facts.config,
    }))
}
