//! What the services tell, read back from where an operator reads it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::chain::Chain;
use crate::http;
use crate::jaeger::Span;
use crate::shop::Shop;
use crate::support::eventually::eventually;
use crate::support::services::SERVICES;

/// More than the circuit breaker looks at before it opens.
const ORDERS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_is_found_in_traces_and_logs_and_metrics_and_nothing_is_missing() {
    let Some(chain) = Chain::start("memory").await else {
        return;
    };
    let shop = Shop::open(&chain.collector, &[]).await;
    let answer = shop.order("one").await;
    assert_eq!(answer.status, 201, "{answer:?}");

    let trace = eventually("a complete trace in Jaeger", async || {
        let spans = chain.jaeger.find("gateway").await;
        let order = spans.iter().find(|span| span.name == "POST /orders")?;
        let trace = chain.jaeger.trace(&order.trace).await;
        is_complete(&trace, &SERVICES).then_some(trace)
    })
    .await;
    let names: BTreeSet<_> = trace.iter().map(|span| span.name.as_str()).collect();
    assert!(names.contains("INSERT orders"), "{names:?}");
    let services = chain.jaeger.services().await;
    assert_eq!(services, SERVICES.map(str::to_owned).into());

    eventually("its log records in their file", async || {
        let logs = chain.logs().into_iter();
        let of_trace = logs.filter(|(_, id)| *id == trace[0].trace);
        let services: BTreeSet<_> = of_trace.map(|(service, _)| service).collect();
        services.contains("orders").then_some(())
    })
    .await;
    assert_metrics(&chain).await;

    let reports = shop.close().await;
    for (name, report) in &reports {
        for signal in [report.spans, report.logs] {
            assert_eq!(signal.exported, signal.ended, "{name}: {report}");
        }
    }
    let told: BTreeMap<_, _> = reports
        .iter()
        .map(|(name, report)| ((*name).to_owned(), (report.spans.ended, report.logs.ended)))
        .collect();
    eventually("as many as the services have sent", async || {
        let (spans, logs) = (chain.spans().await, chain.logs());
        let count = |name: &String| {
            let spans = spans.iter().filter(|span| span.service == *name).count();
            let logs = logs.iter().filter(|(service, _)| service == name).count();
            (spans as u64, logs as u64)
        };
        let found: BTreeMap<_, _> = told.keys().map(|it| (it.clone(), count(it))).collect();
        (found == told).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejections_are_events_in_the_traces_of_those_who_were_turned_away() {
    let Some(chain) = Chain::start("memory").await else {
        return;
    };
    let burst = ORDERS.to_string();
    let limits = [
        ("RATE_LIMIT__RATE", "1"),
        ("RATE_LIMIT__PER", "1h"),
        ("RATE_LIMIT__BURST", &burst),
    ];
    let shop = Shop::open(&chain.collector, &limits).await;
    shop.fail_payments().await;

    let mut failed = Vec::new();
    for number in 0..ORDERS {
        let answer = shop.order(&format!("failing-{number}")).await;
        assert!((502..=504).contains(&answer.status), "{answer:?}");
        failed.push(trace_id(&answer.json()));
    }
    let limited = shop.order("one-too-many").await;
    assert_eq!(limited.status, 429, "{limited:?}");
    let limited = trace_id(&limited.json());

    // Found by what the README says to look for.
    for (traces, service, event, tag, parts) in [
        // Which of them came while the circuit was open is a matter of how fast they were.
        (
            &failed[..],
            "orders",
            "bartizan.breaker.rejected",
            ("bartizan.breaker.name", "payments"),
            &["gateway", "orders"][..],
        ),
        (
            &[limited],
            "gateway",
            "bartizan.rate_limit.rejected",
            ("http.response.status_code", "429"),
            &["gateway"],
        ),
    ] {
        eventually(event, async || {
            let found = chain.jaeger.search(service, tag).await;
            for trace in traces.iter().filter(|it| found.contains(*it)) {
                let spans = chain.jaeger.trace(trace).await;
                let told = spans.iter().any(|span| {
                    span.service == service && span.events.iter().any(|name| name == event)
                });
                if told && is_complete(&spans, parts) {
                    return Some(());
                }
            }
            None
        })
        .await;
    }
}

/// Whether these services have a part in the trace, and each span but the first has its parent.
fn is_complete(trace: &[Span], services: &[&str]) -> bool {
    let ids: BTreeSet<_> = trace.iter().map(|span| &span.id).collect();
    let roots = trace.iter().filter(|span| span.parent.is_empty()).count();
    let whole = trace
        .iter()
        .all(|span| span.parent.is_empty() || ids.contains(&span.parent));
    let has = |name: &&str| trace.iter().any(|span| span.service == **name);
    roots == 1 && whole && services.iter().all(has)
}

/// Who calls whom, how often each span came, and what the services themselves have counted, where
/// Prometheus scrapes it; and the Collector's own figures where it scrapes those.
async fn assert_metrics(chain: &Chain) {
    let metrics = chain.collector.metrics;
    for (name, labels) in [
        (
            "traces_service_graph_request_total",
            &[r#"client="gateway""#, r#"server="orders""#][..],
        ),
        (
            "traces_service_graph_request_total",
            &[r#"client="orders""#, r#"server="inventory""#],
        ),
        (
            "traces_service_graph_request_total",
            &[r#"client="orders""#, r#"server="payments""#],
        ),
        (
            "traces_span_metrics_calls_total",
            &[
                r#"service_name="gateway""#,
                r#"span_name="POST /orders""#,
                r#"span_kind="SPAN_KIND_SERVER""#,
            ],
        ),
        (
            "traces_span_metrics_duration_seconds_count",
            &[r#"service_name="payments""#],
        ),
        (
            "http_server_request_duration_seconds_count",
            &[r#"job="gateway""#, r#"http_route="/orders""#],
        ),
    ] {
        eventually(&format!("{name}{labels:?}"), async || {
            let page = http::get(metrics, "/metrics").await.unwrap();
            has_series(&page.body, name, labels).then_some(())
        })
        .await;
    }
    let own = http::get(chain.collector.own_metrics, "/metrics").await;
    let own = own.unwrap().body;
    for name in [
        "otelcol_receiver_accepted_spans",
        "otelcol_exporter_sent_spans",
        "otelcol_exporter_queue_size",
    ] {
        assert!(has_series(&own, name, &[]), "{name}: {own}");
    }
}

/// Whether there is a series of this name with these labels that is not 0, or may be.
fn has_series(page: &str, name: &str, labels: &[&str]) -> bool {
    page.lines().any(|line| {
        line.starts_with(&format!("{name}{{"))
            && labels.iter().all(|label| line.contains(label))
            && (labels.is_empty() || !line.ends_with(" 0"))
    })
}

fn trace_id(problem: &Value) -> String {
    problem["trace_id"].as_str().unwrap().to_owned()
}
