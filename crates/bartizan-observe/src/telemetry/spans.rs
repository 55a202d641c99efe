use std::sync::Arc;
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};

use super::DEFAULT_SHUTDOWN_DEADLINE;
use super::queue::Queue;
use crate::Clock;

/// Puts ended spans into the queue.
#[derive(Debug)]
pub(super) struct QueueSpans(pub(super) Arc<Queue<SpanData>>);

impl SpanProcessor for QueueSpans {
    fn on_start(&self, _span: &mut Span, _cx: &Context) {}

    fn on_end(&self, span: SpanData) {
        // Recorded for somebody else, but not to be exported.
        if span.span_context.is_sampled() {
            self.0.push(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        flush(&self.0)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        close(&self.0, timeout);
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
    queue.close(Clock::default().now() + timeout);
}
