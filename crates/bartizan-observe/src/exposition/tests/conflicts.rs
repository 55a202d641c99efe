//! Two instruments that come out with one name.

use super::*;
use crate::exposition::{Omitted, OmittedReason};

fn counter(name: &'static str, value: u64) -> Instrument<'static> {
    let points = vec![number(&[], Number::Unsigned(value))];
    instrument(name, "", Data::Counter(points))
}

fn gauge(name: &'static str) -> Instrument<'static> {
    let points = vec![number(&[], Number::Float(0.5))];
    instrument(name, "", Data::Gauge(points))
}

fn histogram(name: &'static str) -> Instrument<'static> {
    let value = Distribution {
        counts: vec![1],
        ..Distribution::default()
    };
    let points = vec![Point {
        attributes: Vec::new(),
        value,
    }];
    instrument(name, "", Data::Histogram(points))
}

fn omitted(metric: &str, reason: OmittedReason) -> Omitted {
    Omitted {
        metric: metric.to_owned(),
        reason,
        series: 1,
    }
}

/// Both ways round, because the scopes' and instruments' order is the SDK's.
#[track_caller]
fn assert_left_out(one: Instrument<'static>, other: Instrument<'static>, expected: &Omitted) {
    let scopes = |mut names: Vec<(&'static str, Instrument<'static>)>| Snapshot {
        resource: attributes(&[("service.name", "x")]),
        scopes: names
            .drain(..)
            .map(|(name, instrument)| Scope {
                name,
                instruments: vec![instrument],
                ..Scope::default()
            })
            .collect(),
    };
    let page = Page::write(scopes(vec![("b", other), ("a", one)]), Format::OpenMetrics);
    assert_eq!(page.omitted, std::slice::from_ref(expected));
    assert_eq!(page.text.matches("# TYPE").count(), 2, "{}", page.text);
}

#[test]
fn of_two_types_with_one_name_the_first_scope_s_stays() {
    let conflict = |metric| omitted(metric, OmittedReason::Conflict);
    assert_left_out(counter("x.y", 1), gauge("x_y"), &conflict("x_y"));
    assert_left_out(gauge("x_y"), counter("x.y", 1), &conflict("x.y"));
    // In Prometheus' text these would be two, in OpenMetrics they would not.
    assert_left_out(gauge("x"), counter("x_total", 1), &conflict("x_total"));
}

#[test]
fn a_name_that_a_histogram_or_counter_makes_is_taken() {
    for sample in ["x_bucket", "x_sum", "x_count", "x_created"] {
        let expected = omitted(sample, OmittedReason::Conflict);
        assert_left_out(gauge(sample), histogram("x"), &expected);
    }
    let expected = omitted("x_total", OmittedReason::Conflict);
    assert_left_out(gauge("x_total"), counter("x", 1), &expected);
    for target in ["target", "target_info"] {
        let instruments = vec![gauge(target), gauge("x")];
        let mut snapshot = snapshot(instruments);
        snapshot.resource = attributes(&[("a", "b")]);
        let page = Page::write(snapshot, Format::Prometheus);
        assert_eq!(page.omitted, [omitted(target, OmittedReason::Conflict)]);
    }
}

#[test]
fn of_two_series_that_look_the_same_the_first_stays() {
    let same = || snapshot(vec![counter("a_b", 2), counter("a.b", 1)]);
    let page = Page::write(same(), Format::OpenMetrics);
    assert_eq!(page.text, "# TYPE a_b counter\na_b_total 1\n# EOF\n");
    assert_eq!(page.omitted, [omitted("a_b", OmittedReason::Duplicate)]);
}

#[test]
fn what_has_no_text_form_is_counted() {
    let instruments = vec![
        instrument("exponential", "s", Data::Unsupported { series: 3 }),
        counter("x", 1),
    ];
    let page = Page::write(snapshot(instruments), Format::Prometheus);
    assert_eq!(page.text, "# TYPE x_total counter\nx_total 1\n");
    let expected = Omitted {
        series: 3,
        ..omitted("exponential", OmittedReason::Unsupported)
    };
    assert_eq!(page.omitted, [expected]);
}

#[test]
fn help_and_unit_are_said_once_and_by_the_first_that_has_them() {
    let (mut one, mut two, mut three) = (counter("a.seconds", 1), counter("a", 2), gauge("b"));
    two.unit = "s";
    two.help = "Second.";
    one.help = "";
    three.help = "Third.";
    let page = Page::write(snapshot(vec![three, two, one]), Format::OpenMetrics);
    assert_eq!(
        page.text,
        "# TYPE a_seconds counter\n\
         # UNIT a_seconds seconds\n\
         # HELP a_seconds Second.\n\
         a_seconds_total 2\n\
         # TYPE b gauge\n\
         # HELP b Third.\n\
         b 0.5\n\
         # EOF\n"
    );
}
