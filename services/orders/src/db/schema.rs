use rusqlite::{Connection, Transaction};

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS products (
    id          INTEGER PRIMARY KEY,
    name        TEXT    NOT NULL,
    price_cents INTEGER NOT NULL CHECK (price_cents >= 0),
    stock       INTEGER NOT NULL CHECK (stock >= 0)
) STRICT;
CREATE TABLE IF NOT EXISTS orders (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id  INTEGER NOT NULL REFERENCES products (id),
    quantity    INTEGER NOT NULL CHECK (quantity BETWEEN 1 AND 100),
    total_cents INTEGER NOT NULL,
    placed_at   TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
";

/// Name and price in cents, the ids counted from 1.
const PRODUCTS: [(&str, i64); 6] = [
    ("arrow loop", 4_900),
    ("crenel", 12_500),
    ("merlon", 9_900),
    ("murder hole", 23_000),
    ("portcullis", 149_900),
    ("watch lantern", 1_850),
];

/// Enough for days of steady traffic, small enough to run out in a test that wants it.
const STOCK: i64 = 1_000_000;

/// Makes the tables and products that are not there yet.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    seed(&transaction)?;
    transaction.commit()
}

/// Products that are there keep their stock: the file outlives the process.
fn seed(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare(
        "INSERT INTO products (id, name, price_cents, stock) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (id) DO NOTHING",
    )?;
    for (id, (name, price_cents)) in (1_i64..).zip(PRODUCTS) {
        insert.execute((id, name, price_cents, STOCK))?;
    }
    Ok(())
}
