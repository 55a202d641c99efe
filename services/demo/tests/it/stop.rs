//! SIGTERM for each service while it has requests under way.

use tokio::task::JoinSet;

use bartizan::telemetry::SignalReport;

use crate::http::Ask;
use crate::shop::{Shop, ask};
use crate::support::eventually::eventually;
use crate::support::service::Ended;
use crate::support::services::SERVICES;

/// How many requests are under way.
const HELD: u64 = 8;

/// Long enough to see all of them at once, and less than a caller waits for an attempt.
const SLOW: &str = r#"{"latency_ms": 1000}"#;

/// The same for an order, which takes three calls of a second at most.
const SLOWISH: &str = r#"{"latency_ms": 500}"#;

/// Who stops, who is asked, for what, and who takes time over it.
struct Case {
    stopped: &'static str,
    asked: &'static str,
    request: fn(u64) -> Ask,
    slow: &'static [(&'static str, &'static str)],
}

const CASES: [Case; 4] = [
    Case {
        stopped: "gateway",
        asked: "gateway",
        request: |_| Ask::get("/products"),
        slow: &[("inventory", SLOW)],
    },
    Case {
        stopped: "orders",
        asked: "gateway",
        request: |number| Ask::order(number.to_string()),
        slow: &[("inventory", SLOWISH), ("payments", SLOWISH)],
    },
    Case {
        stopped: "inventory",
        asked: "gateway",
        request: |_| Ask::get("/products"),
        slow: &[("inventory", SLOW)],
    },
    Case {
        stopped: "payments",
        asked: "payments",
        request: |number| Ask::put(format!("/payments/{number}"), r#"{"amount_cents": 1}"#),
        slow: &[("payments", SLOW)],
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_stopped_answers_what_is_under_way_and_accounts_for_everything() {
    for case in CASES {
        let name = case.stopped;
        let mut shop = Shop::open().await;
        for (slow, faults) in case.slow {
            shop.service(slow).delay(faults).await;
        }
        let address = shop.service(case.asked).address();
        let mut held = JoinSet::new();
        for number in 0..HELD {
            let request = (case.request)(number);
            held.spawn(async move { ask(&request, address).await });
        }
        let service = shop.service(name);
        eventually("all under way", async || {
            let active = service.metric("http_server_active_requests", &[]).await;
            (active == HELD).then_some(())
        })
        .await;

        let ended = shop.end(name, "-TERM").await;
        for answer in held.join_all().await {
            let answer = answer.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(answer.is_success(), "{name}: {answer:?}");
        }
        assert_accounted_for(&shop, name, &ended, HELD);
        // The rest ends as well without it, the callers first.
        for other in SERVICES.into_iter().filter(|other| *other != name) {
            let ended = shop.end(other, "-TERM").await;
            assert_accounted_for(&shop, other, &ended, 0);
        }
    }
}

/// It ended well, and what it says of its telemetry adds up and is what the sink has.
#[track_caller]
fn assert_accounted_for(shop: &Shop, name: &str, ended: &Ended, at_least: u64) {
    assert_eq!(ended.status.code(), Some(0), "{name}: {ended:?}");
    assert_eq!(ended.stderr, "", "{name}");
    let report = ended.report.as_ref().unwrap();
    let signals = [report.spans, report.logs, report.metrics.collections];
    for signal in signals {
        let SignalReport {
            ended,
            exported,
            unconfirmed,
            dropped,
            ..
        } = signal;
        let sum = exported + unconfirmed + dropped.total();
        assert_eq!(ended, sum, "{name}: {report:?}");
        assert_eq!((unconfirmed, dropped.total()), (0, 0), "{name}: {report:?}");
    }
    assert_eq!(report.unfinished, 0, "{name}: {report:?}");
    let [spans, logs, _] = signals.map(|signal| signal.exported);
    assert_eq!(shop.received(name), (spans, logs), "{name}: {report:?}");
    assert!(spans >= at_least && logs > 0, "{name}: {report:?}");
}
