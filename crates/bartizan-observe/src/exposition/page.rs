use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;

use super::exemplars::Exemplars;
use super::family::families;
use super::reader::Reader;
use super::view::Snapshot;
use super::{Format, Omitted, sdk, text};

/// A handle that makes pages of metrics; clones share everything.
///
/// It keeps no pipeline alive: once the telemetry is dropped there is nothing more to collect. It
/// still answers after [`Telemetry::shutdown`](crate::telemetry::Telemetry::shutdown), while a
/// process drains.
#[derive(Debug, Clone, Default)]
pub struct Exposition(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    reader: Reader,
    exemplars: Arc<Exemplars>,
    /// What the last page left out, so that it is warned of once and not at each scrape.
    omitted: Mutex<Vec<Omitted>>,
}

/// All metrics at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Page {
    /// What it is written in; see [`Format::content_type`].
    pub format: Format,
    /// The body: UTF-8, in the same order each time, families by name and series by labels.
    pub text: String,
    /// What was measured and is missing.
    pub omitted: Vec<Omitted>,
}

/// The metrics cannot be collected: the telemetry was dropped, or a callback of an observable
/// instrument has panicked.
///
/// A server should answer 503, because an empty page would say that all series have ended.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be collected")]
#[non_exhaustive]
pub struct Unavailable {
    #[source]
    source: Option<OTelSdkError>,
}

// === impl Exposition ===

impl Exposition {
    /// Collects the metrics and writes them.
    ///
    /// Runs the callbacks of observable instruments, and takes some milliseconds and as many
    /// megabytes when there are thousands of series; a second call waits for the first to have
    /// collected. What is omitted anew is warned of in the log.
    ///
    /// # Errors
    ///
    /// When the telemetry was dropped or a callback panicked, now or earlier.
    pub fn page(&self, format: Format) -> Result<Page, Unavailable> {
        let mut metrics = ResourceMetrics::default();
        // The panic is a user's callback's; the SDK's lock is poisoned by it, so that it answers
        // each later call with an error.
        catch_unwind(AssertUnwindSafe(|| self.0.reader.collect(&mut metrics)))
            .map_err(|_| Unavailable { source: None })?
            .map_err(|source| Unavailable {
                source: Some(source),
            })?;
        let page = Page::write(sdk::snapshot(&metrics, &self.0.exemplars), format);
        self.warn_of(&page.omitted);
        Ok(page)
    }

    /// What the meter provider collects by.
    pub(crate) fn reader(&self) -> Reader {
        self.0.reader.clone()
    }

    /// Where layers leave their exemplars.
    pub(crate) fn exemplars(&self) -> Arc<Exemplars> {
        Arc::clone(&self.0.exemplars)
    }

    fn warn_of(&self, omitted: &[Omitted]) {
        let mut last = self
            .0
            .omitted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for one in omitted {
            let is_new = !last
                .iter()
                .any(|known| known.metric == one.metric && known.reason == one.reason);
            if is_new {
                tracing::warn!(
                    metric = one.metric,
                    series = one.series,
                    "a metric is left out of the exposition: {}",
                    one.reason
                );
            }
        }
        omitted.clone_into(&mut last);
    }
}

// === impl Page ===

impl Page {
    pub(super) fn write(snapshot: Snapshot<'_>, format: Format) -> Self {
        let (families, omitted) = families(snapshot);
        Self {
            format,
            text: text::write(&families, format),
            omitted,
        }
    }
}
