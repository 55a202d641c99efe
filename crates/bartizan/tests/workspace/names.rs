//! `docs/metrics.md` is what `bartizan_observe::names` says, and every metric says enough.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use bartizan_observe::names::metric;

use crate::assert_none;
use crate::files::{read, root, sources};

const PAGE: &str = "docs/metrics.md";
const REGENERATE: &str = "UPDATE_DOCS=1 cargo test -p bartizan --test workspace names";

#[test]
fn every_metric_has_a_unit_a_sentence_and_labels() {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for metric in metric::ALL {
        let name = metric.name;
        if !seen.insert(name) {
            problems.push(format!("{name} is there twice"));
        }
        let is_annotation = metric.unit.starts_with('{') && metric.unit.ends_with('}');
        if !is_annotation && !["1", "By", "s"].contains(&metric.unit) {
            problems.push(format!(
                "{name}: unit {:?} is none of s, By, 1, {{thing}}",
                metric.unit
            ));
        }
        let starts_well = metric.help.starts_with(|first: char| first.is_uppercase());
        if !starts_well || !metric.help.ends_with('.') || !metric.help.contains(' ') {
            problems.push(format!("{name}: help {:?} is no sentence", metric.help));
        }
        if metric.labels.iter().collect::<BTreeSet<_>>().len() != metric.labels.len() {
            problems.push(format!("{name} has a label twice"));
        }
    }
    assert_none(&problems);
}

/// A metric that is declared and not listed would be missing on the page as well.
#[test]
fn every_declared_metric_is_listed() {
    let declared: usize = sources()
        .iter()
        .filter(|source| source.path.starts_with("crates/bartizan-observe/src/names"))
        .map(|source| source.text.matches(": Metric = Metric {").count())
        .sum();
    assert_eq!(
        declared,
        metric::ALL.len(),
        "declared, and listed in `metric::ALL`"
    );
}

#[test]
fn the_page_of_metrics_is_up_to_date() {
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(root().join("docs")).expect("docs/ can be made");
        fs::write(root().join(PAGE), &page).expect("the page can be written");
    }
    let regenerate = format!("{PAGE} is not what the code says; write it anew: {REGENERATE}");
    assert!(root().join(PAGE).exists(), "{regenerate}");
    // Not `assert_eq`: two whole pages say less than the sentence.
    assert!(read(PAGE) == page, "{regenerate}");
}

fn page() -> String {
    let mut page = format!(
        "# Metrics\n\n\
         Every metric that Bartizan records. The page is generated from the names in the code and \
         compared by a test; to write it anew: `{REGENERATE}`.\n\n\
         Names that start with `bartizan.` are ours, the others those of the OpenTelemetry \
         semantic conventions. Units are UCUM: `s` seconds, `By` bytes. A series has only those \
         of its labels that apply; `otel.metric.overflow` is set on the series that takes what \
         no longer fits into a bounded table.\n"
    );
    for metric in metric::ALL {
        let labels: Vec<String> = metric
            .labels
            .iter()
            .map(|label| format!("`{label}`"))
            .collect();
        write!(
            page,
            "\n## `{}`\n\n{}\n\n- unit: `{}`\n- labels: {}\n",
            metric.name,
            metric.help,
            metric.unit,
            if labels.is_empty() {
                "none".to_owned()
            } else {
                labels.join(", ")
            },
        )
        .expect("writing to a string succeeds");
    }
    page
}
