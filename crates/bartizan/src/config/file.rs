//! The file: TOML with the line of everything.

use std::io;
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::{FileEntry, FileNode, FileValue};
use super::{ConfigProblem, Source};

/// Whether there has to be a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    Required,
    Optional,
}

/// Reads a file, with every mistake in its syntax.
pub(super) fn read(path: &Arc<Path>, presence: Presence) -> Result<FileNode, Vec<ConfigProblem>> {
    match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text),
        Err(error) if presence == Presence::Optional && error.kind() == io::ErrorKind::NotFound => {
            Ok(FileNode::empty())
        }
        Err(error) => Err(vec![ConfigProblem {
            source: Source::file(path, 0),
            key: String::new(),
            value: None,
            wrong: format!("the file cannot be read: {error}"),
        }]),
    }
}

fn parse(path: &Arc<Path>, text: &str) -> Result<FileNode, Vec<ConfigProblem>> {
    let lines = Lines(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(FileNode {
            value: lines.table(table.get_ref()),
            line: 0,
            text: String::new(),
        });
    }
    // Without what the line says, which may be a secret.
    let problem = |error: &toml::de::Error| ConfigProblem {
        source: Source::file(path, error.span().map_or(0, |span| lines.line(span.start))),
        key: String::new(),
        value: None,
        wrong: format!("not TOML: {}", error.message()),
    };
    Err(errors.iter().map(problem).collect())
}

/// A file's text, of which places are counted.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a str);

impl Lines<'_> {
    /// Files are short, and read once.
    fn line(self, at: usize) -> usize {
        let before = &self.0.as_bytes()[..at.min(self.0.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    fn table(self, table: &DeTable<'_>) -> FileValue {
        let entries = table.iter().map(|(key, value)| {
            let line = self.line(key.span().start);
            let mut node = self.node(value);
            if matches!(node.value, FileValue::Table(_)) {
                // Its own may be that of any of its parts.
                node.line = line;
            }
            let key = key.get_ref().to_string();
            FileEntry { key, line, node }
        });
        FileValue::Table(entries.collect())
    }

    fn node(self, value: &Spanned<DeValue<'_>>) -> FileNode {
        let span = value.span();
        let value = match value.get_ref() {
            DeValue::Table(table) => self.table(table),
            DeValue::Array(array) => {
                FileValue::Array(array.iter().map(|value| self.node(value)).collect())
            }
            DeValue::String(text) => FileValue::Text(text.to_string()),
            DeValue::Integer(integer) => {
                FileValue::Integer(i128::from_str_radix(integer.as_str(), integer.radix()).ok())
            }
            // TOML's `inf` and `nan` are Rust's, too.
            DeValue::Float(float) => FileValue::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(bool) => FileValue::Bool(*bool),
            DeValue::Datetime(_) => FileValue::Time,
        };
        let text = match &value {
            FileValue::Table(_) => String::new(),
            // Without the quotes, which are not a part of it.
            FileValue::Text(text) => text.clone(),
            _ => self.0.get(span.clone()).unwrap_or_default().to_owned(),
        };
        FileNode {
            value,
            line: self.line(span.start),
            text,
        }
    }
}
