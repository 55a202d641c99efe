use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OptionalExtension};
use tracing::Subscriber;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::{Layer, Registry};

use super::*;

const FIND: Statement = Statement {
    name: "SELECT things",
    operation: "SELECT",
    collection: Some("things"),
    text: "SELECT id FROM things WHERE id = ?1",
};

/// The fields of the spans made, as text.
#[derive(Clone, Default)]
struct Fields(Arc<Mutex<BTreeMap<&'static str, String>>>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0
            .lock()
            .unwrap()
            .insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0
            .lock()
            .unwrap()
            .insert(field.name(), value.to_owned());
    }
}

impl<S: Subscriber> Layer<S> for Fields {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }
}

/// Looks for a thing and gives the fields of the span.
fn find(schema: &str) -> BTreeMap<&'static str, String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(schema).unwrap();
    let fields = Fields::default();
    tracing::subscriber::with_default(Registry::default().with(fields.clone()), || {
        let _ = FIND.run(|sql| connection.query_row(sql, [1], |_| Ok(())));
        let _ = FIND.run(|sql| connection.query_row(sql, [1], |_| Ok(())).optional());
    });
    let fields = fields.0.lock().unwrap();
    fields.clone()
}

#[test]
fn the_span_says_what_the_semantic_conventions_want() {
    let expected = [
        ("db.collection.name", "things"),
        ("db.operation.name", "SELECT"),
        ("db.query.text", "SELECT id FROM things WHERE id = ?1"),
        ("db.system.name", "sqlite"),
        ("otel.kind", "client"),
        ("otel.name", "SELECT things"),
    ];
    let expected = expected.map(|(name, value)| (name, value.to_owned()));
    // No row is found, which is an answer.
    assert_eq!(find("CREATE TABLE things (id)"), expected.into());
}

#[test]
fn a_failed_statement_marks_its_span_as_an_error_with_the_code() {
    let fields = find("");
    // SQLITE_ERROR: there is no such table.
    for (name, value) in [
        ("otel.status_code", "ERROR"),
        ("error.type", "1"),
        ("db.response.status_code", "1"),
    ] {
        assert_eq!(fields[name], value, "{name}");
    }
}
