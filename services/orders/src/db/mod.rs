mod query;
mod schema;
mod statement;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::task::JoinError;

use crate::{NewOrder, Order};

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
#[error("cannot open the database {path:?} (database): {source}")]
pub struct OpenError {
    path: PathBuf,
    source: Unusable,
}

#[derive(Debug, thiserror::Error)]
enum Unusable {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error(
        "its tables are of version {0}, expected {expected}",
        expected = schema::VERSION
    )]
    Version(i64),
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

/// An order that was begun, now or before with the same key.
#[derive(Debug)]
pub(crate) enum Begun {
    Now(Order),
    Before(Order),
}

/// An order that is neither placed nor rejected.
#[derive(Debug)]
pub(crate) struct Unsettled {
    pub(crate) id: i64,
    pub(crate) reference: String,
}

// === impl Db ===

impl Db {
    /// Opens the file, or `:memory:`, and makes the tables if there are none.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is no database or one with other tables, or cannot be
    /// written.
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

    /// An order, or `None` if there is none of that id.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn order(&self, id: i64) -> Result<Option<Order>, DbError> {
        self.blocking("read order", move |connection| query::order(connection, id))
            .await
    }

    /// Writes a pending order, or finds the one that the key has begun before.
    pub(crate) async fn begin(
        &self,
        reference: String,
        key: Option<String>,
        new: NewOrder,
    ) -> Result<Begun, DbError> {
        self.blocking("begin order", move |connection| {
            query::begin(connection, &reference, key.as_deref(), new)
        })
        .await
    }

    /// Makes a pending order a placed one; `None` if it is not pending any more.
    pub(crate) async fn place(&self, id: i64, total_cents: i64) -> Result<Option<Order>, DbError> {
        self.blocking("place order", move |connection| {
            query::place(connection, id, total_cents)
        })
        .await
    }

    /// Makes a pending order one that will not be placed; whether it is one, and so is to be undone.
    pub(crate) async fn undo(&self, id: i64, reason: String) -> Result<bool, DbError> {
        self.blocking("undo order", move |connection| {
            query::undo(connection, id, &reason)
        })
        .await
    }

    /// Makes an order that was undone a rejected one.
    pub(crate) async fn reject(&self, id: i64) -> Result<(), DbError> {
        self.blocking("reject order", move |connection| {
            query::reject(connection, id)
        })
        .await
    }

    /// The oldest orders that are neither placed nor rejected.
    pub(crate) async fn unsettled(&self, most: u32) -> Result<Vec<Unsettled>, DbError> {
        self.blocking("find unsettled orders", move |connection| {
            query::unsettled(connection, most)
        })
        .await
    }

    /// Looks into the table, for a check of readiness.
    pub(crate) async fn answers(&self) -> Result<(), DbError> {
        self.blocking("check database", |connection| query::look(connection))
            .await
    }

    /// Runs `work` on a blocking thread, in the scope of the request that asked for it.
    async fn blocking<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let connection = Arc::clone(&self.0);
        let done = bartizan::task::spawn_blocking(name, move || {
            // A panic unwinds through the transaction, which rolls back: the connection stays good.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut connection)
        });
        Ok(done.await??)
    }
}

fn connect(path: &Path) -> Result<Connection, Unusable> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    // Readers of the file (a shell, a backup) do not block the writer. In memory it does nothing.
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // Under WAL this is safe against a crash of the process, and spares a sync per commit.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    match schema::create(&mut connection)? {
        schema::VERSION => Ok(connection),
        other => Err(Unusable::Version(other)),
    }
}
