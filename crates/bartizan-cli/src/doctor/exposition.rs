//! A page of metrics in Prometheus' text format, as far as it takes to read counters.

use std::collections::{BTreeMap, BTreeSet};

/// What is on it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page {
    /// The names that have a type.
    pub(super) families: BTreeSet<String>,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

// === impl Page ===

impl Page {
    /// Reads a page, or gives the number of the first line that is none of the format.
    pub(super) fn parse(text: &str) -> Result<Self, usize> {
        let mut page = Self::default();
        for (index, line) in text.lines().enumerate() {
            if let Some(comment) = line.strip_prefix('#') {
                let mut words = comment.split_whitespace();
                if let (Some("TYPE"), Some(name)) = (words.next(), words.next()) {
                    page.families.insert(name.to_owned());
                }
            } else if !line.trim().is_empty() {
                page.samples.push(sample(line).ok_or(index + 1)?);
            }
        }
        Ok(page)
    }
}

/// `name{label="value",...} value [timestamp]`
fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(rest) => labels(rest)?,
        None => (BTreeMap::new(), rest),
    };
    // It reads `+Inf` and `NaN`, too.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    (!name.is_empty()).then(|| Sample {
        name: name.to_owned(),
        labels,
        value,
    })
}

/// The labels, and what follows their closing brace.
fn labels(mut rest: &str) -> Option<(BTreeMap<String, String>, &str)> {
    let mut labels = BTreeMap::new();
    loop {
        rest = rest.trim_start_matches([',', ' ']);
        if let Some(after) = rest.strip_prefix('}') {
            return Some((labels, after));
        }
        let (name, quoted) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut chars = quoted.char_indices();
        loop {
            match chars.next()? {
                (at, '"') => {
                    rest = &quoted[at + 1..];
                    break;
                }
                (_, '\\') => match chars.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, other) => value.push(other),
            }
        }
        labels.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_labels_and_values_are_read() {
        let page = Page::parse(
            "# HELP a_total What # TYPE is.\n# TYPE a_total counter\n\
             a_total{b=\"x\\\"},\\n\\\\\",c=\"\"} 1.5 1700000000\n\n\
             # a comment\nd{} +Inf\nd NaN\n# EOF\n",
        )
        .unwrap();
        assert_eq!(page.families, BTreeSet::from(["a_total".to_owned()]));
        let [a, d, _] = &page.samples[..] else {
            panic!("{page:?}");
        };
        assert_eq!((&*a.name, a.value), ("a_total", 1.5));
        assert_eq!((&*a.labels["b"], &*a.labels["c"]), ("x\"},\n\\", ""));
        assert_eq!((&*d.name, d.value, d.labels.len()), ("d", f64::INFINITY, 0));
    }

    #[test]
    fn the_first_line_that_is_none_is_named() {
        for line in ["<html>", "a", "a b", "a{", "a{b=c} 1", "a{b=\"c} 1", " 1"] {
            assert_eq!(Page::parse(&format!("x 1\n{line}\n")), Err(2), "{line}");
        }
    }
}
