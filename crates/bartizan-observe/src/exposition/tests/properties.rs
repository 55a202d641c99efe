//! Pages of any data.

use proptest::collection::vec;
use proptest::prelude::*;

use super::parser::{Line, Sample, parse, samples};
use super::*;

const FORMATS: [Format; 2] = [Format::Prometheus, Format::OpenMetrics];

/// Owned, for data that a snapshot borrows.
#[derive(Debug, Clone)]
struct Made {
    name: String,
    unit: String,
    help: String,
    kind: usize,
    scope: usize,
    points: Vec<MadePoint>,
}

#[derive(Debug, Clone)]
struct MadePoint {
    attributes: Vec<(String, String)>,
    value: f64,
    buckets: Vec<(f64, u16)>,
}

/// Few enough to collide often.
fn key() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]([._]{1,2}[ab])?", Just("le".to_owned()), ".{0,4}"]
}

fn point() -> impl Strategy<Value = MadePoint> {
    let attributes = vec((key(), "(.|\n|\\\\|\"){0,6}"), 0..4);
    let buckets = vec((-10.0..1e7, any::<u16>()), 0..6);
    (attributes, any::<f64>(), buckets).prop_map(|(attributes, value, buckets)| MadePoint {
        attributes,
        value,
        buckets,
    })
}

fn instrument() -> impl Strategy<Value = Made> {
    let name = "[a-c]([._][a-c])?(_(total|sum|count|bucket|info|seconds))?|target|.{0,3}";
    let unit = prop_oneof!["(s|By|1|\\{x\\}|By/s|)", ".{0,3}"];
    let help = "(.|\n|\\\\|\"){0,9}";
    (name, unit, help, 0..5_usize, 0..3_usize, vec(point(), 0..4)).prop_map(
        |(name, unit, help, kind, scope, points)| Made {
            name,
            unit,
            help,
            kind,
            scope,
            points,
        },
    )
}

fn snapshot_of(made: &[Made]) -> Snapshot<'_> {
    let scope = |number: usize, name| Scope {
        name,
        version: None,
        attributes: Vec::new(),
        instruments: made
            .iter()
            .filter(|made| made.scope == number)
            .map(|made| Instrument {
                name: &made.name,
                unit: &made.unit,
                help: &made.help,
                data: data(made),
            })
            .collect(),
    };
    Snapshot {
        resource: attributes(&[("service.name", "x")]),
        scopes: vec![scope(0, ""), scope(1, "one"), scope(2, "two")],
    }
}

fn data(made: &Made) -> Data<'_> {
    let numbers = || {
        let points = made.points.iter();
        points
            .map(|point| Point {
                attributes: borrowed(&point.attributes),
                value: Number::Float(point.value),
            })
            .collect()
    };
    match made.kind {
        0 => Data::Gauge(numbers()),
        1 => Data::UpDown(numbers()),
        2 => Data::Counter(numbers()),
        3 => Data::Unsupported { series: 1 },
        _ => Data::Histogram(
            made.points
                .iter()
                .map(|point| Point {
                    attributes: borrowed(&point.attributes),
                    value: distribution(point),
                })
                .collect(),
        ),
    }
}

fn borrowed(attributes: &[(String, String)]) -> Vec<Attribute<'_>> {
    attributes
        .iter()
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

fn distribution(point: &MadePoint) -> Distribution {
    let mut bounds: Vec<_> = point.buckets.iter().map(|(bound, _)| *bound).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup();
    let counts = point.buckets.iter().map(|(_, count)| u64::from(*count));
    let counts: Vec<_> = counts.take(bounds.len()).chain([7]).collect();
    Distribution {
        exemplars: bounds.iter().map(|bound| exemplar(1, *bound)).collect(),
        sum: Some(Number::Float(point.value)).filter(|sum| sum.is_countable()),
        bounds,
        counts,
    }
}

/// The samples' buckets, series by series.
fn buckets(samples: &[Sample]) -> Vec<Vec<&Sample>> {
    let mut all: Vec<Vec<&Sample>> = Vec::new();
    let of = |sample: &Sample| {
        let others = sample.labels.iter().filter(|(name, _)| name != "le");
        (sample.name.clone(), others.cloned().collect::<Vec<_>>())
    };
    for sample in samples {
        if sample.kind != "histogram" || !sample.name.ends_with("_bucket") {
            continue;
        }
        match all.last_mut() {
            Some(series) if of(series[0]) == of(sample) => series.push(sample),
            _ => all.push(vec![sample]),
        }
    }
    all
}

