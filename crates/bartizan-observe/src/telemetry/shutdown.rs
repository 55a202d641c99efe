//! The end: flushing, closing, and the figures.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::trace::SpanData;
use tokio::sync::oneshot;

use super::instant::after;
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
    /// Blocks the thread, which may be any, a runtime's only worker too. On the thread that exports
    /// (in an exporter or an instrument's callback) it only asks, and says `false`.
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
    ///
    /// On the thread that exports, which a panic hook may run on, waiting would be for itself: the
    /// shutdown begins, the figures are those of that moment, and what they have as
    /// [pending](super::SignalReport::pending) goes out when the call has returned. Likewise the
    /// thread that writes the access log does not wait for lines.
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
        let ended = [
            spans.as_ref().is_none_or(|queue| queue.wait_ended(end)),
            logs.as_ref().is_none_or(|queue| queue.wait_ended(end)),
            metrics.as_ref().is_none_or(|queue| queue.wait_ended(end)),
        ];
        if let (Some(directory), [true, true, true]) = (&self.0.queues.spool, ended) {
            // The next run may begin before this process has ended.
            directory.release();
        }
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
        // An executor here would hold up what the thread waits for.
        let begun = match self.is_own_thread() {
            true => Err(self.shutdown(deadline)),
            false => Ok(self.shutdown_aside(deadline)),
        };
        async move {
            let ended = match begun {
                Err(report) => Some(report),
                Ok(report) => report.await.ok(),
            };
            // Without a thread, a blocked executor is better than lost telemetry.
            ended.unwrap_or_else(|| telemetry.shutdown(deadline))
        }
    }

    /// On a thread; there is no report when it could not be started.
    fn shutdown_aside(&self, deadline: Duration) -> oneshot::Receiver<Report> {
        let telemetry = self.clone();
        let (done, report) = oneshot::channel();
        // Nobody listens any more when the future was dropped.
        let work = move || done.send(telemetry.shutdown(deadline)).unwrap_or_default();
        let thread = std::thread::Builder::new().name("bartizan-shutdown".to_owned());
        let _detached = thread.spawn(work);
        report
    }

    /// Whether this is a thread that a shutdown waits for.
    fn is_own_thread(&self) -> bool {
        let queues = &self.0.queues;
        let (spans, logs, metrics) = (&queues.spans, &queues.logs, &queues.metrics);
        spans.as_ref().is_some_and(|queue| queue.is_exported_here())
            || logs.as_ref().is_some_and(|queue| queue.is_exported_here())
            || metrics
                .as_ref()
                .is_some_and(|queue| queue.is_exported_here())
            || self.access_log().is_some_and(AccessLog::is_written_here)
    }

    /// Takes at most half of the time: standard output may be blocked for good, and the log records
    /// still have to go.
    fn flush_access_log(&self, deadline: Duration) -> bool {
        // What call sites have left out becomes lines and records, too.
        self.log_limits().tell();
        self.access_log().is_none_or(|log| log.flush(deadline / 2))
    }

    pub(super) fn end(&self, deadline: Duration) -> Instant {
        after(self.0.clock.now(), deadline)
    }
}
