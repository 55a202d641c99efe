use rusqlite::{Connection, TransactionBehavior};

/// What `user_version` says of a file with these tables.
pub(super) const VERSION: i64 = 1;

/// One order for one key, unless it comes to nothing: then the key may be tried again, also while the
/// order is still being undone, since it will never be placed.
const TABLES: &str = "
CREATE TABLE orders (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    reference       TEXT    NOT NULL UNIQUE,
    idempotency_key TEXT,
    product_id      INTEGER NOT NULL,
    quantity        INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 100),
    status          TEXT    NOT NULL DEFAULT 'pending'
                    CHECK (status IN ('pending', 'placed', 'undoing', 'rejected')),
    total_cents     INTEGER CHECK (total_cents >= 0),
    reason          TEXT,
    created_at      TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    CHECK ((status = 'placed') = (total_cents IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX orders_key ON orders (idempotency_key)
    WHERE idempotency_key IS NOT NULL AND status IN ('pending', 'placed');
CREATE INDEX orders_unsettled ON orders (id) WHERE status IN ('pending', 'undoing');
PRAGMA user_version = 1;
";

/// Makes the tables in an empty file, and gives the version of one that is not; the caller says
/// whether it is one that can be read.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<i64> {
    // Immediate: two processes that start at once must not both find the file empty.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let is_empty: bool =
        transaction.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| {
            row.get(0)
        })?;
    if is_empty {
        transaction.execute_batch(TABLES)?;
    }
    let version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    transaction.commit()?;
    Ok(version)
}