proptest! {
    #[test]
    fn every_page_is_of_the_grammar_and_says_nothing_twice(made in vec(instrument(), 0..8)) {
        for format in FORMATS {
            parse(&Page::write(snapshot_of(&made), format).text, format);
        }
    }

    #[test]
    fn the_order_of_the_instruments_does_not_matter(made in vec(instrument(), 0..6)) {
        // Instruments of one scope have names of their own, as the SDK sees to.
        let mut made = made;
        made.sort_by(|one, other| (&one.name, one.scope).cmp(&(&other.name, other.scope)));
        made.dedup_by(|one, other| (&one.name, one.scope) == (&other.name, other.scope));
        let mut page = Page::write(snapshot_of(&made), Format::OpenMetrics);
        made.reverse();
        let mut reversed = snapshot_of(&made);
        reversed.scopes.reverse();
        let mut other = Page::write(reversed, Format::OpenMetrics);
        prop_assert_eq!(page.text, other.text);
        for omitted in [&mut page.omitted, &mut other.omitted] {
            omitted.sort_by(|a, b| a.metric.cmp(&b.metric));
        }
        prop_assert_eq!(page.omitted, other.omitted);
    }

    #[test]
    fn nothing_is_lost_without_being_said(made in vec(instrument(), 0..6)) {
        let page = Page::write(snapshot_of(&made), Format::Prometheus);
        let lines = samples(&page.text, Format::Prometheus);
        let others = lines.iter().filter(|sample| sample.kind != "histogram").count();
        // One is the resource's.
        let shown = others - 1 + buckets(&lines).len();
        let measured: usize = made
            .iter()
            .map(|made| if made.kind == 3 { 1 } else { made.points.len() })
            .sum();
        let omitted: usize = page.omitted.iter().map(|omitted| omitted.series).sum();
        prop_assert_eq!(shown + omitted, measured, "{}", page.text);
    }

    #[test]
    fn buckets_rise_to_the_count_and_exemplars_are_in_theirs(made in vec(instrument(), 0..6)) {
        for format in FORMATS {
            let page = Page::write(snapshot_of(&made), format);
            let samples = samples(&page.text, format);
            for series in buckets(&samples) {
                let (mut least, mut last) = (f64::NEG_INFINITY, 0.0);
                for bucket in &series {
                    let le: f64 = bucket.label("le").unwrap().parse().unwrap();
                    prop_assert!(least < le && last <= bucket.value, "{series:?}");
                    if let Some(exemplar) = &bucket.exemplar {
                        prop_assert!(least < exemplar.value && exemplar.value <= le);
                        prop_assert!(bucket.value > last);
                    }
                    (least, last) = (le, bucket.value);
                }
                prop_assert_eq!(least, f64::INFINITY);
                let family = series[0].name.strip_suffix("_bucket").unwrap();
                let name = format!("{family}_count");
                // The last label is `le`.
                let labels = &series[0].labels[..series[0].labels.len() - 1];
                let count = samples
                    .iter()
                    .find(|sample| sample.name == name && sample.labels == labels);
                prop_assert!(format == Format::OpenMetrics || count.is_some());
                if let Some(count) = count {
                    prop_assert_eq!(count.value, last);
                }
            }
        }
    }

    #[test]
    fn any_label_text_reads_back(value in ".|(.|\n|\r|\\\\|\"|n){1,40}") {
        let value: &str = &value;
        for format in FORMATS {
            let point = Point {
                attributes: vec![("k".into(), value.into())],
                value: Number::Unsigned(1),
            };
            let page = Page::write(
                super::snapshot(vec![Instrument {
                    name: "x",
                    help: value,
                    unit: "",
                    data: Data::Gauge(vec![point]),
                }]),
                format,
            );
            let lines = parse(&page.text, format);
            let help = lines.iter().find_map(|line| match line {
                Line::Help(_, help) => Some(help.as_str()),
                _ => None,
            });
            prop_assert_eq!(help, Some(value));
            let label = lines.iter().find_map(|line| match line {
                Line::Sample(sample) => sample.label("k"),
                _ => None,
            });
            prop_assert_eq!(label, Some(value));
        }
    }
}
