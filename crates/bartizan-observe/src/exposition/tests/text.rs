//! What each kind of instrument looks like, written by hand.

use super::*;

#[track_caller]
fn assert_page(snapshot: Snapshot<'_>, format: Format, expected: &str) {
    let page = Page::write(snapshot, format);
    assert_eq!(page.text, expected);
    assert_eq!(page.omitted, []);
}

fn counter() -> Snapshot<'static> {
    let points = vec![
        number(&[("http.route", "/b")], Number::Unsigned(7)),
        number(&[("http.route", "/a")], Number::Unsigned(3)),
    ];
    let mut spent = instrument("cpu.time", "s", Data::Counter(points));
    spent.help = "Time \"spent\"\nin C:\\.";
    snapshot(vec![
        instrument(
            "requests",
            "{request}",
            Data::Counter(vec![number(&[], Number::Float(2.0))]),
        ),
        spent,
    ])
}

#[test]
fn counters() {
    assert_page(
        counter(),
        Format::Prometheus,
        "# HELP cpu_time_seconds_total Time \"spent\"\\nin C:\\\\.\n\
         # TYPE cpu_time_seconds_total counter\n\
         cpu_time_seconds_total{http_route=\"/a\"} 3\n\
         cpu_time_seconds_total{http_route=\"/b\"} 7\n\
         # TYPE requests_total counter\n\
         requests_total 2\n",
    );
    assert_page(
        counter(),
        Format::OpenMetrics,
        "# TYPE cpu_time_seconds counter\n\
         # UNIT cpu_time_seconds seconds\n\
         # HELP cpu_time_seconds Time \\\"spent\\\"\\nin C:\\\\.\n\
         cpu_time_seconds_total{http_route=\"/a\"} 3\n\
         cpu_time_seconds_total{http_route=\"/b\"} 7\n\
         # TYPE requests counter\n\
         requests_total 2.0\n\
         # EOF\n",
    );
}

fn gauges() -> Snapshot<'static> {
    let points = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.25]
        .into_iter()
        .zip(["nan", "up", "down", "some"])
        .map(|(value, which)| number(&[("is", which)], Number::Float(value)))
        .collect();
    let active = vec![number(&[], Number::Signed(-3))];
    snapshot(vec![
        instrument("cpu.utilization", "1", Data::Gauge(points)),
        instrument("active", "{request}", Data::UpDown(active)),
    ])
}

#[test]
fn gauges_and_sums_that_can_sink() {
    assert_page(
        gauges(),
        Format::Prometheus,
        "# TYPE active gauge\n\
         active -3\n\
         # TYPE cpu_utilization_ratio gauge\n\
         cpu_utilization_ratio{is=\"down\"} -Inf\n\
         cpu_utilization_ratio{is=\"nan\"} NaN\n\
         cpu_utilization_ratio{is=\"some\"} 0.25\n\
         cpu_utilization_ratio{is=\"up\"} +Inf\n",
    );
    assert_page(
        gauges(),
        Format::OpenMetrics,
        "# TYPE active gauge\n\
         active -3\n\
         # TYPE cpu_utilization_ratio gauge\n\
         # UNIT cpu_utilization_ratio ratio\n\
         cpu_utilization_ratio{is=\"down\"} -Inf\n\
         cpu_utilization_ratio{is=\"nan\"} NaN\n\
         cpu_utilization_ratio{is=\"some\"} 0.25\n\
         cpu_utilization_ratio{is=\"up\"} +Inf\n\
         # EOF\n",
    );
}

fn histogram(distribution: Distribution) -> Snapshot<'static> {
    let points = vec![Point {
        attributes: attributes(&[("m", "GET")]),
        value: distribution,
    }];
    let mut took = instrument("took", "s", Data::Histogram(points));
    took.help = "How long.";
    snapshot(vec![took])
}

fn distribution() -> Distribution {
    Distribution {
        bounds: vec![0.005, 1.0, 10.0],
        counts: vec![1, 2, 0, 1],
        sum: Some(Number::Float(13.0)),
        exemplars: vec![
            exemplar(1, 0.005),
            exemplar(3, 1.0),
            exemplar(2, 0.5),
            // Newer than the snapshot: nothing has been counted there.
            exemplar(4, 2.0),
            exemplar(5, 12.0),
        ],
    }
}

