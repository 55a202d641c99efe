//! What holds for the workspace as a whole: its arrows, its versions, its layout, its habits.

mod files;
mod graph;

mod arrows;
mod layout;
mod names;
mod one_version;
mod tidy;

/// Fails with every problem found, a line each, not only with the first.
#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(
        problems.is_empty(),
        "{} problem(s):\n  {}",
        problems.len(),
        problems.join("\n  ")
    );
}
