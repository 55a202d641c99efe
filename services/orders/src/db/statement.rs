use rusqlite::Error;
use tracing::field::Empty;
use tracing::{Span, info_span};

/// One SQL statement, with what its span says about it.
///
/// The text has placeholders in the values' places, so it is the same for every request and safe to
/// record.
#[derive(Debug)]
pub(super) struct Statement {
    /// `{operation} {collection}`, as the semantic conventions name database spans.
    pub(super) name: &'static str,
    pub(super) operation: &'static str,
    /// `None` where the statement works on no table.
    pub(super) collection: Option<&'static str>,
    pub(super) text: &'static str,
}

impl Statement {
    /// Runs `work`, which is given the SQL text, inside a client span.
    pub(super) fn run<T>(
        &self,
        work: impl FnOnce(&'static str) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let span = info_span!(
            "sqlite",
            otel.name = self.name,
            otel.kind = "client",
            db.system.name = "sqlite",
            db.operation.name = self.operation,
            db.collection.name = self.collection,
            db.query.text = self.text,
            db.response.status_code = Empty,
            error.type = Empty,
            otel.status_code = Empty,
        );
        let result = span.in_scope(|| work(self.text));
        if let Err(error) = &result {
            record(&span, error);
        }
        result
    }
}

fn record(span: &Span, error: &Error) {
    match error {
        // An answer, not a failure.
        Error::QueryReturnedNoRows => return,
        Error::SqliteFailure(failure, _) => {
            let code = failure.extended_code.to_string();
            span.record("db.response.status_code", &code);
            span.record("error.type", &code);
        }
        _ => {
            span.record("error.type", "_OTHER");
        }
    }
    span.record("otel.status_code", "ERROR");
}

#[cfg(test)]
mod tests;
