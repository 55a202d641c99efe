//! The demo end to end: the real program, real processes, real sockets.
//!
//! Every wait here is for a process to end or for a pipe to be read.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers below are part of the tests"
)]

mod admin;
mod breaker;
mod crash;
mod http;
mod process;
mod shop;
mod stop;
#[path = "../support/mod.rs"]
mod support;

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;

use process::{Demo, kill};
use support::services::SERVICES;

/// How long anything may take that comes in the end; whatever takes longer never does.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often it is looked for.
const PACE: Duration = Duration::from_millis(5);

#[test]
fn a_short_run_shows_every_request_as_a_complete_trace_and_loses_nothing() {
    let ended = Demo::start(&["--for", "3s", "--json"]).wait();
    assert!(ended.status.success(), "{ended:?}");
    let summary: Value = serde_json::from_str(ended.stdout.last().unwrap()).unwrap();
    let count = |name: &str| {
        summary[name]
            .as_u64()
            .unwrap_or_else(|| panic!("{name}: {summary}"))
    };

    assert!(count("requests") > 0, "{summary}");
    assert_eq!(count("errors"), 0, "{summary}");
    assert_eq!(
        (count("limited"), count("rate_limited")),
        (0, 0),
        "{summary}"
    );
    assert_eq!(count("traces"), count("requests"), "{summary}");
    assert_eq!(count("complete_traces"), count("requests"), "{summary}");
    assert!(count("spans_ended") > count("requests"), "{summary}");
    assert_eq!(count("spans_ended"), count("spans_received"), "{summary}");
    assert_eq!(count("spans_lost"), 0, "{summary}");
    assert_eq!(count("spans_unconfirmed"), 0, "{summary}");
    assert_eq!(
        summary["services"],
        serde_json::json!(["gateway", "inventory", "orders", "payments"])
    );
    assert!(count("log_records") > 0, "{summary}");
    assert_eq!(count("log_records_lost"), 0, "{summary}");
    let (p50, p99) = (
        summary["p50_ms"].as_f64().unwrap(),
        summary["p99_ms"].as_f64().unwrap(),
    );
    assert!(0.0 < p50 && p50 <= p99, "{summary}");
}

#[test]
fn an_outage_of_the_payments_opens_a_circuit() {
    // Three seconds of nine: who is turned away comes again after one, and after two, and some do so
    // in vain.
    let options = ["--for", "9s", "--scenario", "payments-outage", "--json"];
    let ended = Demo::start(&options).wait();
    assert!(ended.status.success(), "{ended:?}");
    let summary: Value = serde_json::from_str(ended.stdout.last().unwrap()).unwrap();
    assert_eq!(summary["scenario"], "payments-outage");
    assert_eq!(summary.get("faults_not_set"), None, "{summary}");
    assert!(summary["retries"].as_u64() > Some(0), "{summary}");
    // It opens, and looks whether they are back, at least once.
    assert!(
        summary["breaker_transitions"].as_u64() >= Some(3),
        "{summary}"
    );
    assert_eq!(
        summary["spans_ended"], summary["spans_received"],
        "{summary}"
    );
}

#[test]
fn a_spike_is_limited_and_who_was_there_before_is_not() {
    // Two seconds of 450 are more than a burst and what comes back meanwhile.
    let ended = Demo::start(&["--for", "6s", "--scenario", "spike", "--json"]).wait();
    assert!(ended.status.success(), "{ended:?}");
    let summary: Value = serde_json::from_str(ended.stdout.last().unwrap()).unwrap();
    assert!(summary["rate_limited"].as_u64() > Some(0), "{summary}");
    assert_eq!(summary["limited"], summary["rate_limited"], "{summary}");
    assert_eq!(summary["limited_steady"], 0, "{summary}");
    assert_eq!(summary["errors"], 0, "{summary}");
    // Who is turned away has a trace as well.
    assert!(
        summary["traces"].as_u64() >= summary["requests"].as_u64(),
        "{summary}"
    );
    assert_eq!(summary["complete_traces"], summary["traces"], "{summary}");
    assert_eq!(
        summary["spans_ended"], summary["spans_received"],
        "{summary}"
    );
}

