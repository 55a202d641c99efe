mod query;
mod schema;
mod statement;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::task::JoinError;

use crate::{NewOrder, Order, Product};

/// How long a statement waits for another process that holds the file's lock. Under the gateway's
/// request timeout, so that the client is told what happened and not only that it took long.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// The database; clones are the same one.
///
/// One connection behind a mutex: SQLite has one writer at a time anyway, and a statement here takes
/// microseconds. The mutex is locked on blocking threads only, so a slow disk never holds up the
/// executor.
#[derive(Debug, Clone)]
pub struct Db(Arc<Mutex<Connection>>);

/// The database could not be opened or prepared.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the database {path:?} (ORDERS_DB): {source}")]
pub struct OpenError {
    path: PathBuf,
    source: rusqlite::Error,
}

/// The database did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// SQLite refused.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The blocking task panicked, or the runtime is going down.
    #[error("the database task did not finish: {0}")]
    Stopped(#[from] JoinError),
}

/// An order was not placed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlaceError {
    /// There is no such product.
    #[error("there is no product {product_id}")]
    UnknownProduct {
        /// The product asked for.
        product_id: i64,
    },
    /// There are fewer than asked for.
    #[error("product {product_id} has only {left} left")]
    OutOfStock {
        /// The product asked for.
        product_id: i64,
        /// How many there are.
        left: i64,
    },
    /// The database did not answer.
    #[error(transparent)]
    Db(#[from] DbError),
}

// === impl Db ===

impl Db {
    /// Opens the file, or `:memory:`, and makes the tables and products that are not there yet.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is no database, or cannot be written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        match connect(path) {
            Ok(connection) => Ok(Self(Arc::new(Mutex::new(connection)))),
            Err(source) => Err(OpenError {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// All products, by id.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn products(&self) -> Result<Vec<Product>, DbError> {
        self.blocking("list products", |connection| {
            Ok(query::products(connection)?)
        })
        .await
    }

    /// An order, or `None` if there is none of that id.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn order(&self, id: i64) -> Result<Option<Order>, DbError> {
        self.blocking("read order", move |connection| {
            Ok(query::order(connection, id)?)
        })
        .await
    }

    /// Takes the quantity from the stock and writes the order, or does neither.
    ///
    /// # Errors
    ///
    /// See [`PlaceError`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future does not stop the transaction: the order may still be placed.
    pub async fn place(&self, new: NewOrder) -> Result<Order, PlaceError> {
        self.blocking("place order", move |connection| {
            query::place(connection, new)
        })
        .await
    }

    /// Runs `work` on a blocking thread, in the scope of the request that asked for it.
    async fn blocking<T, E>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        let connection = Arc::clone(&self.0);
        bartizan::task::spawn_blocking(name, move || {
            // A panic unwinds through the transaction, which rolls back: the connection stays good.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        })
        .await
        .map_err(DbError::from)?
    }
}

// === impl PlaceError ===

impl From<rusqlite::Error> for PlaceError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Db(DbError::Sqlite(error))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Readers of the file (a shell, a backup) do not block the writer. In memory it does nothing.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Under WAL this is safe against a crash of the process, and spares a sync per commit.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    schema::create(&mut connection)?;
    Ok(connection)
}
