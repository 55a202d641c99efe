//! Good spans pass all rules; each bad one breaks exactly the rule it is listed under, and every
//! rule is listed, so that none can be taken out unnoticed.

use std::{collections::BTreeSet, sync::Arc};

use bartizan_panel::view::{
    HistogramView, MetricKind, PointValue, PointView, ResourceView, ScopeView, SpanKind, SpanView,
    StatusCode, Temporality, Value,
};
use opentelemetry::trace::{SpanId, TraceId};

use super::*;

type SpanCase = (&'static str, fn(&mut SpanView));
type MetricCase = (&'static str, fn(&mut PointView));

fn span(kind: SpanKind, name: &str) -> SpanView {
    SpanView {
        resource: Arc::new(ResourceView::of_service("test")),
        scope: Arc::new(ScopeView::default()),
        trace_id: TraceId::from_bytes([1; 16]),
        span_id: SpanId::from_bytes([1; 8]),
        parent_span_id: None,
        trace_state: String::new(),
        flags: 1,
        name: name.to_owned(),
        kind,
        start_unix_nanos: 1,
        end_unix_nanos: 2,
        attributes: [].into(),
        repeated_keys: Vec::new(),
        events: Vec::new(),
        links: Vec::new(),
        dropped: 0,
        status: StatusCode::Unset,
        status_message: String::new(),
    }
}

fn set(span: &mut SpanView, key: &str, value: impl Into<Value>) {
    span.attributes.insert(key.to_owned(), value.into());
}

fn unset(span: &mut SpanView, key: &str) {
    span.attributes.remove(key).expect("the good span has it");
}

fn failed(span: &mut SpanView, code: i64, error: &str) {
    set(span, "http.response.status_code", code);
    set(span, "error.type", error);
    span.status = StatusCode::Error;
}

fn server() -> SpanView {
    let mut span = span(SpanKind::Server, "GET /users/{id}");
    set(&mut span, "http.request.method", "GET");
    set(&mut span, "http.response.status_code", 200);
    set(&mut span, "http.route", "/users/{id}");
    set(&mut span, "network.protocol.version", "1.1");
    set(&mut span, "server.address", "example.com");
    set(&mut span, "server.port", 443);
    set(&mut span, "url.path", "/users/7");
    set(&mut span, "url.scheme", "https");
    span
}

fn client() -> SpanView {
    let mut span = span(SpanKind::Client, "GET");
    set(&mut span, "http.request.method", "GET");
    set(&mut span, "http.response.status_code", 200);
    set(&mut span, "server.address", "example.com");
    set(&mut span, "server.port", 443);
    set(&mut span, "url.full", "https://example.com/users/7");
    span
}

const GOOD_SERVER: &[fn(&mut SpanView)] = &[
    |_| {},
    |span| {
        unset(span, "http.route");
        span.name = "GET".to_owned();
    },
    |span| {
        set(span, "http.request.method", "_OTHER");
        set(span, "http.request.method_original", "BREW");
        span.name = "HTTP /users/{id}".to_owned();
    },
    |span| set(span, "http.request.method_original", "get"),
    |span| set(span, "http.response.status_code", 404),
    |span| failed(span, 500, "500"),
    |span| failed(span, 200, "body_error"),
    |span| {
        failed(span, 503, "io::Error");
        span.status_message = "disk full".to_owned();
    },
    |span| {
        unset(span, "http.response.status_code");
        set(span, "error.type", "cancelled");
        span.status = StatusCode::Error;
    },
    |span| {
        unset(span, "server.address");
        unset(span, "server.port");
    },
    |span| set(span, "server.address", "2001:db8::1"),
    |span| {
        set(span, "http.route", "/v2/{id}");
        span.name = "GET /v2/{id}".to_owned();
    },
    |span| set(span, "url.query", "a=b&sig=REDACTED&Sig=plain"),
    |span| {
        set(
            span,
            "http.request.header.accept",
            Value::Array(vec!["*/*".into()]),
        )
    },
    |span| set(span, "bartizan.request.id", "x"),
];

const GOOD_CLIENT: &[fn(&mut SpanView)] = &[
    |_| {},
    |span| failed(span, 404, "404"),
    |span| failed(span, 502, "502"),
    |span| {
        unset(span, "http.response.status_code");
        set(span, "error.type", "timeout");
        span.status = StatusCode::Error;
        span.status_message = "no answer in 5 s".to_owned();
    },
    // Cancelled on purpose.
    |span| unset(span, "http.response.status_code"),
    |span| set(span, "http.request.resend_count", 1),
    |span| {
        set(
            span,
            "url.full",
            "https://REDACTED:REDACTED@example.com/@x?sig=REDACTED#f",
        )
    },
    |span| {
        set(span, "url.template", "/users/{id}");
        span.name = "GET /users/{id}".to_owned();
    },
];

const BAD_SERVER: &[SpanCase] = &[
    ("attributes.unique", |span| {
        span.repeated_keys = vec!["url.path".to_owned()]
    }),
    ("attributes.stable", |span| {
        set(span, "http.status_code", 200)
    }),
    ("attributes.types", |span| {
        set(span, "network.peer.port", "443")
    }),
    ("attributes.types", |span| {
        set(span, "user_agent.original", 1)
    }),
    ("headers.sensitive", |span| {
        set(
            span,
            "http.request.header.authorization",
            Value::Array(vec!["x".into()]),
        );
    }),
    ("headers.sensitive", |span| {
        set(
            span,
            "http.response.header.set-cookie",
            Value::Array(vec!["x".into()]),
        );
    }),
    ("headers.shape", |span| {
        set(span, "http.request.header.accept", "*/*")
    }),
    ("headers.shape", |span| {
        set(span, "http.request.header.Accept", Value::Array(vec![]))
    }),
    ("method.required", |span| unset(span, "http.request.method")),
    ("method.required", |span| {
        set(span, "http.request.method", "");
        span.name = " /users/{id}".to_owned();
    }),
    ("method.known", |span| {
        set(span, "http.request.method", "X0");
        span.name = "X0 /users/{id}".to_owned();
    }),
    ("method.original", |span| {
        set(span, "http.request.method", "_OTHER");
        span.name = "HTTP /users/{id}".to_owned();
    }),
    ("method.original", |span| {
        set(span, "http.request.method_original", "GET")
    }),
    ("name", |span| span.name = "/users/7".to_owned()),
    ("name", |span| span.name = "GET /users/7".to_owned()),
    ("name", |span| span.name = "GET".to_owned()),
    ("name", |span| {
        set(span, "http.request.method", "_OTHER");
        set(span, "http.request.method_original", "BREW");
        span.name = "_OTHER /users/{id}".to_owned();
    }),
    ("route", |span| {
        set(span, "http.route", "/users/7");
        span.name = "GET /users/7".to_owned();
    }),
    ("route", |span| {
        set(
            span,
            "http.route",
            "/o/0af76519-16cd-43dd-8448-eb211c80319c",
        );
        span.name = "GET /o/0af76519-16cd-43dd-8448-eb211c80319c".to_owned();
    }),
    ("status_code", |span| {
        set(span, "http.response.status_code", "200")
    }),
    ("status_code", |span| {
        set(span, "http.response.status_code", 0)
    }),
    ("error.type", |span| {
        failed(span, 500, "connection refused (os error 111)")
    }),
    ("error.type", |span| failed(span, 500, "")),
    ("error.iff", |span| {
        failed(span, 500, "500");
        unset(span, "error.type");
    }),
    ("error.iff", |span| set(span, "error.type", "body_error")),
    ("error.code", |span| failed(span, 500, "503")),
    ("status.never_ok", |span| span.status = StatusCode::Ok),
    ("status.server_unset", |span| failed(span, 404, "404")),
    ("status.server_unset", |span| failed(span, 302, "302")),
    ("status.5xx", |span| {
        set(span, "http.response.status_code", 500)
    }),
    ("status.description", |span| {
        failed(span, 500, "500");
        span.status_message = "Internal Server Error".to_owned();
    }),
    ("protocol.version", |span| {
        set(span, "network.protocol.version", "2.0")
    }),
    ("protocol.version", |span| {
        set(span, "network.protocol.version", "HTTP/1.1")
    }),
    ("protocol.name", |span| {
        set(span, "network.protocol.name", "http")
    }),
    ("scheme", |span| set(span, "url.scheme", "")),
    ("scheme", |span| unset(span, "url.scheme")),
    ("server.address", |span| set(span, "server.address", "h:1")),
    ("server.address", |span| {
        set(span, "server.address", "[::1]:80")
    }),
    ("server.port", |span| unset(span, "server.port")),
    ("server.port", |span| set(span, "server.port", "443")),
    ("url.path", |span| unset(span, "url.path")),
    ("url.path", |span| set(span, "url.path", "/users/7?a=b")),
    ("url.query", |span| set(span, "url.query", "?a=b")),
    ("url.query", |span| set(span, "url.query", "")),
    ("url.redacted", |span| {
        set(span, "url.query", "a=b&sig=secret")
    }),
];

const BAD_CLIENT: &[SpanCase] = &[
    ("name", |span| span.name = "GET /users/7".to_owned()),
    ("status.client_unset", |span| failed(span, 302, "302")),
    ("status.client_4xx", |span| {
        set(span, "http.response.status_code", 404)
    }),
    ("status.description", |span| {
        failed(span, 404, "404");
        span.status_message = "Not Found".to_owned();
    }),
    ("server.address", |span| unset(span, "server.address")),
    ("server.port", |span| unset(span, "server.port")),
    ("scheme", |span| set(span, "url.scheme", "")),
    ("url.full", |span| unset(span, "url.full")),
    ("url.full", |span| set(span, "url.full", "/users/7")),
    ("url.redacted", |span| {
        set(span, "url.full", "https://h/p?X-Amz-Signature=abc#f")
    }),
    ("url.credentials", |span| {
        set(span, "url.full", "https://me:secret@example.com/")
    }),
    ("resend_count", |span| {
        set(span, "http.request.resend_count", 0)
    }),
];

fn duration() -> PointView {
    let bounds = vec![
        0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
    ];
    let mut buckets = vec![0; 15];
    buckets[3] = 2;
    let histogram = HistogramView {
        count: 2,
        sum: Some(0.1),
        bounds,
        buckets,
        ..HistogramView::default()
    };
    PointView {
        resource: Arc::new(ResourceView::of_service("test")),
        scope: Arc::new(ScopeView::default()),
        name: "http.server.request.duration".to_owned(),
        unit: "s".to_owned(),
        description: String::new(),
        kind: MetricKind::Histogram,
        temporality: Temporality::Cumulative,
        attributes: [
            ("http.request.method".to_owned(), "GET".into()),
            ("http.response.status_code".to_owned(), 200.into()),
            ("http.route".to_owned(), "/users/{id}".into()),
            ("network.protocol.version".to_owned(), "2".into()),
            ("url.scheme".to_owned(), "http".into()),
        ]
        .into(),
        start_unix_nanos: 1,
        unix_nanos: 2,
        value: PointValue::Histogram(histogram),
    }
}

fn label(point: &mut PointView, key: &str, value: impl Into<Value>) {
    point.attributes.insert(key.to_owned(), value.into());
}

/// Makes the point one of a client's duration.
fn of_client(point: &mut PointView) {
    point.name = "http.client.request.duration".to_owned();
    point.attributes.remove("http.route");
    label(point, "server.address", "example.com");
    label(point, "server.port", 443);
}

const GOOD_METRICS: &[fn(&mut PointView)] = &[
    |_| {},
    of_client,
    |point| {
        label(point, "http.response.status_code", 500);
        label(point, "error.type", "500");
    },
    |point| {
        point.attributes = [("otel.metric.overflow".to_owned(), Value::Bool(true))].into();
    },
    |point| {
        point.name = "http.server.active_requests".to_owned();
        point.unit = "{request}".to_owned();
        point.kind = MetricKind::UpDownCounter;
        point.value = PointValue::Int(0);
        point
            .attributes
            .retain(|key, _| matches!(key.as_str(), "http.request.method" | "url.scheme"));
    },
    |point| point.name = "bartizan.http.server.stream.duration".to_owned(),
];

const BAD_METRICS: &[MetricCase] = &[
    ("metric.name", |point| {
        point.name = "http.server.duration".to_owned()
    }),
    ("metric.kind", |point| point.kind = MetricKind::Summary),
    ("metric.kind", |point| {
        point.temporality = Temporality::Unspecified
    }),
    ("metric.unit", |point| point.unit = "ms".to_owned()),
    ("metric.buckets", |point| {
        let histogram = HistogramView {
            count: 1,
            bounds: vec![5.0],
            buckets: vec![1, 0],
            ..HistogramView::default()
        };
        point.value = PointValue::Histogram(histogram);
    }),
    ("metric.counts", |point| {
        let PointValue::Histogram(histogram) = &mut point.value else {
            unreachable!()
        };
        histogram.count = 3;
    }),
    ("metric.required", |point| {
        drop(point.attributes.remove("url.scheme"))
    }),
    ("metric.required", |point| {
        of_client(point);
        point.attributes.remove("server.port");
    }),
    ("metric.allowed", |point| {
        label(point, "url.path", "/users/7")
    }),
    ("metric.allowed", |point| {
        label(point, "server.address", "host-header.example")
    }),
    ("metric.method", |point| {
        label(point, "http.request.method", "X0")
    }),
    ("metric.route", |point| {
        label(point, "http.route", "/users/7")
    }),
    ("metric.status_code", |point| {
        label(point, "http.response.status_code", "200")
    }),
    ("metric.error.type", |point| {
        label(point, "error.type", "no route to host")
    }),
    ("metric.error.if", |point| {
        label(point, "http.response.status_code", 500)
    }),
    ("metric.error.if", |point| {
        of_client(point);
        label(point, "http.response.status_code", 404);
    }),
    ("metric.version", |point| {
        label(point, "network.protocol.version", "2.0")
    }),
    ("metric.protocol", |point| {
        label(point, "network.protocol.name", "http")
    }),
    ("metric.scheme", |point| label(point, "url.scheme", "")),
    ("metric.address", |point| {
        of_client(point);
        label(point, "server.address", "example.com:443");
    }),
];

fn ids(violations: &[Violation]) -> Vec<&'static str> {
    violations.iter().map(|violation| violation.rule).collect()
}

#[test]
fn good_spans_break_no_rule() {
    let cases = GOOD_SERVER.iter().map(|change| (server(), change));
    for (index, (mut span, change)) in cases
        .chain(GOOD_CLIENT.iter().map(|change| (client(), change)))
        .enumerate()
    {
        change(&mut span);
        assert_eq!(check_span(&span), [], "case {index}");
    }
}

#[test]
fn a_bad_span_breaks_its_rule_alone() {
    let cases = BAD_SERVER.iter().map(|case| (server(), case));
    for (index, (mut span, (rule, change))) in cases
        .chain(BAD_CLIENT.iter().map(|case| (client(), case)))
        .enumerate()
    {
        change(&mut span);
        assert_eq!(ids(&check_span(&span)), [*rule], "case {index}");
    }
}

#[test]
fn good_metrics_break_no_rule() {
    for (index, change) in GOOD_METRICS.iter().enumerate() {
        let mut point = duration();
        change(&mut point);
        assert_eq!(check_metric(&point), [], "case {index}");
    }
}

#[test]
fn a_bad_metric_breaks_its_rule_alone() {
    for (index, (rule, change)) in BAD_METRICS.iter().enumerate() {
        let mut point = duration();
        change(&mut point);
        assert_eq!(ids(&check_metric(&point)), [*rule], "case {index}");
    }
}

#[test]
fn every_rule_has_a_bad_case_and_a_name_of_its_own() {
    let spans = SPAN_RULES.iter().map(|rule| rule.id);
    let rules: Vec<_> = spans
        .chain(METRIC_RULES.iter().map(|rule| rule.id))
        .collect();
    let unique: BTreeSet<_> = rules.iter().copied().collect();
    assert_eq!(unique.len(), rules.len());
    let spans = BAD_SERVER.iter().chain(BAD_CLIENT).map(|case| case.0);
    let tested: BTreeSet<_> = spans.chain(BAD_METRICS.iter().map(|case| case.0)).collect();
    assert_eq!(unique, tested);
}

#[test]
fn of_other_spans_and_metrics_nothing_is_asked() {
    assert_eq!(check_span(&span(SpanKind::Internal, "work")), []);
    let mut query = span(SpanKind::Client, "SELECT orders");
    set(&mut query, "db.system.name", "sqlite");
    assert_eq!(check_span(&query), []);
    assert!(!check_span(&span(SpanKind::Client, "bare")).is_empty());
}

#[test]
fn a_violation_says_what_was_expected_and_found() {
    let mut span = server();
    set(&mut span, "url.scheme", "");
    assert_eq!(
        check_span(&span)[0].to_string(),
        "`GET /users/{id}`: scheme: url.scheme is there on a server, and never empty \
         (found url.scheme = Str(\"\"))"
    );
}
