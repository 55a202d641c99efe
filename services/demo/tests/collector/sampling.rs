//! The layers that sample: one that keeps traces together, and one behind it that decides on them.

use crate::chain::{Chain, Collector};
use crate::http;
use crate::shop::Shop;
use crate::support::eventually::eventually;

const CALLS: &str = "traces_span_metrics_calls_total";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_and_rejections_are_kept_and_of_the_rest_a_share() {
    let files = ["otel-collector.yaml", "deploy/collector/tail-sampling.yaml"];
    // Decided soon; and the share is none, so that what is kept is kept for a reason.
    let vars = [
        ("COLLECTOR_DECISION_WAIT", "2s"),
        ("COLLECTOR_SAMPLING_PERCENTAGE", "0"),
    ];
    let Some(chain) = Chain::start_with("memory", &files, &vars).await else {
        return;
    };
    let samplers = &chain.collector.grpc;
    let target = vec![
        ("COLLECTOR_SAMPLERS", samplers.ip().to_string()),
        ("COLLECTOR_SAMPLERS_PORT", samplers.port().to_string()),
    ];
    let layer = ["deploy/collector/load-balancing.yaml"];
    let mut front = Collector::new("front", &layer, &chain.directory, target);
    front.program.start().await;

    let limits = [
        ("RATE_LIMIT__RATE", "1"),
        ("RATE_LIMIT__PER", "1h"),
        ("RATE_LIMIT__BURST", "2"),
    ];
    let shop = Shop::open(&front, &limits).await;
    let answer = shop.order("good").await;
    assert_eq!(answer.status, 201, "{answer:?}");
    eventually("the good order is counted", async || {
        let page = http::get(chain.collector.metrics, "/metrics").await.ok()?;
        let counted = page.body.lines().any(|line| {
            line.starts_with(CALLS)
                && line.contains(r#"service_name="gateway""#)
                && line.contains(r#"span_name="POST /orders""#)
        });
        counted.then_some(())
    })
    .await;
    shop.fail_payments().await;
    let failed = shop.order("failing").await;
    assert!((502..=504).contains(&failed.status), "{failed:?}");
    let limited = shop.order("one-too-many").await;
    assert_eq!(limited.status, 429, "{limited:?}");

    // Decisions are taken in the order in which the traces came.
    let mut kept = Vec::new();
    for answer in [failed, limited] {
        let id = answer.json()["trace_id"].as_str().unwrap().to_owned();
        eventually(&format!("{id} in Jaeger"), async || {
            let spans = chain.jaeger.trace(&id).await;
            (!spans.is_empty()).then_some(())
        })
        .await;
        kept.push(id);
    }
    for span in chain.jaeger.find("gateway").await {
        assert!(kept.contains(&span.trace), "{span:?} is kept");
    }
    // All have a part in it that fails together, so the callers' parts are with the called's.
    let failed = chain.jaeger.trace(&kept[0]).await;
    for service in ["gateway", "orders", "payments"] {
        let has = failed.iter().any(|span| span.service == service);
        assert!(has, "{service}: {failed:?}");
    }
    shop.close().await;
}
