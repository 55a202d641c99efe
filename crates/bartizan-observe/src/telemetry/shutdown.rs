//! The end: flushing, closing, and the figures.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::oneshot;

use super::queue::Queue;
use super::sink::LogItem;
use super::spool::Directory;
use super::{MetricsReport, Report, Telemetry};
use crate::access_log::AccessLog;

/// The ways out, where there are any.
#[derive(Debug)]
pub(super) struct Queues {
    pub(super) spans: Option<Arc<Queue<SpanData>>>,
    pub(super) logs: Option<Arc<Queue<LogItem>>>,
    pub(super) metrics: Option<Arc<Queue<ResourceMetrics>>>,
    pub(super) spool: Option<Arc<Directory>>,
}

impl Telemetry {
    /// What became of everything so far.
    #[must_use]
    pub fn report(&self) -> Report {
        let Queues {
            spans,
            logs,
            metrics,
            ..
        } = &self.0.queues;
        let of_spans = spans
            .as_ref()
            .map(|queue| queue.report())
            .unwrap_or_default();
        Report {
            // Read after the figures, so that no span is counted as ended before it has started.
            unfinished: self.0.open_spans.started().saturating_sub(of_spans.ended),
            spans: of_spans,
            logs: logs
                .as_ref()
                .map(|queue| queue.report())
                .unwrap_or_default(),
            metrics: metrics
                .as_ref()
                .map_or_else(MetricsReport::default, |queue| MetricsReport {
                    collections: queue.report(),
                    rejected_points: queue.rejected_parts(),
                }),
            access_log: self.access_log().map(AccessLog::stats).unwrap_or_default(),
            spool: spans
                .as_ref()
                .map(|queue| queue.spool_report())
                .unwrap_or_default()
                .and(
                    logs.as_ref()
                        .map(|queue| queue.spool_report())
                        .unwrap_or_default(),
                ),
        }
    }

    /// Sends what is there now, and waits for the results until `deadline` has passed. Says
    /// whether there is a result for everything; [`Self::report`] says which.
    ///
    /// Blocks the thread, which may be any, a runtime's only worker too.
    #[must_use]
    pub fn force_flush(&self, deadline: Duration) -> bool {
        let end = self.end(deadline);
        let Queues {
            spans,
            logs,
            metrics,
            ..
        } = &self.0.queues;
        // All are asked before the first is waited for, but for the log records: the access log's
        // lines become some.
        let spans = spans.as_ref().map(|queue| (queue, queue.request_flush()));
        let metrics = metrics.as_ref().map(|queue| (queue, queue.request_flush()));
        let lines = self.flush_access_log(deadline);
        let logs = logs.as_ref().map(|queue| (queue, queue.request_flush()));
        let spans = spans.is_none_or(|(queue, target)| queue.wait_flushed(target, end));
        let metrics = metrics.is_none_or(|(queue, target)| queue.wait_flushed(target, end));
        let logs = logs.is_none_or(|(queue, target)| queue.wait_flushed(target, end));
        lines && spans && logs && metrics
    }

    /// Lets nothing more in, sends what is there, and says what became of everything.
    ///
    /// Returns as soon as all is sent, and no later than `deadline` from now, whatever the far
    /// side does; what is then left is counted. Blocks the thread, which may be any, a runtime's
    /// only worker too. Calling it again gives the figures as they are then.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        let end = self.end(deadline);
        let Queues {
            spans,
            logs,
            metrics,
            ..
        } = &self.0.queues;
        spans.iter().for_each(|queue| queue.close(end));
        metrics.iter().for_each(|queue| queue.close(end));
        // Before the log records, because its lines become some; what does not make it is in its
        // figures.
        if !self.flush_access_log(deadline) {
            tracing::warn!("lines of the access log could not be written in time");
        }
        logs.iter().for_each(|queue| queue.close(end));
        spans.iter().for_each(|queue| queue.wait_ended(end));
        logs.iter().for_each(|queue| queue.wait_ended(end));
        metrics.iter().for_each(|queue| queue.wait_ended(end));
        // The next run may begin before this process has ended.
        let spool = self.0.queues.spool.as_ref();
        spool.into_iter().for_each(|directory| directory.release());
        self.report()
    }

    /// [`Self::shutdown`] for asynchronous code: waits without blocking the executor, whichever it
    /// is, on a thread that lives for that long.
    ///
    /// # Cancel safety
    ///
    /// The shutdown begins with the call and goes on when the future is dropped.
    pub fn shutdown_async(
        &self,
        deadline: Duration,
    ) -> impl Future<Output = Report> + Send + use<> {
        let telemetry = self.clone();
        let (done, report) = oneshot::channel();
        let work = {
            let telemetry = telemetry.clone();
            // Nobody listens any more when the future was dropped.
            move || done.send(telemetry.shutdown(deadline)).unwrap_or_default()
        };
        let started = std::thread::Builder::new()
            .name("bartizan-shutdown".to_owned())
            .spawn(work);
        async move {
            match (started, report.await) {
                (Ok(_), Ok(report)) => report,
                // Without a thread, a blocked executor is better than lost telemetry.
                _ => telemetry.shutdown(deadline),
            }
        }
    }

    /// Takes at most half of the time: standard output may be blocked for good, and the log records
    /// still have to go.
    fn flush_access_log(&self, deadline: Duration) -> bool {
        // What call sites have left out becomes lines and records, too.
        self.log_limits().tell();
        self.access_log().is_none_or(|log| log.flush(deadline / 2))
    }

    pub(super) fn end(&self, deadline: Duration) -> Instant {
        let now = self.0.clock.now();
        // A deadline beyond what the clock can say is as good as a day.
        now.checked_add(deadline)
            .unwrap_or(now + Duration::from_secs(86_400))
    }
}
