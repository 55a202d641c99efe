//! Trace and span ids, and the request layer's way of handing its own decision to the SDK.

use std::cell::{Cell, RefCell};

use opentelemetry::trace::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;
use rand::RngExt;
use rand::rngs::SmallRng;

thread_local! {
    /// Ids need to be unique, not secret, so a small generator seeded by the system is enough.
    static RNG: RefCell<SmallRng> = RefCell::new(rand::make_rng());
    /// A sampled root's trace id, chosen before the SDK was asked to build its span.
    static CHOSEN: Cell<Option<TraceId>> = const { Cell::new(None) };
}

/// Random bytes for ids that need not be secret.
pub(crate) fn random_u128() -> u128 {
    RNG.with_borrow_mut(|rng| rng.random())
}

/// A number from 0 up to 1, for choices that need not be secret.
pub(crate) fn random_fraction() -> f64 {
    RNG.with_borrow_mut(|rng| rng.random())
}

pub(crate) fn new_trace_id() -> TraceId {
    loop {
        let id = TraceId::from(random_u128());
        if id != TraceId::INVALID {
            return id;
        }
    }
}

pub(crate) fn new_span_id() -> SpanId {
    loop {
        let id = SpanId::from(RNG.with_borrow_mut(|rng| rng.random::<u64>()));
        if id != SpanId::INVALID {
            return id;
        }
    }
}

/// Runs `build` with the next sampling decision on this thread fixed to "record and sample", and
/// the next new trace id to `trace_id`.
///
/// The SDK always asks its sampler and id generator again; both answer from here, so that the
/// decision the layer took before building anything is the one that stands.
pub(crate) fn with_chosen<R>(trace_id: TraceId, build: impl FnOnce() -> R) -> R {
    /// Clears the choice also when `build` unwinds.
    struct Clear;
    impl Drop for Clear {
        fn drop(&mut self) {
            CHOSEN.set(None);
        }
    }
    CHOSEN.set(Some(trace_id));
    let _clear = Clear;
    build()
}

/// Takes the decision left by [`with_chosen`], if there is one for this trace.
pub(super) fn is_chosen(trace_id: TraceId) -> bool {
    CHOSEN.get() == Some(trace_id)
}

/// Gives the SDK its ids.
#[derive(Debug, Default)]
pub(super) struct Ids(());

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        CHOSEN.get().unwrap_or_else(new_trace_id)
    }

    fn new_span_id(&self) -> SpanId {
        new_span_id()
    }
}
