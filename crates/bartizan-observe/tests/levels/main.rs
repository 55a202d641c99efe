//! In a process of its own, with one subscriber: `tracing` treats that differently from several.

use std::sync::{Arc, Mutex, PoisonError};

use bartizan_observe::telemetry::Telemetry;
use tracing::dispatcher::{Dispatch, with_default};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Notes the target of every event that gets to it.
#[derive(Clone, Default)]
struct Targets(Arc<Mutex<Vec<&'static str>>>);

impl<S: Subscriber> Layer<S> for Targets {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut targets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        targets.push(event.metadata().target());
    }
}

#[test]
fn a_change_from_a_thread_that_has_not_the_subscriber_leaves_its_call_sites_on() {
    let telemetry = Telemetry::builder().build().unwrap();
    let targets = Targets::default();
    let layers = telemetry.layers("info", targets.clone()).unwrap();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layers));
    let work = || {
        with_default(&dispatch, || {
            tracing::info!(target: "shop", "sold");
            tracing::debug!(target: "detail", "sold");
        });
    };
    work();
    telemetry.log_levels().set("debug", None).unwrap();
    work();
    telemetry.log_levels().reset();
    work();
    let changed = "bartizan_observe::log_levels";
    assert_eq!(
        *targets.0.lock().unwrap(),
        ["shop", changed, "shop", "detail", changed, "shop"]
    );
}
