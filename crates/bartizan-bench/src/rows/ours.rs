//! Bartizan itself, as its front door puts it together.

use std::sync::Arc;
use std::time::Duration;

use bartizan::{AccessLog, LogFormat, Sampler, Telemetry};
use opentelemetry_sdk::metrics::PeriodicReader;

use super::{Expected, Pipelines, Row};
use crate::BoxError;
use crate::exchange;
use crate::sinks::{DiscardLines, DiscardMetrics, DiscardSpans, Seen};

/// How long a queue may take to empty.
const DEADLINE: Duration = Duration::from_secs(5);

/// The export thread, and the writer of access lines where there is one.
#[derive(Debug)]
struct Ours {
    telemetry: Telemetry,
    log: Option<AccessLog>,
}

pub(super) fn rows() -> Result<Vec<Row>, BoxError> {
    let (on, off) = (Sampler::ALWAYS_ON, Sampler::ALWAYS_OFF);
    Ok(vec![
        row(
            "bartizan_sampled",
            "Bartizan, traces and metrics",
            on,
            false,
        )?,
        row(
            "bartizan_unsampled",
            "Bartizan, metrics, trace not sampled",
            off,
            false,
        )?,
        row(
            "bartizan_full",
            "Bartizan, traces, metrics, a JSON access line",
            on,
            true,
        )?,
        // Most requests of a busy service: what a line costs where no span hides it.
        row(
            "bartizan_full_unsampled",
            "Bartizan, metrics, a JSON access line, trace not sampled",
            off,
            true,
        )?,
    ])
}

fn row(
    name: &'static str,
    about: &'static str,
    sampler: Sampler,
    line: bool,
) -> Result<Row, BoxError> {
    let seen = Arc::new(Seen::default());
    let telemetry = Telemetry::builder()
        .with_sampler(sampler)
        .with_span_exporter(DiscardSpans(Arc::clone(&seen)))
        // The peers' reader. Collected by its own thread, metrics would be a part of each drain.
        .with_metric_reader(PeriodicReader::builder(DiscardMetrics(Arc::clone(&seen))).build())
        .build()?;
    let stack = bartizan::stack().with_telemetry(&telemetry);
    let (stack, log) = if line {
        let log = AccessLog::builder()
            .with_format(LogFormat::Json)
            .with_sink(DiscardLines(Arc::clone(&seen)))
            .build()?;
        (stack.with_access_log(log.clone()), Some(log))
    } else {
        (stack.without_access_log(), None)
    };
    Ok(Row {
        name,
        about,
        router: exchange::app().layer(stack.build()?),
        subscriber: None,
        expected: Expected {
            span: sampler == Sampler::ALWAYS_ON,
            duration: true,
            line,
        },
        seen,
        pipelines: Box::new(Ours { telemetry, log }),
    })
}

// === impl Ours ===

impl Pipelines for Ours {
    fn drain(&self) -> Result<(), BoxError> {
        let spans = self.telemetry.force_flush(DEADLINE);
        let lines = self.log.as_ref().is_none_or(|log| log.flush(DEADLINE));
        if spans && lines {
            Ok(())
        } else {
            Err("its queues do not empty".into())
        }
    }

    fn collect_metrics(&self) -> Result<(), BoxError> {
        Ok(self.telemetry.meter_provider().force_flush()?)
    }
}