#[test]
fn histograms_add_up_and_have_exemplars_in_open_metrics() {
    assert_page(
        histogram(distribution()),
        Format::Prometheus,
        "# HELP took_seconds How long.\n\
         # TYPE took_seconds histogram\n\
         took_seconds_bucket{m=\"GET\",le=\"0.005\"} 1\n\
         took_seconds_bucket{m=\"GET\",le=\"1\"} 3\n\
         took_seconds_bucket{m=\"GET\",le=\"10\"} 3\n\
         took_seconds_bucket{m=\"GET\",le=\"+Inf\"} 4\n\
         took_seconds_sum{m=\"GET\"} 13\n\
         took_seconds_count{m=\"GET\"} 4\n",
    );
    let ids = |id: u64| format!("trace_id=\"{id:032x}\",span_id=\"{id:016x}\"");
    let (a, b, c) = (ids(1), ids(3), ids(5));
    assert_page(
        histogram(distribution()),
        Format::OpenMetrics,
        &format!(
            "# TYPE took_seconds histogram\n\
             # UNIT took_seconds seconds\n\
             # HELP took_seconds How long.\n\
             took_seconds_bucket{{m=\"GET\",le=\"0.005\"}} 1 # {{{a}}} 0.005 0.001\n\
             took_seconds_bucket{{m=\"GET\",le=\"1.0\"}} 3 # {{{b}}} 1.0 0.003\n\
             took_seconds_bucket{{m=\"GET\",le=\"10.0\"}} 3\n\
             took_seconds_bucket{{m=\"GET\",le=\"+Inf\"}} 4 # {{{c}}} 12.0 0.005\n\
             took_seconds_sum{{m=\"GET\"}} 13.0\n\
             took_seconds_count{{m=\"GET\"}} 4\n\
             # EOF\n"
        ),
    );
}

#[test]
fn a_histogram_of_values_that_may_be_negative_has_no_sum() {
    let of = || Distribution {
        bounds: vec![f64::INFINITY],
        counts: vec![1, 1],
        ..Distribution::default()
    };
    assert_page(
        histogram(of()),
        Format::Prometheus,
        "# HELP took_seconds How long.\n\
         # TYPE took_seconds histogram\n\
         took_seconds_bucket{m=\"GET\",le=\"+Inf\"} 2\n\
         took_seconds_count{m=\"GET\"} 2\n",
    );
    assert_page(
        histogram(of()),
        Format::OpenMetrics,
        "# TYPE took_seconds histogram\n\
         # UNIT took_seconds seconds\n\
         # HELP took_seconds How long.\n\
         took_seconds_bucket{m=\"GET\",le=\"+Inf\"} 2\n\
         # EOF\n",
    );
}

fn scoped() -> Snapshot<'static> {
    let scope = |name, version, value| Scope {
        name,
        version,
        attributes: Vec::new(),
        instruments: vec![instrument(
            "x",
            "",
            Data::UpDown(vec![number(&[("k", "v")], Number::Signed(value))]),
        )],
    };
    Snapshot {
        resource: attributes(&[("service.name", "shop"), ("a", "\"")]),
        scopes: vec![scope("two", None, 2), scope("one", Some("0.1"), 1)],
    }
}

#[test]
fn the_resource_comes_first_and_scopes_are_labels_of_one_family() {
    assert_page(
        scoped(),
        Format::Prometheus,
        "# HELP target_info Target metadata\n\
         # TYPE target_info gauge\n\
         target_info{a=\"\\\"\",service_name=\"shop\"} 1\n\
         # TYPE x gauge\n\
         x{k=\"v\",otel_scope_name=\"one\",otel_scope_version=\"0.1\"} 1\n\
         x{k=\"v\",otel_scope_name=\"two\"} 2\n",
    );
    assert_page(
        scoped(),
        Format::OpenMetrics,
        "# TYPE target info\n\
         # HELP target Target metadata\n\
         target_info{a=\"\\\"\",service_name=\"shop\"} 1\n\
         # TYPE x gauge\n\
         x{k=\"v\",otel_scope_name=\"one\",otel_scope_version=\"0.1\"} 1\n\
         x{k=\"v\",otel_scope_name=\"two\"} 2\n\
         # EOF\n",
    );
}

#[test]
fn nothing_measured_is_an_empty_page() {
    assert_page(Snapshot::default(), Format::Prometheus, "");
    assert_page(Snapshot::default(), Format::OpenMetrics, "# EOF\n");
    let unused = snapshot(vec![instrument("unused", "", Data::Counter(Vec::new()))]);
    assert_page(unused, Format::OpenMetrics, "# EOF\n");
}
