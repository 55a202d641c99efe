//! `docs/contract.md`.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::{ROWS, Scope};

const PAGE: &str = "docs/contract.md";
const REGENERATE: &str = "UPDATE_DOCS=1 cargo test -p bartizan --test it contract";

/// A short name, what it means, and which layers are to have it.
const PROPERTIES: &[(&str, &str, Scope)] = &[
    (
        "readied",
        "The instance that was polled ready is the one that is called; a clone has to be readied \
         itself.",
        Scope::Any,
    ),
    (
        "pending",
        "Pending is passed on, and whoever got it is woken.",
        Scope::Any,
    ),
    (
        "errors",
        "Errors come out as the values they went in as, from `poll_ready` and from the call.",
        Scope::Any,
    ),
    (
        "dropped",
        "A call that is dropped, polled or not, leaves nothing under way and nothing of the inner \
         service alive.",
        Scope::Any,
    ),
    (
        "once",
        "Each call is told of once: answered, failed, or dropped.",
        Scope::Any,
    ),
    (
        "shared",
        "State is shared by every `layer()` call and every clone.",
        Scope::Any,
    ),
    (
        "connections",
        "State is shared by every connection of `axum::serve`, with HTTP/1.1 and HTTP/2.",
        Scope::Router,
    ),
];

#[test]
fn the_page_of_contracts_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let path = root.join(PAGE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, page()).expect("the page can be written");
    }
    let regenerate = format!("{PAGE} is not what the code says; write it anew: {REGENERATE}");
    // Not `assert_eq`: two whole pages say less than the sentence.
    assert!(
        fs::read_to_string(&path).is_ok_and(|text| text == page()),
        "{regenerate}"
    );
}

fn page() -> String {
    let mut page = format!(
        "# What every layer keeps\n\n\
         Each mark stands for a test that `cargo test -p bartizan --test it contract` runs, over \
         the `tower_test` mock and over real connections, with the public suite of \
         `bartizan_testkit::contract`. The page is generated from the table of these tests and \
         compared by one; to write it anew: `{REGENERATE}`.\n\n"
    );
    for (name, meaning, _) in PROPERTIES {
        writeln!(page, "- **{name}**: {meaning}").expect("writing to a string succeeds");
    }
    page.push_str("\n| layer |");
    for (name, ..) in PROPERTIES {
        write!(page, " {name} |").expect("writing to a string succeeds");
    }
    page.push_str(" state that is looked at |\n|---|");
    page.push_str(&"---|".repeat(PROPERTIES.len() + 1));
    for row in ROWS {
        write!(page, "\n| `{}` |", row.layer).expect("writing to a string succeeds");
        for (.., scope) in PROPERTIES {
            let has = *scope == Scope::Any || row.scope == *scope;
            page.push_str(if has { " yes |" } else { " n/a |" });
        }
        write!(page, " {} |", row.state).expect("writing to a string succeeds");
    }
    page.push('\n');
    page
}
