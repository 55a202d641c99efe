//! `bartizan doctor` against real telemetry, well and not.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use bartizan_testkit::OtlpSink;
use serde_json::Value;

use crate::services::Services;
use crate::{LONG, bartizan, code, complaints, stores};

/// Each step's status, detail and fix.
type Steps = BTreeMap<String, (String, String, Option<String>)>;

/// The exit code, and what was found.
async fn doctor(arguments: &[&str], vars: &[(&str, &str)]) -> (i32, Steps) {
    let output = bartizan(&[&["doctor", "--json"], arguments].concat(), vars).await;
    assert_eq!(complaints(&output), "");
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["ok"], code(&output) == 0, "{said}");
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let steps = said["steps"].as_array().unwrap().iter().map(|step| {
        let found = (
            text(&step["status"]).unwrap(),
            text(&step["detail"]).unwrap(),
            text(&step["fix"]),
        );
        assert_eq!(found.0 == "fail", found.2.is_some(), "{step}");
        (text(&step["name"]).unwrap(), found)
    });
    (code(&output), steps.collect())
}

fn with_status<'a>(steps: &'a Steps, status: &str) -> Vec<&'a str> {
    let steps = steps.iter().filter(|(_, found)| found.0 == status);
    steps.map(|(name, _)| name.as_str()).collect()
}

fn authority(url: &str) -> &str {
    url.trim_start_matches("http://").trim_end_matches('/')
}

#[tokio::test]
async fn a_whole_way_is_well_from_the_environment_to_the_trace_of_a_request() {
    let (_receiver, otlp, panel) = stores::panel().await;
    let services = Services::start(&otlp).await;
    let arguments = [
        "--panel",
        &panel,
        "--admin",
        &services.admin,
        "--gateway",
        &services.front,
        "--timeout",
        LONG,
    ];
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*otlp),
        ("OTEL_SERVICE_NAME", "orders"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=hush"),
        // The doctor's trace is sent all the same.
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ];
    let (code, steps) = doctor(&arguments, &vars).await;
    assert_eq!(with_status(&steps, "fail"), [""; 0], "{steps:#?}");
    assert_eq!(with_status(&steps, "skipped"), [""; 0], "{steps:#?}");
    assert_eq!(code, 0);
    let admin = authority(&services.admin);
    for name in ["ready", "metrics", "losses"] {
        assert!(steps.contains_key(&format!("{name} {admin}")), "{steps:#?}");
    }
    let detail = |name: &str| steps[name].1.as_str();
    assert!(detail("environment").starts_with("orders; traces: OTLP"));
    assert!(detail("gateway").contains("x-request-id: "));
    assert!(detail("gateway trace").contains("bartizan-doctor, gateway, inventory"));
    assert!(detail("read back panel").starts_with("1 span of bartizan-doctor"));
    assert!(!format!("{steps:?}").contains("hush"));
}

#[tokio::test]
async fn jaeger_is_read_and_a_trace_of_one_service_is_not_enough() {
    let sink = Arc::new(OtlpSink::start().await.unwrap());
    let otlp = sink.endpoint_grpc();
    let services = Services::start(&sink.endpoint_http()).await;
    let jaeger = stores::jaeger(sink).await;
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*otlp),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    let well = [
        "--jaeger",
        &jaeger,
        "--gateway",
        &services.front,
        "--timeout",
        LONG,
    ];
    let (code, steps) = doctor(&well, &vars).await;
    assert_eq!(
        (code, with_status(&steps, "fail")),
        (0, vec![]),
        "{steps:#?}"
    );

    let alone = [
        "--jaeger",
        &jaeger,
        "--gateway",
        &services.alone,
        "--timeout",
        "3s",
    ];
    let (code, steps) = doctor(&alone, &vars).await;
    assert_eq!(code, 1);
    assert_eq!(with_status(&steps, "fail"), ["gateway trace"], "{steps:#?}");
}

#[tokio::test]
async fn where_nothing_listens_the_rest_of_the_way_is_skipped() {
    let otlp = stores::NOWHERE;
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp),
        ("OTEL_LOGS_EXPORTER", "none"),
    ];
    let (code, steps) = doctor(&["--jaeger", otlp, "--timeout", LONG], &vars).await;
    assert_eq!(code, 1);
    assert_eq!(with_status(&steps, "fail"), ["reach traces, metrics"]);
    assert_eq!(
        with_status(&steps, "skipped"),
        ["export logs", "read back Jaeger"]
    );
    let detail = &steps["reach traces, metrics"].1;
    assert!(detail.starts_with(authority(otlp)), "{detail}");
}

#[tokio::test]
async fn a_collector_that_refuses_is_told_with_its_answer() {
    let otlp = stores::refusing().await;
    let vars = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*otlp)];
    let (code, steps) = doctor(&["--timeout", LONG], &vars).await;
    assert_eq!(code, 1);
    let failed = ["export logs", "export metrics", "export traces"];
    assert_eq!(with_status(&steps, "fail"), failed, "{steps:#?}");
    let (_, detail, fix) = &steps["export traces"];
    assert!(
        detail.contains("1 rejected") && detail.contains("401"),
        "{detail}"
    );
    assert!(fix.as_ref().unwrap().contains("OTEL_EXPORTER_OTLP_HEADERS"));
}

