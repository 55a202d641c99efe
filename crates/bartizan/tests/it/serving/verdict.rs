//! What was received, against what the cases say.

use std::fmt::Debug;

use bartizan_testkit::{Attributes, PointView, SpanView, StatusCode, Value, semconv};
use serde_json::{Value as Json, json};

use super::cases::{CASES, Case, Told};
use crate::support::{Seen, text};

const DURATION: &str = "http.server.request.duration";
const STREAM_DURATION: &str = "bartizan.http.server.stream.duration";

/// All that does not hold, and not only the first of it.
#[derive(Default)]
struct Problems(Vec<String>);

/// What the telemetry of one version is held to.
struct Expected<'a> {
    seen: &'a Seen,
    version: &'a str,
    /// How often each case was gone through.
    times: usize,
}

/// Every case was gone through `times` times over this version, and that is what was told.
pub(super) fn assert_told(seen: &Seen, version: &str, times: usize) {
    seen.assert_idle();
    let expected = Expected {
        seen,
        version,
        times,
    };
    let mut problems = Problems::default();
    for case in CASES {
        expected.span(case, &mut problems);
        expected.lines(case, &mut problems);
        expected.series(case, &mut problems);
    }
    expected.totals(&mut problems);
    let violations = seen.spans.iter().flat_map(semconv::check_span);
    let violations = violations.chain(seen.points.iter().flat_map(semconv::check_metric));
    problems.0.extend(violations.map(|it| it.to_string()));
    assert!(problems.0.is_empty(), "{}", problems.0.join("\n"));
}

// === impl Problems ===

impl Problems {
    fn expect<T: PartialEq + Debug>(&mut self, of: &str, found: &T, expected: &T) {
        if found != expected {
            self.0
                .push(format!("{of}: found {found:?}, expected {expected:?}"));
        }
    }
}

// === impl Expected ===

impl Expected<'_> {
    fn spans(&self, case: &Case) -> impl Iterator<Item = &SpanView> {
        let spans = self.seen.server_spans().into_iter();
        spans.filter(|span| {
            text(span, "http.request.method") == Some(case.method)
                && text(span, "url.path") == Some(case.path)
        })
    }

    fn span(&self, case: &Case, problems: &mut Problems) {
        let of = format!("spans of {} {}", case.method, case.path);
        problems.expect(&of, &self.spans(case).count(), &self.times);
        let status = match case.told.error_type {
            Some(_) => StatusCode::Error,
            None => StatusCode::Unset,
        };
        for span in self.spans(case) {
            problems.expect(
                &of,
                &(
                    text(span, "bartizan.outcome"),
                    labels(&span.attributes),
                    (span.status, span.status_message.as_str()),
                ),
                &(
                    Some(case.told.outcome),
                    self.labels(&case.told),
                    (status, ""),
                ),
            );
        }
    }

    /// Each span has one line of its own, and one more for its stream.
    fn lines(&self, case: &Case, problems: &mut Problems) {
        let Told {
            outcome,
            status,
            route,
            level,
            ..
        } = case.told;
        let request = vec![vec![
            json!(outcome),
            json!(status),
            json!(route),
            json!(level),
        ]];
        // However it was closed: a client that goes away has done nothing wrong.
        let stream = case
            .opens_stream
            .then(|| vec![json!(status), json!("INFO")]);
        let stream = Vec::from_iter(stream);
        let name = format!("{} {}", case.method, case.path);
        for span in self.spans(case) {
            let said = self.said(span, "request", &["outcome", "status", "route", "level"]);
            problems.expect(&format!("request lines of {name}"), &said, &request);
            let said = self.said(span, "stream closed", &["status", "level"]);
            problems.expect(&format!("stream lines of {name}"), &said, &stream);
        }
    }

    /// Fields of those lines with this message that name the span.
    fn said(&self, span: &SpanView, message: &str, fields: &[&str]) -> Vec<Vec<Json>> {
        let id = span.span_id.to_string();
        let lines = self.seen.lines.iter();
        lines
            .filter(|line| line["span_id"] == *id && line["message"] == message)
            .map(|line| fields.iter().map(|field| line[*field].clone()).collect())
            .collect()
    }

    fn series(&self, case: &Case, problems: &mut Problems) {
        let times = self.times as u64;
        let of_case = |point: &PointView| {
            str_of(&point.attributes, "http.request.method") == Some(case.method)
                && labels(&point.attributes) == self.labels(&case.told)
        };
        let of = format!("durations of {} {}", case.method, case.path);
        problems.expect(&of, &self.measured(DURATION, of_case), &times);
        let of = format!("stream durations of {} {}", case.method, case.path);
        let streams = if case.opens_stream { times } else { 0 };
        problems.expect(&of, &self.measured(STREAM_DURATION, of_case), &streams);
    }

    /// There is nothing besides.
    fn totals(&self, problems: &mut Problems) {
        let streams = CASES.iter().filter(|case| case.opens_stream).count() * self.times;
        let requests = CASES.len() * self.times;
        let all = |_: &PointView| true;
        let ended = (
            self.seen.server_spans().len(),
            self.seen.lines.len(),
            self.measured(DURATION, all),
            self.measured(STREAM_DURATION, all),
        );
        problems.expect(
            "all spans, lines, durations and stream durations",
            &ended,
            &(
                requests,
                requests + streams,
                requests as u64,
                streams as u64,
            ),
        );
    }

    /// How many measurements the matching series took.
    fn measured(&self, name: &str, matches: impl Fn(&PointView) -> bool) -> u64 {
        let points = self.seen.points(name).into_iter();
        points
            .filter(|point| matches(point))
            .map(|point| point.histogram().expect("durations are histograms").count)
            .sum()
    }

    fn labels<'a>(&'a self, told: &'a Told) -> Labels<'a> {
        Labels {
            status: told.status,
            error_type: told.error_type,
            route: told.route,
            version: Some(self.version),
        }
    }
}

/// What spans and metrics have in common.
#[derive(Debug, PartialEq)]
struct Labels<'a> {
    status: Option<i64>,
    error_type: Option<&'a str>,
    route: Option<&'a str>,
    version: Option<&'a str>,
}

fn labels(attributes: &Attributes) -> Labels<'_> {
    Labels {
        status: attributes
            .get("http.response.status_code")
            .and_then(Value::as_int),
        error_type: str_of(attributes, "error.type"),
        route: str_of(attributes, "http.route"),
        version: str_of(attributes, "network.protocol.version"),
    }
}

fn str_of<'a>(attributes: &'a Attributes, key: &str) -> Option<&'a str> {
    attributes.get(key)?.as_str()
}
