//! The exemplars of `http.server.request.duration`: the SDK has no place for them.
//!
//! The latest one per bucket, not the largest as the compatibility specification has it for SDKs:
//! a trace is kept for days, so the one that was slowest since the start of the process would soon
//! lead nowhere.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use opentelemetry::KeyValue;

use super::view::Exemplar;
use crate::names::DURATION_BUCKETS;

/// How many series have exemplars: as many as the SDK keeps per instrument, so that whatever is
/// exposed can have them. Those that come after have none.
const MAX_SERIES: usize = 2000;

const BUCKETS: usize = DURATION_BUCKETS.len() + 1;

/// By attributes, sorted by key: layers whose series the SDK adds up share their exemplars too.
#[derive(Debug, Default)]
pub(crate) struct Exemplars(Mutex<HashMap<Box<[KeyValue]>, Arc<SeriesExemplars>>>);

/// The latest exemplar of each bucket of one series, in less than a kilobyte.
#[derive(Debug)]
pub(crate) struct SeriesExemplars(Mutex<[Option<Exemplar>; BUCKETS]>);

// === impl Exemplars ===

impl Exemplars {
    /// Those of the series with these attributes; `None` when there are too many series.
    pub(crate) fn series(&self, attributes: Vec<KeyValue>) -> Option<Arc<SeriesExemplars>> {
        let key = sorted(attributes);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_SERIES && !all.contains_key(&key) {
            return None;
        }
        let series = all.entry(key).or_default();
        Some(Arc::clone(series))
    }

    pub(super) fn of<'a>(&self, attributes: impl Iterator<Item = &'a KeyValue>) -> Vec<Exemplar> {
        let key = sorted(attributes.cloned().collect());
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all.get(&key).cloned();
        drop(all);
        series.map_or_else(Vec::new, |series| series.latest())
    }
}

// === impl SeriesExemplars ===

impl SeriesExemplars {
    /// Keeps it in the place of the one before. When another thread is at these, it is let go
    /// instead of waited for.
    pub(crate) fn keep(&self, exemplar: Exemplar) {
        let bucket = DURATION_BUCKETS.partition_point(|bound| *bound < exemplar.value);
        if let Ok(mut all) = self.0.try_lock() {
            all[bucket] = Some(exemplar);
        }
    }

    fn latest(&self) -> Vec<Exemplar> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().flatten().copied().collect()
    }
}

impl Default for SeriesExemplars {
    fn default() -> Self {
        Self(Mutex::new([None; BUCKETS]))
    }
}

fn sorted(mut attributes: Vec<KeyValue>) -> Box<[KeyValue]> {
    attributes.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    attributes.into()
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use opentelemetry::trace::{SpanId, TraceId};

    use super::*;

    fn exemplar(id: u64, value: f64) -> Exemplar {
        Exemplar {
            trace_id: TraceId::from(u128::from(id)),
            span_id: SpanId::from(id),
            value,
            at: SystemTime::UNIX_EPOCH + Duration::from_secs(id),
        }
    }

    fn attributes(order: [&'static str; 2]) -> Vec<KeyValue> {
        order.map(|key| KeyValue::new(key, 1)).to_vec()
    }

    #[test]
    fn a_bucket_keeps_the_latest_and_its_upper_bound_is_in_it() {
        let series = SeriesExemplars::default();
        for (id, value) in [(1, 0.005), (2, 0.0051), (3, 0.01), (4, 99.0), (5, 0.0)] {
            series.keep(exemplar(id, value));
        }
        let kept: Vec<_> = series.latest().iter().map(|one| one.value).collect();
        assert_eq!(kept, [0.0, 0.01, 99.0]);
    }

    #[test]
    fn the_order_of_attributes_does_not_matter() {
        let all = Exemplars::default();
        let series = all.series(attributes(["a", "b"])).unwrap();
        series.keep(exemplar(1, 1.0));
        assert!(Arc::ptr_eq(
            &series,
            &all.series(attributes(["b", "a"])).unwrap()
        ));
        assert_eq!(
            all.of(attributes(["b", "a"]).iter()),
            [exemplar(1, 1.0)],
            "as the SDK may list them"
        );
        assert!(all.of(attributes(["a", "c"]).iter()).is_empty());
    }

    #[test]
    fn series_past_the_bound_have_none_and_earlier_ones_keep_theirs() {
        let all = Exemplars::default();
        let series = |number: usize| all.series(vec![KeyValue::new("n", number.to_string())]);
        assert!((0..MAX_SERIES).all(|number| series(number).is_some()));
        assert!(series(MAX_SERIES).is_none());
        assert!(series(0).is_some());
    }

    #[test]
    fn an_exemplar_is_let_go_while_others_are_read() {
        let series = SeriesExemplars::default();
        let reader = series.0.lock().unwrap();
        series.keep(exemplar(1, 1.0));
        drop(reader);
        assert!(series.latest().is_empty());
        series.keep(exemplar(2, 1.0));
        assert_eq!(series.latest(), [exemplar(2, 1.0)]);
    }
}