#[test]
fn a_proxy_in_the_environment_is_not_asked() {
    // Port 1 answers nobody.
    let proxy = "http://127.0.0.1:1";
    let vars = [
        ("http_proxy", proxy),
        ("HTTP_PROXY", proxy),
        ("ALL_PROXY", proxy),
        ("no_proxy", ""),
        ("NO_PROXY", ""),
    ];
    let ended = Demo::start_with(&["--for", "500ms", "--json"], &vars).wait();
    assert!(ended.status.success(), "{ended:?}");
    let summary: Value = serde_json::from_str(ended.stdout.last().unwrap()).unwrap();
    assert!(summary["requests"].as_u64() > Some(0), "{summary}");
    assert_eq!(summary["errors"], 0, "{summary}");
    assert_eq!(summary["complete_traces"], summary["requests"], "{summary}");
}

#[test]
fn ctrl_c_in_a_terminal_ends_with_a_summary_and_a_trace_of_all_services() {
    let mut demo = Demo::start(&[]);
    demo.read_until("spans received");
    // To the whole group, as a terminal does it: the services must not take it as theirs.
    kill("-INT", &format!("-{}", demo.pid()));
    let ended = demo.wait();

    assert!(ended.status.success(), "{ended:?}");
    for said in [
        "0 errors",
        "0 lost, 0 unconfirmed",
        "services     gateway, inventory, orders, payments",
    ] {
        assert!(
            ended.stdout.iter().any(|line| line.contains(said)),
            "{said}: {ended:?}"
        );
    }
    let shown = ended
        .stdout
        .iter()
        .position(|line| line.contains("services     "))
        .unwrap();
    let trace = ended.stdout[shown..].join("\n");
    for said in [
        "POST /orders",
        "PUT /reservations/",
        "PUT /payments/",
        "POST /reservations/",
        "INSERT orders",
        "order placed",
    ] {
        assert!(trace.contains(said), "{said}: {ended:?}");
    }
}

#[test]
fn ctrl_c_while_the_services_start_ends_the_demo_and_leaves_none_behind() {
    // Held, so that the order service waits for it and does not get to serve meanwhile.
    let database = Path::new(env!("CARGO_TARGET_TMPDIR")).join("held.db");
    let holder = Connection::open(&database).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let mut demo = Demo::start(&["--db", database.to_str().unwrap()]);
    demo.read_until("starting");
    // To the whole group: the order service is hit as well, however far it has come.
    kill("-INT", &format!("-{}", demo.pid()));
    // All of them are gone when this returns.
    let ended = demo.wait();
    drop(holder);
    std::fs::remove_file(database).unwrap();

    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(
        ended.stdout.last().unwrap(),
        "interrupted before all services served",
        "{ended:?}"
    );
    assert!(ended.stderr.is_empty(), "{ended:?}");
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_a_service_that_hangs() {
    let mut demo = Demo::start(&[]);
    let gateway = demo.pid_of("gateway");
    demo.read_until("spans received");
    kill("-STOP", &gateway);
    kill("-INT", &demo.pid());
    demo.read_until("stopping");
    kill("-INT", &demo.pid());
    let ended = demo.wait();

    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        ended.stderr[0].starts_with("demo: interrupted again"),
        "{ended:?}"
    );
}

#[test]
fn sigterm_to_the_whole_group_is_a_clean_end_too() {
    let mut demo = Demo::start(&[]);
    demo.read_until("spans received");
    kill("-TERM", &format!("-{}", demo.pid()));
    let ended = demo.wait();
    assert!(ended.status.success(), "{ended:?}");
    assert!(
        ended
            .stdout
            .iter()
            .any(|line| line.contains("0 lost, 0 unconfirmed")),
        "{ended:?}"
    );
}

