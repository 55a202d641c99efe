//! A client that sends spans of its own and remembers which of them were acknowledged.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::http;

/// The service that its spans are of.
pub(crate) const NAME: &str = "sender";

/// Spans in a batch, which is a trace.
const SPANS: u64 = 10;

/// Between batches: many in the time that a program takes to restart, and not more than a search
/// gives back in good time.
const PACE: Duration = Duration::from_millis(10);

/// A trace's number and a span's: their ids.
pub(crate) type Ids = BTreeSet<(String, String)>;

/// Sends a batch after the other until it is told to stop.
pub(crate) struct Sender {
    acknowledged: Arc<Mutex<Ids>>,
    stop: watch::Sender<bool>,
    sending: JoinHandle<()>,
}

impl Sender {
    /// Sends to this Collector. Traces are numbered from `first` on, so that no two senders of a
    /// test send the same.
    pub(crate) fn start(collector: SocketAddr, first: u64) -> Self {
        let acknowledged = Arc::new(Mutex::new(Ids::new()));
        let (stop, stopped) = watch::channel(false);
        let sent = Arc::clone(&acknowledged);
        let sending = tokio::spawn(async move {
            let mut ticks = interval(PACE);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for number in first.. {
                if *stopped.borrow() {
                    return;
                }
                ticks.tick().await;
                let (ids, batch) = batch(number);
                // One that fails is not sent again: whether it came is not known, and not asked.
                let Ok(answer) = http::send(collector, "POST /v1/traces", None, &batch).await
                else {
                    continue;
                };
                if answer.status == 200 && answer.json()["partialSuccess"] == json!({}) {
                    let mut sent = sent.lock().unwrap_or_else(PoisonError::into_inner);
                    sent.extend(ids);
                }
            }
        });
        Self {
            acknowledged,
            stop,
            sending,
        }
    }

    pub(crate) fn acknowledged(&self) -> Ids {
        let acknowledged = self.acknowledged.lock();
        acknowledged.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it after the batch that is under way, and gives all that was acknowledged.
    pub(crate) async fn stop(self) -> Ids {
        self.stop.send(true).unwrap();
        self.sending.await.unwrap();
        let acknowledged = self.acknowledged.lock();
        acknowledged.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A trace of some spans, in OTLP's JSON. They are all of one moment.
fn batch(number: u64) -> (Ids, String) {
    let trace = format!("{:032x}", 0x5e4d_0000_u64 + number);
    let ids: Ids = (1..=SPANS)
        .map(|span| (trace.clone(), format!("{:016x}", number * SPANS + span)))
        .collect();
    let spans: Vec<_> = ids
        .iter()
        .map(|(trace, span)| {
            json!({
                "traceId": trace, "spanId": span, "name": "sent", "kind": 1,
                "startTimeUnixNano": "1700000000000000000",
                "endTimeUnixNano": "1700000000001000000",
            })
        })
        .collect();
    let resource = json!({"attributes": [
        {"key": "service.name", "value": {"stringValue": NAME}},
    ]});
    let scopes = json!([{"scope": {}, "spans": spans}]);
    let batch = json!({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]});
    (ids, batch.to_string())
}
