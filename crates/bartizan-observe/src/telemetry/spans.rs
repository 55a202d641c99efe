use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::Span as _;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::DEFAULT_SHUTDOWN_DEADLINE;
use super::instant::after;
use super::limits::Limits;
use super::queue::Queue;
use super::weight;
use crate::Clock;

/// Puts ended spans into the queue.
#[derive(Debug)]
pub(super) struct QueueSpans {
    queue: Arc<Queue<SpanData>>,
    open: Arc<OpenSpans>,
    limits: Limits,
}

/// How many spans that are to be exported have started.
#[derive(Debug, Default)]
pub(super) struct OpenSpans(AtomicU64);

// === impl OpenSpans ===

impl OpenSpans {
    // Relaxed: a number that is only ever added to, and orders nothing else.

    fn start(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn started(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

// === impl QueueSpans ===

impl QueueSpans {
    pub(super) const fn new(
        queue: Arc<Queue<SpanData>>,
        open: Arc<OpenSpans>,
        limits: Limits,
    ) -> Self {
        Self {
            queue,
            open,
            limits,
        }
    }
}

impl SpanProcessor for QueueSpans {
    fn on_start(&self, span: &mut Span, _cx: &Context) {
        if span.span_context().is_sampled() {
            self.open.start();
        }
    }

    fn on_end(&self, mut span: SpanData) {
        // Recorded for somebody else, but not to be exported.
        if span.span_context.is_sampled() {
            self.limits.clip_span(&mut span);
            let bytes = weight::of_span(&span);
            self.queue.push(span, bytes);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        flush(&self.queue)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        close(&self.queue, timeout);
        Ok(())
    }
}

/// The SDK's flush, for those who have its provider and not our handle.
pub(super) fn flush<T>(queue: &Queue<T>) -> OTelSdkResult {
    let deadline = Clock::default().now() + DEFAULT_SHUTDOWN_DEADLINE;
    let target = queue.request_flush();
    if queue.wait_flushed(target, deadline) {
        Ok(())
    } else {
        Err(OTelSdkError::Timeout(DEFAULT_SHUTDOWN_DEADLINE))
    }
}

/// The SDK's shutdown, which also runs when the last handle to a provider is dropped, and that may
/// be anywhere. It therefore only asks the thread to end, and does not wait.
pub(super) fn close<T>(queue: &Queue<T>, timeout: Duration) {
    queue.close(after(Clock::default().now(), timeout));
}
