//! The ways out: where each signal goes, and the pipeline that takes it there.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::data::ResourceMetrics;

use super::config::{BatchConfig, Destination, OtlpConfig};
use super::error::TelemetryError;
use super::pipeline::Pipeline;
use super::queue::{Bounds, Feed, Queue};
use super::retry::Backoff;
use super::sink::Sink;
use super::spool::{Courier, Replay, Way};
use super::transport::{Signal, Transport};
use super::worker;
use crate::Clock;

/// Where one signal goes.
#[derive(Default)]
pub(super) enum Output<T> {
    #[default]
    Nowhere,
    Otlp(Destination),
    Base(OtlpConfig),
    Given(Box<dyn Sink<T>>),
}

// === impl Output ===

impl<T> Output<T> {
    pub(super) fn open(
        self,
        signal: Signal,
        otlp: impl FnOnce(&Destination) -> Result<Box<dyn Sink<T>>, TelemetryError>,
    ) -> Result<Option<Box<dyn Sink<T>>>, TelemetryError> {
        match self {
            Self::Nowhere => Ok(None),
            Self::Otlp(to) => otlp(&to).map(Some),
            Self::Base(config) => otlp(&config.destination(signal)?).map(Some),
            Self::Given(sink) => Ok(Some(sink)),
        }
    }

    /// Another connection, for what was kept of this signal; `None` where nothing is.
    pub(super) fn courier(
        &self,
        signal: Signal,
        batch: BatchConfig,
    ) -> Result<Courier, TelemetryError> {
        let to = match self {
            Self::Otlp(to) => to,
            Self::Base(config) => &config.destination(signal)?,
            Self::Nowhere | Self::Given(_) => return Ok(None),
        };
        Ok(Some((Transport::new(signal, to)?, batch.backoff)))
    }
}

/// Starts the pipeline of a signal that is pushed; gives the queue to push into.
pub(super) fn push<T: Send + 'static>(
    signal: Signal,
    mut sink: Box<dyn Sink<T>>,
    batch: BatchConfig,
    spool: Option<Way>,
    resource: &Resource,
    tasks: &mut Vec<worker::Task>,
) -> Arc<Queue<T>> {
    let BatchConfig {
        max_queue,
        max_queue_bytes,
        max_batch,
        delay,
        export_timeout,
        backoff,
    } = batch;
    sink.set_resource(resource);
    let handed = sink.handed();
    let bounds = Bounds {
        items: max_queue,
        bytes: max_queue_bytes,
        batch: max_batch,
    };
    let queue = Queue::new(Feed::Pushed, bounds, handed, Clock::default());
    let queue = Arc::new(queue);
    let replay = spool.map(|way| {
        queue.found(way.report);
        Replay {
            spool: way.spool,
            queue: Arc::clone(&queue),
            transport: way.transport,
            clock: Clock::default(),
        }
    });
    let pipeline = Pipeline {
        signal,
        queue: Arc::clone(&queue),
        sink,
        delay,
        export_timeout,
        backoff,
        clock: Clock::default(),
        pause: None,
        spool: replay.as_ref().map(|replay| Arc::clone(&replay.spool)),
    };
    if let Some(replay) = replay {
        tasks.push(Box::pin(async move {
            tokio::select! {
                // It ends, and the replay with it.
                () = pipeline.run(|| None) => {}
                () = replay.run() => {}
            }
        }));
        return queue;
    }
    tasks.push(Box::pin(pipeline.run(|| None)));
    queue
}

/// The pipeline of a signal that is collected at an interval.
pub(super) fn collected(
    sink: Box<dyn Sink<ResourceMetrics>>,
    interval: Duration,
    export_timeout: Duration,
) -> Pipeline<ResourceMetrics> {
    // One at a time: a collection is sent before the next is made.
    let bounds = Bounds {
        items: 1,
        // The SDK has its own bound: the number of attribute sets of an instrument.
        bytes: 0,
        batch: 1,
    };
    let queue = Queue::new(Feed::Collected, bounds, sink.handed(), Clock::default());
    Pipeline {
        signal: Signal::Metrics,
        queue: Arc::new(queue),
        sink,
        delay: interval,
        export_timeout,
        backoff: Backoff::default(),
        clock: Clock::default(),
        pause: None,
        spool: None,
    }
}
