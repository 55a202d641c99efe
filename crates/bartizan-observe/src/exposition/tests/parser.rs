//! A reader of both formats that takes nothing that the grammar does not allow.

use std::collections::BTreeSet;

use crate::exposition::Format;

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line {
    Type(String, String),
    Unit(String, String),
    Help(String, String),
    Sample(Sample),
    Eof,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// The type of the family it is in.
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
    pub(super) exemplar: Option<Exemplar>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Exemplar {
    pub(super) labels: Vec<(String, String)>,
    pub(super) value: f64,
    pub(super) at: f64,
}

impl Sample {
    pub(super) fn label(&self, name: &str) -> Option<&str> {
        let label = self.labels.iter().find(|(known, _)| known == name)?;
        Some(&label.1)
    }
}

/// Panics where the page is not as the format demands.
pub(super) fn parse(page: &str, format: Format) -> Vec<Line> {
    assert!(page.is_empty() || page.ends_with('\n'));
    let mut kind = String::new();
    let lines: Vec<_> = page
        .split_terminator('\n')
        .map(|line| {
            let mut line = parse_line(line, format);
            match &mut line {
                Line::Type(_, is) => kind.clone_from(is),
                Line::Sample(sample) => sample.kind.clone_from(&kind),
                _ => {}
            }
            line
        })
        .collect();
    let eofs = lines.iter().filter(|line| **line == Line::Eof).count();
    assert_eq!(eofs, usize::from(format == Format::OpenMetrics));
    if format == Format::OpenMetrics {
        assert_eq!(lines.last(), Some(&Line::Eof));
    }
    assert_families(&lines);
    lines
}

pub(super) fn samples(page: &str, format: Format) -> Vec<Sample> {
    parse(page, format)
        .into_iter()
        .filter_map(|line| match line {
            Line::Sample(sample) => Some(sample),
            _ => None,
        })
        .collect()
}

/// Each family has one TYPE, its samples come right after, and no series is there twice.
fn assert_families(lines: &[Line]) {
    let mut types = BTreeSet::new();
    let mut series = BTreeSet::new();
    let mut current = String::new();
    let mut said = BTreeSet::new();
    for line in lines {
        match line {
            Line::Type(name, _) => {
                assert!(types.insert(name.clone()), "TYPE of {name} twice");
                if current != *name {
                    said.clear();
                }
                assert!(said.insert("type"));
                current.clone_from(name);
            }
            Line::Unit(name, unit) => {
                assert!(name.ends_with(&format!("_{unit}")), "{name} {unit}");
                assert_eq!(current, *name, "UNIT comes after TYPE");
                assert!(said.insert("unit"));
            }
            Line::Help(name, _) => {
                if current != *name {
                    said.clear();
                    current.clone_from(name);
                }
                assert!(said.insert("help"));
            }
            Line::Sample(sample) => {
                let suffix = sample.name.strip_prefix(current.as_str());
                let suffix = suffix.unwrap_or_else(|| panic!("{} in {current}", sample.name));
                let all = ["", "_total", "_info", "_bucket", "_sum", "_count"];
                assert!(all.contains(&suffix), "{} in {current}", sample.name);
                let key = (sample.name.clone(), sample.labels.clone());
                assert!(series.insert(key), "{sample:?} twice");
            }
            Line::Eof => {}
        }
    }
}

fn parse_line(line: &str, format: Format) -> Line {
    if let Some(comment) = line.strip_prefix("# ") {
        if comment == "EOF" {
            return Line::Eof;
        }
        let (what, rest) = comment.split_once(' ').expect("a keyword");
        let (name, text) = rest.split_once(' ').expect("a name");
        assert_name(name, ":");
        let (name, plain) = (name.to_owned(), text.to_owned());
        return match what {
            "TYPE" => {
                let known = ["counter", "gauge", "histogram", "info"];
                assert!(known.contains(&text), "{text}");
                assert!(text != "info" || format == Format::OpenMetrics);
                Line::Type(name, plain)
            }
            "UNIT" => {
                assert_eq!(format, Format::OpenMetrics);
                // Its characters are a name's, in any place.
                assert_name(&format!("_{text}"), ":");
                Line::Unit(name, plain)
            }
            "HELP" => Line::Help(name, unescape(text, format == Format::OpenMetrics)),
            other => panic!("{other}"),
        };
    }
    let at = line.find(['{', ' ']).expect("something after the name");
    let (name, rest) = line.split_at(at);
    assert_name(name, ":");
    let (labels, rest) = parse_labels(rest);
    let rest = rest.strip_prefix(' ').expect("one blank");
    let (value, exemplar) = match rest.split_once(" # ") {
        None => (rest, None),
        Some((value, exemplar)) => (value, Some(exemplar)),
    };
    assert!(exemplar.is_none() || format == Format::OpenMetrics);
    Line::Sample(Sample {
        kind: String::new(),
        name: name.to_owned(),
        labels,
        value: parse_number(value),
        exemplar: exemplar.map(|text| {
            assert!(name.ends_with("_bucket"));
            let (labels, rest) = parse_labels(text);
            let (value, at) = rest[1..].split_once(' ').expect("a timestamp");
            let length: usize = labels
                .iter()
                .map(|(name, value)| name.chars().count() + value.chars().count())
                .sum();
            assert!(length <= 128, "{text}");
            Exemplar {
                labels,
                value: parse_number(value),
                at: parse_number(at),
            }
        }),
    })
}

fn parse_number(text: &str) -> f64 {
    let is_plain = |next: char| next.is_ascii_digit() || "+-.e".contains(next);
    assert!(
        ["NaN", "+Inf", "-Inf"].contains(&text) || text.chars().all(is_plain),
        "{text}"
    );
    text.parse().expect("a number")
}

/// The labels, if there are any, and what comes after.
fn parse_labels(text: &str) -> (Vec<(String, String)>, &str) {
    let Some(mut rest) = text.strip_prefix('{') else {
        return (Vec::new(), text);
    };
    let mut labels: Vec<(String, String)> = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label");
        assert_name(name, "");
        let end = closing_quote(after);
        assert!(end > 0, "an empty label is none: {text}");
        let twice = labels.iter().any(|(known, _)| known == name);
        assert!(!twice, "{name} twice in {text}");
        labels.push((name.to_owned(), unescape(&after[..end], true)));
        rest = &after[end + 1..];
        if let Some(after) = rest.strip_prefix('}') {
            return (labels, after);
        }
        rest = rest.strip_prefix(',').expect("a comma or the end");
    }
}

fn closing_quote(text: &str) -> usize {
    let mut escaped = false;
    text.bytes()
        .position(|next| {
            let was_escaped = std::mem::take(&mut escaped);
            escaped = next == b'\\' && !was_escaped;
            next == b'"' && !was_escaped
        })
        .expect("the value ends")
}

fn unescape(text: &str, quotes_are_escaped: bool) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        out.push(match next {
            '\\' => match chars.next() {
                Some('n') => '\n',
                Some('\\') => '\\',
                Some('"') if quotes_are_escaped => '"',
                other => panic!("\\{other:?} in {text}"),
            },
            '"' if quotes_are_escaped => panic!("a bare quotation mark in {text}"),
            next => next,
        });
    }
    out
}

fn assert_name(name: &str, more: &str) {
    let is_allowed =
        |next: char| next.is_ascii_alphanumeric() || next == '_' || more.contains(next);
    let starts_well = !name.starts_with(|first: char| first.is_ascii_digit());
    assert!(!name.is_empty() && starts_well, "{name:?}");
    assert!(name.chars().all(is_allowed), "{name:?}");
    // All that is left of a name without a letter is the one at the start.
    assert!(!name[1..].contains("__"), "{name:?}");
}
