//! The rows of the table: one set-up each, all around the same application.

mod ato;
mod bare;
mod oit;
mod ours;
mod sdk;
mod tracelayer;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Registry;
use tracing_subscriber::layer::SubscriberExt;

use crate::BoxError;
use crate::sinks::Seen;

/// One set-up, ready to answer requests.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What it is, for the table.
    pub(crate) about: &'static str,
    /// The application within its layers.
    pub(crate) router: Router,
    /// Makes the `tracing` subscriber that the set-up asks for.
    pub(crate) subscriber: Option<Box<dyn Fn() -> Dispatch>>,
    /// What each request must deliver.
    pub(crate) expected: Expected,
    /// What was delivered.
    pub(crate) seen: Arc<Seen>,
    pub(crate) pipelines: Box<dyn Pipelines>,
}

/// What one request must deliver to the sinks, or the row does not do what it claims.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expected {
    pub(crate) span: bool,
    pub(crate) duration: bool,
    pub(crate) line: bool,
}

/// The queues behind a row.
pub(crate) trait Pipelines {
    /// Waits until what was recorded so far is at the sinks, metrics aside.
    fn drain(&self) -> Result<(), BoxError> {
        Ok(())
    }

    /// Collects the metrics into their sink.
    fn collect_metrics(&self) -> Result<(), BoxError> {
        Ok(())
    }
}

/// A row without any.
pub(crate) struct NoPipelines;

/// Every row, in the order of the table.
pub(crate) fn all() -> Result<Vec<Row>, BoxError> {
    let mut rows = vec![bare::bare(), bare::one_layer(), tracelayer::json()];
    rows.extend([ato::sampled(), ato::unsampled(), oit::traces_and_metrics()]);
    rows.extend(ours::rows()?);
    for row in &mut rows {
        // As `axum::serve` does: handlers become routes, and layers services, once and not
        // with every request.
        row.router = std::mem::take(&mut row.router).with_state(());
    }
    Ok(rows)
}

// === impl Row ===

impl Row {
    /// Runs `work` with the row's subscriber, and no other, in place.
    ///
    /// `tracing` caches for each call site whether *any* living subscriber wants it, and asks the
    /// subscriber each time when they disagree. So a subscriber lives only while its row is at
    /// work, or the rows would slow each other down.
    pub(crate) fn enter<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(subscriber) = &self.subscriber else {
            return work();
        };
        let result = tracing::dispatcher::with_default(&subscriber(), || {
            // Other threads may have registered call sites that they had no subscriber for.
            tracing::callsite::rebuild_interest_cache();
            work()
        });
        // Dropping a subscriber leaves the cache as it was. One that wants nothing empties it and
        // closes the global level, as in a process that never had a subscriber.
        drop(Dispatch::new(Registry::default().with(LevelFilter::OFF)));
        result
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

// === impl NoPipelines ===

impl Pipelines for NoPipelines {}