#[test]
fn a_killed_demo_leaves_no_services_behind() {
    let mut demo = Demo::start(&[]);
    let services = SERVICES.map(|name| demo.pid_of(name));
    kill("-KILL", &demo.pid());
    // The pipe is at its end only when the services, which hold it too, are gone as well.
    let ended = demo.wait();
    assert_eq!(ended.status.code(), None, "{ended:?}");
    for pid in services {
        assert!(!process::lives(&pid), "{pid}: {ended:?}");
    }
}

#[test]
fn a_crashed_service_is_named_with_its_last_lines() {
    for name in SERVICES {
        let mut demo = Demo::start(&[]);
        let service = demo.pid_of(name);
        demo.read_until("spans received");
        kill("-KILL", &service);
        let ended = demo.wait();

        assert_eq!(ended.status.code(), Some(1), "{ended:?}");
        let said = format!("demo: {name} ended by itself: signal: 9 (SIGKILL); its last lines:");
        assert_eq!(ended.stderr[0], said, "{ended:?}");
        assert!(ended.stderr[1].starts_with("  | "), "{ended:?}");
    }
}

#[test]
fn a_taken_port_is_named_with_its_option_and_the_service_that_wanted_it() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = taken.local_addr().unwrap();
    for (option, said) in [
        (
            "--otlp-grpc-port",
            format!("demo: cannot listen on {address} (--otlp-grpc-port)"),
        ),
        (
            "--otlp-http-port",
            format!("demo: cannot listen on {address} (--otlp-http-port)"),
        ),
        (
            "--panel-port",
            format!("demo: cannot listen on {address} (--panel-port)"),
        ),
        (
            "--orders-port",
            format!("| orders: cannot listen on {address} (--orders-port)"),
        ),
        (
            "--orders-admin-port",
            format!("| orders: cannot listen on {address} (--orders-admin-port)"),
        ),
        (
            "--inventory-port",
            format!("| inventory: cannot listen on {address} (--inventory-port)"),
        ),
        (
            "--inventory-admin-port",
            format!("| inventory: cannot listen on {address} (--inventory-admin-port)"),
        ),
        (
            "--payments-port",
            format!("| payments: cannot listen on {address} (--payments-port)"),
        ),
        (
            "--payments-admin-port",
            format!("| payments: cannot listen on {address} (--payments-admin-port)"),
        ),
        (
            "--gateway-port",
            format!("| gateway: cannot listen on {address} (--gateway-port)"),
        ),
        (
            "--gateway-admin-port",
            format!("| gateway: cannot listen on {address} (--gateway-admin-port)"),
        ),
    ] {
        let ended = Demo::start(&[option, &address.port().to_string()]).wait();
        assert_eq!(ended.status.code(), Some(1), "{option}: {ended:?}");
        assert!(
            ended.stderr.iter().any(|line| line.contains(&said)),
            "{option}: {ended:?}"
        );
        assert!(
            ended.stderr.iter().any(|line| line.contains("in use")),
            "{option}: {ended:?}"
        );
    }
}

#[test]
fn a_database_that_cannot_be_opened_is_named() {
    let ended = Demo::start(&["--db", "/nowhere/at/all/orders.db"]).wait();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        ended.stderr[0].starts_with("demo: orders did not start: exit status: 1"),
        "{ended:?}"
    );
    let said = "| orders: cannot open the database \"/nowhere/at/all/orders.db\"";
    assert!(
        ended.stderr.iter().any(|line| line.contains(said)),
        "{ended:?}"
    );
}

#[test]
fn a_wrong_option_is_a_usage_error() {
    let ended = Demo::start(&["--rate", "many"]).wait();
    assert_eq!(ended.status.code(), Some(2), "{ended:?}");
    assert!(
        ended.stderr[0].starts_with("demo: --rate: `many` is not"),
        "{ended:?}"
    );
}
