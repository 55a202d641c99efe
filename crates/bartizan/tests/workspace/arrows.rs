//! Who may depend on whom. A new arrow is a decision: it goes into `ARCHITECTURE.md` first.

use std::collections::BTreeSet;

use crate::assert_none;
use crate::graph::{BENCH, GRAPH, Kind};

/// A crate of ours, and those of ours it may be built on.
const ARROWS: &[(&str, &[&str])] = &[
    (
        "bartizan",
        &["bartizan-observe", "bartizan-protect", "bartizan-task"],
    ),
    // What an operator has beside the services.
    ("bartizan-cli", &["bartizan"]),
    ("bartizan-observe", &["bartizan-task"]),
    // Reads snapshots and OTLP, never layers.
    ("bartizan-panel", &[]),
    // Its `Observer` and what the facade injects are all that it knows of the others.
    ("bartizan-protect", &[]),
    ("bartizan-task", &[]),
    // Its sink is the panel's receiver.
    ("bartizan-testkit", &["bartizan-panel"]),
    // The services show what a user writes, so they have what a user has.
    (
        "demo",
        &[
            "bartizan",
            "bartizan-panel",
            "gateway",
            "inventory",
            "loadgen",
            "orders",
            "payments",
            "shop",
        ],
    ),
    ("gateway", &["bartizan", "shop"]),
    ("inventory", &["bartizan", "shop"]),
    // A client: it shows what anybody sees from outside.
    ("loadgen", &[]),
    ("orders", &["bartizan", "shop"]),
    ("payments", &["bartizan", "shop"]),
    // What the four services would each have a copy of; their wiring is not in it.
    ("shop", &["bartizan"]),
];

/// Those of ours that anyone's tests may use besides. Orders are tested against the real services,
/// and the doctor reads traces back from a real panel.
const FOR_TESTS: &[&str] = &[
    "bartizan-panel",
    "bartizan-testkit",
    "inventory",
    "payments",
];

/// Who may know axum, other than in tests. Everything else works with any tower service.
const KNOW_AXUM: &[&str] = &[
    "bartizan",
    "bartizan-panel",
    "bartizan-testkit",
    "demo",
    "gateway",
    "inventory",
    "orders",
    "payments",
    "shop",
    BENCH,
];

/// What must not be under the crate that carries context on any executor, however deep.
const NOT_UNDER_TASK: &[&str] = &["axum", "axum-core", "http", "hyper", "tokio", "tower"];

#[test]
fn our_crates_depend_on_one_another_as_drawn() {
    let ours: BTreeSet<&str> = GRAPH
        .members()
        .map(|package| package.name.as_str())
        .collect();
    let mut problems = Vec::new();
    for package in GRAPH.members().filter(|package| package.name != BENCH) {
        let from = package.name.as_str();
        let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == from) else {
            problems.push(format!(
                "{from} is in no table: say in ARROWS what it may depend on"
            ));
            continue;
        };
        for (to, kind) in &package.declared {
            let to = to.as_str();
            let in_tests = *kind == Kind::Dev && FOR_TESTS.contains(&to);
            if ours.contains(to) && !allowed.contains(&to) && !in_tests {
                problems.push(format!(
                    "{from} must not depend on {to} ({kind:?} dependency)"
                ));
            }
        }
    }
    for (name, _) in ARROWS.iter().filter(|(name, _)| !ours.contains(name)) {
        problems.push(format!("{name} has arrows and is not in the workspace"));
    }
    assert_none(&problems);
}

#[test]
fn axum_is_known_to_the_front_door_and_the_programs_alone() {
    let mut problems = Vec::new();
    for package in GRAPH
        .members()
        .filter(|package| !KNOW_AXUM.contains(&package.name.as_str()))
    {
        for (to, kind) in &package.declared {
            if to.starts_with("axum") && *kind != Kind::Dev {
                problems.push(format!("{} must not depend on {to}", package.name));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn the_task_context_needs_no_runtime_and_no_http() {
    let under = GRAPH.reachable(|package| package.name == "bartizan-task", &[Kind::Normal]);
    let problems: Vec<String> = under
        .iter()
        .filter(|package| NOT_UNDER_TASK.contains(&package.name.as_str()))
        .map(|package| {
            format!(
                "bartizan-task must not depend on {}, even deep",
                package.name
            )
        })
        .collect();
    assert_none(&problems);
}
