//! The crates of which a second copy compiles and does not connect: globals set in one are not
//! seen in the other, and a trait of one is not the trait of the other.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::graph::{BENCH, GRAPH, Kind};

const ONCE: &[&str] = &[
    "axum",
    "axum-core",
    "http",
    "hyper",
    "opentelemetry",
    "opentelemetry_sdk",
    "tonic",
    "tower",
    "tower-http",
    "tracing",
];

#[test]
fn what_must_connect_is_in_the_tree_exactly_once() {
    let tree = GRAPH.reachable(
        |package| package.name != BENCH,
        &[Kind::Normal, Kind::Build, Kind::Dev],
    );
    let mut problems = Vec::new();
    for name in ONCE {
        let versions: BTreeSet<&str> = tree
            .iter()
            .filter(|package| package.name == *name)
            .map(|package| package.version.as_str())
            .collect();
        if versions.len() != 1 {
            problems.push(format!(
                "{name}: {versions:?}; `cargo tree -i {name}` shows who"
            ));
        }
    }
    assert_none(&problems);
}
