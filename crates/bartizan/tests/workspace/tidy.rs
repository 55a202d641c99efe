//! Habits that no lint knows.

use crate::assert_none;
use crate::files::{Source, sources};

/// Lines before the tests, above which a file has to be listed below.
const SOFT_LIMIT: usize = 300;
/// Lines before the tests, which no file has.
const HARD_LIMIT: usize = 500;

/// Files over the soft limit, and why each is still one idea.
const LONG: &[(&str, &str)] = &[];

/// What is not left lying about, in two parts so that this file does not find itself, and whether
/// it is a word of its own (six letters in a row are a hexadecimal pattern, not a note).
const LEFTOVERS: &[(&str, &str, bool)] = &[
    ("to", "do!(", false),
    ("un", "implemented!(", false),
    ("db", "g!(", false),
    ("#[", "ignore", false),
    ("FIX", "ME", true),
    ("XX", "X", true),
];

#[test]
fn files_are_short() {
    let sources = sources();
    let mut problems = Vec::new();
    for source in &sources {
        let path = source.path.as_str();
        let lines = source.shipped().lines().count();
        let listed = LONG.iter().any(|(long, _)| *long == path);
        if lines > HARD_LIMIT {
            problems.push(format!(
                "{path} has {lines} lines before its tests, over {HARD_LIMIT}"
            ));
        } else if lines > SOFT_LIMIT && !listed {
            problems.push(format!(
                "{path} has {lines} lines before its tests, over {SOFT_LIMIT}: split it, or list \
                 it in LONG with a reason"
            ));
        } else if lines <= SOFT_LIMIT && listed {
            problems.push(format!("{path} is short again: take it off LONG"));
        }
    }
    for (long, reason) in LONG {
        if reason.is_empty() || !sources.iter().any(|source| source.path == *long) {
            problems.push(format!(
                "{long} is in LONG without a reason, or without being a file"
            ));
        }
    }
    assert_none(&problems);
}

#[test]
fn nothing_is_left_lying_about() {
    let mut problems = Vec::new();
    for source in sources() {
        for (head, tail, is_word) in LEFTOVERS {
            let needle = format!("{head}{tail}");
            for (at, _) in source.text.match_indices(&needle) {
                if !is_word || stands_alone(&source.text, at, needle.len()) {
                    problems.push(format!("{} has `{needle}`", place(&source, at)));
                }
            }
        }
    }
    assert_none(&problems);
}

/// Tests wait for a condition, or on a clock they own. A method of that name (a timer's) and a
/// function of our own are no sleep.
#[test]
fn no_test_sleeps() {
    let call = ["sle", "ep("].concat();
    let mut problems = Vec::new();
    for source in sources() {
        let tests_start = source.shipped().len();
        for (at, _) in source.tests().match_indices(&call) {
            let at = tests_start + at;
            let line = source.text[..at].rsplit('\n').next().unwrap_or_default();
            let is_other = line.trim_start().starts_with("//")
                || line.ends_with("fn ")
                || line.ends_with(|before: char| before.is_alphanumeric() || "_.".contains(before));
            if !is_other {
                problems.push(format!("{} sleeps", place(&source, at)));
            }
        }
    }
    assert_none(&problems);
}

fn stands_alone(text: &str, at: usize, length: usize) -> bool {
    let inside =
        |next: Option<char>| next.is_some_and(|next| next.is_alphanumeric() || next == '_');
    !inside(text[..at].chars().next_back()) && !inside(text[at + length..].chars().next())
}

fn place(source: &Source, at: usize) -> String {
    format!(
        "{}:{}",
        source.path,
        source.text[..at].matches('\n').count() + 1
    )
}