#[tokio::test]
async fn what_the_store_never_gets_is_missed() {
    let (_receiver, otlp, _panel) = stores::panel().await;
    let (_other, _otlp, other) = stores::panel().await;
    let vars = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*otlp)];
    // A server that is no store answers 404, too.
    let arguments = ["--panel", &other, "--jaeger", &other, "--timeout", "2s"];
    let (code, steps) = doctor(&arguments, &vars).await;
    assert_eq!(code, 1);
    assert_eq!(
        with_status(&steps, "fail"),
        ["read back Jaeger", "read back panel"]
    );
    assert!(
        steps["read back panel"]
            .1
            .starts_with("not within 2s: trace ")
    );
    assert!(steps["read back Jaeger"].1.starts_with("answered 404"));
}

#[tokio::test]
async fn variables_that_cannot_be_used_are_named_and_secrets_are_not_shown() {
    let otlp = stores::NOWHERE;
    let vars = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", otlp),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://me:hush@h"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hush"),
        ("OTEL_EXPORTER_OLTP_ENDPOINT", "hush"),
        ("OTEL_EXPORTER_API_KEY", "hush"),
        ("BARTIZAN_LOG_FORMAT", "xml"),
    ];
    let (code, steps) = doctor(&["--timeout", LONG], &vars).await;
    assert_eq!(code, 1);
    assert_eq!(with_status(&steps, "fail"), ["environment"]);
    let detail = &steps["environment"].1;
    for said in [
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `ftp://***@h` is not an address",
        "OTEL_EXPORTER_OLTP_ENDPOINT is read by nobody: OTEL_EXPORTER_OTLP_ENDPOINT?",
        "BARTIZAN_LOG_FORMAT: `xml` is not json, human or auto",
    ] {
        assert!(detail.contains(said), "{detail}");
    }
    assert!(!format!("{steps:?}").contains("hush"), "{steps:#?}");
    assert!(steps.contains_key("export"), "{steps:#?}");

    let vars = [
        ("OTEL_PROPAGATORS", "jaeger"),
        ("OTEL_SDK_DISABLED", "true"),
    ];
    let (code, steps) = doctor(&["--timeout", LONG], &vars).await;
    assert_eq!(
        (code, with_status(&steps, "fail")),
        (1, vec!["environment"])
    );
    assert_eq!(with_status(&steps, "skipped").len(), 4, "{steps:#?}");
}

#[tokio::test]
async fn losses_fail_while_they_grow_and_are_told_otherwise() {
    let off = [("OTEL_SDK_DISABLED", "true")];
    for (lost, expected) in [
        (
            (|_| 0) as fn(usize) -> usize,
            ("ok", "nothing since its start"),
        ),
        (
            |_| 3,
            (
                "ok",
                "since its start 3 traces found no room in the queue; nothing",
            ),
        ),
        (
            |scrape| 3 + scrape,
            ("fail", "telemetry is being lost; since its start 4 traces"),
        ),
    ] {
        let admin = stores::admin(lost).await;
        let (code, steps) = doctor(&["--admin", &admin, "--timeout", LONG], &off).await;
        assert_eq!(code, 1, "it is not ready");
        let of = |name: &str| &steps[&format!("{name} {}", authority(&admin))];
        let (status, detail, _) = of("losses");
        assert_eq!(status, expected.0, "{detail}");
        assert!(detail.starts_with(expected.1), "{detail}");
        assert_eq!(of("metrics").0, "ok", "{steps:#?}");
        assert_eq!(
            of("ready").1,
            "answered 503 Service Unavailable: stock is down"
        );
    }
}

#[tokio::test]
async fn what_is_no_service_of_ours_is_noticed() {
    let page = || async { "<html>\n" };
    let router = Router::new()
        .route("/metrics", get(page))
        .route("/", get(page));
    let url = stores::serve(router).await;
    let off = [("OTEL_SDK_DISABLED", "true")];
    let arguments = ["--admin", &url, "--gateway", &url, "--timeout", LONG];
    let (code, steps) = doctor(&arguments, &off).await;
    assert_eq!(code, 1);
    let metrics = &steps[&format!("metrics {}", authority(&url))].1;
    assert!(
        metrics.contains("line 1 is not Prometheus' text format"),
        "{metrics}"
    );
    let gateway = &steps["gateway"].1;
    assert!(
        gateway.ends_with("200 OK without x-request-id"),
        "{gateway}"
    );
    assert_eq!(steps["gateway trace"].0, "skipped");
}

#[tokio::test]
async fn people_get_a_line_for_each_step_and_what_to_do() {
    let output = bartizan(
        &["doctor"],
        &[
            ("BARTIZAN_LOG_FORMAT", "xml"),
            ("OTEL_SDK_DISABLED", "true"),
        ],
    )
    .await;
    assert_eq!((code(&output), complaints(&output)), (1, String::new()));
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = said.lines().collect();
    let [environment, fix, .., last] = lines[..] else {
        panic!("{said}");
    };
    assert_eq!(
        environment,
        "FAIL     environment              BARTIZAN_LOG_FORMAT: `xml` is not json, human or auto"
    );
    assert_eq!(fix, "    fix: correct these variables, or unset them");
    assert_eq!(last, "0 ok, 1 failed, 4 skipped");
}

#[tokio::test]
async fn a_command_line_that_makes_no_sense_is_a_usage_error() {
    for arguments in [&["doctor", "--jaeger"][..], &["probe"], &["cure"], &[]] {
        let output = bartizan(arguments, &[]).await;
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(complaints(&output).starts_with("bartizan: "));
        assert!(output.stdout.is_empty());
    }
    let output = bartizan(&["--help"], &[]).await;
    assert_eq!((code(&output), complaints(&output)), (0, String::new()));
    assert!(output.stdout.starts_with(b"Usage: bartizan probe"));
}
