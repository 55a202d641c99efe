//! YAML as JSON, with its merge keys applied.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value};

pub(crate) fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().unwrap()
}

/// The documents of a file, by its path from the root.
pub(crate) fn documents(path: &str) -> Vec<Value> {
    let text =
        fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let documents = yaml_serde::Deserializer::from_str(&text).map(Value::deserialize);
    let documents: Result<Vec<Value>, yaml_serde::Error> = documents.collect();
    let documents = documents.unwrap_or_else(|error| panic!("{path}: {error}"));
    documents.into_iter().map(merged).collect()
}

/// What is merged may merge something itself, which the parser's own way leaves as it is.
fn merged(value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(merged).collect(),
        Value::Object(values) => {
            let values = values
                .into_iter()
                .map(|(name, value)| (name, merged(value)));
            let mut values: Map<String, Value> = values.collect();
            if let Some(Value::Object(others)) = values.remove("<<") {
                for (name, value) in others {
                    values.entry(name).or_insert(value);
                }
            }
            Value::Object(values)
        }
        other => other,
    }
}

/// The one document of a file.
pub(crate) fn document(path: &str) -> Value {
    let [document] = documents(path).try_into().unwrap();
    document
}

/// The files of a folder that end so, as paths from the root.
pub(crate) fn files(folder: &str, ending: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut files: Vec<String> = names
        .filter(|name| name.ends_with(ending))
        .map(|name| format!("{folder}/{name}"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has no {ending}");
    files
}

/// A number, a truth value or a text as text.
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The elements of a list; of none, if there is no list.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Every text in it, keys excepted.
pub(crate) fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(values) => values.values().flat_map(texts).collect(),
        other => vec![text(other)],
    }
}

/// `text` with the default of each variable in its place: `${NAME:-default}`, after `prefix` in the
/// braces.
pub(crate) fn with_defaults(text: &str, prefix: &str) -> String {
    let opening = format!("${{{prefix}");
    let Some((before, rest)) = text.split_once(&opening) else {
        return text.to_owned();
    };
    let (variable, after) = rest.split_once('}').unwrap();
    let (_, default) = variable
        .split_once(":-")
        .unwrap_or_else(|| panic!("`{variable}` has no default: {text}"));
    format!("{before}{default}{}", with_defaults(after, prefix))
}

/// Bytes, as compose (`32m`) and Kubernetes (`32Mi`) write them.
pub(crate) fn bytes(text: &str) -> u64 {
    let digits = text.trim_end_matches(|it: char| !it.is_ascii_digit());
    let unit = match &text[digits.len()..] {
        "m" | "Mi" | "MiB" => 1 << 20,
        unit => panic!("`{unit}` is no unit that this knows: {text}"),
    };
    digits.parse::<u64>().unwrap() * unit
}
