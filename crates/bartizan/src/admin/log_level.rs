//! `/log-level`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::{Deserialize, Deserializer, Serialize};

use super::router::Facts;
use crate::Problem;
use crate::config::{duration, text};

/// How long changed log levels hold unless a time is given: long enough to look at something, and
/// over before the day's logs are full of it.
pub const DEFAULT_LEVEL_TIME: Duration = Duration::from_secs(15 * 60);

#[derive(Serialize)]
pub(super) struct Levels {
    /// What holds.
    directives: String,
    /// What was configured.
    configured: String,
    /// When that holds again; `null` if not by itself.
    reverts_in_seconds: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    directives: String,
    #[serde(default, rename = "for")]
    lasting: Lasting,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Lasting {
    #[default]
    ByDefault,
    For(Duration),
    UntilFurtherNotice,
}

type Peer = Option<Extension<ConnectInfo<SocketAddr>>>;

pub(super) async fn get(State(facts): State<Arc<Facts>>) -> Json<Levels> {
    Json(Levels::now(&facts))
}

/// Whatever the media type says: the body is JSON, or it is a problem.
pub(super) async fn put(
    State(facts): State<Arc<Facts>>,
    peer: Peer,
    body: Bytes,
) -> Result<Json<Levels>, Problem> {
    let Change {
        directives,
        lasting,
    } = serde_json::from_slice(&body).map_err(|error| bad(error.to_string()))?;
    let lasting = match lasting {
        Lasting::ByDefault => Some(DEFAULT_LEVEL_TIME),
        Lasting::For(time) => Some(time),
        Lasting::UntilFurtherNotice => None,
    };
    let levels = facts.telemetry.log_levels().by(who(peer));
    let changed = levels.set(&directives, lasting);
    changed.map_err(|error| bad(error.to_string()))?;
    Ok(Json(Levels::now(&facts)))
}

pub(super) async fn delete(State(facts): State<Arc<Facts>>, peer: Peer) -> Json<Levels> {
    facts.telemetry.log_levels().by(who(peer)).reset();
    Json(Levels::now(&facts))
}

fn who(peer: Peer) -> String {
    match peer {
        Some(Extension(ConnectInfo(peer))) => format!("admin {peer}"),
        None => "admin".to_owned(),
    }
}

fn bad(why: String) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST)
        .with_detail(why)
        .with_extension(
            "example",
            r#"{"directives": "info,orders=debug", "for": "10m"}"#,
        )
}

// === impl Levels ===

impl Levels {
    fn now(facts: &Facts) -> Self {
        let levels = facts.telemetry.log_levels().get();
        Self {
            directives: levels.directives,
            configured: levels.base,
            reverts_in_seconds: levels.reverts_in.map(|time| time.as_secs_f64()),
        }
    }
}

// === impl Lasting ===

impl<'de> Deserialize<'de> for Lasting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let expected = "a duration such as 10m, or unlimited";
        text(deserializer, expected, |text| match text {
            "unlimited" => Some(Self::UntilFurtherNotice),
            _ => duration::parse(text)
                .filter(|time| !time.is_zero())
                .map(Self::For),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_holds_for_a_time_unless_it_is_told_not_to() {
        let minutes = |minutes: u64| Lasting::For(Duration::from_secs(60 * minutes));
        for (body, expected) in [
            (r#"{"directives": "debug"}"#, Some(Lasting::ByDefault)),
            (
                r#"{"directives": "debug", "for": "10m"}"#,
                Some(minutes(10)),
            ),
            (
                r#"{"directives": "debug", "for": "unlimited"}"#,
                Some(Lasting::UntilFurtherNotice),
            ),
            (r#"{"directives": "debug", "for": "0s"}"#, None),
            (r#"{"directives": "debug", "for": 600}"#, None),
            (r#"{"directives": "debug", "until": "10m"}"#, None),
            (r#"{"for": "10m"}"#, None),
            ("debug", None),
        ] {
            let change = serde_json::from_str::<Change>(body);
            assert_eq!(change.ok().map(|change| change.lasting), expected, "{body}");
        }
    }
}
