use std::sync::Arc;
use std::time::Duration;

use bartizan_task::Task;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::logs::{LogRecord, Logger, LoggerProvider};
use opentelemetry::{Context, InstrumentationScope, Key};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord, SdkLogger, SdkLoggerProvider};

use super::limits::Limits;
use super::queue::Queue;
use super::sink::LogItem;
use super::spans::{close, flush};
use super::weight;
use crate::names::attr;

/// Says for whom each record was written, and puts it into the queue.
///
/// Records that are emitted while telemetry is suppressed do not come here: the SDK's logger stops
/// them.
#[derive(Debug)]
pub(super) struct QueueLogs {
    queue: Arc<Queue<LogItem>>,
    baggage: Vec<Box<str>>,
    limits: Limits,
    /// Makes empty records, and has no other use.
    blank: SdkLogger,
}

impl QueueLogs {
    /// `baggage` are the keys of the entries that are copied.
    pub(super) fn new(queue: Arc<Queue<LogItem>>, baggage: Vec<Box<str>>, limits: Limits) -> Self {
        let blank = SdkLoggerProvider::builder().build().logger("");
        Self {
            queue,
            baggage,
            limits,
            blank,
        }
    }

    fn add_baggage(&self, record: &mut SdkLogRecord) {
        if self.baggage.is_empty() {
            return;
        }
        let mut found: Vec<_> = Context::map_current(|cx| {
            let entry =
                |key: &str| Some((Key::from(key.to_owned()), cx.baggage().get(key)?.clone()));
            self.baggage.iter().filter_map(|key| entry(key)).collect()
        });
        // The access log's lines bring their own.
        found.retain(|(key, _)| record.attributes_iter().all(|(known, _)| known != key));
        record.add_attributes(found);
    }
}

impl LogProcessor for QueueLogs {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        attribute(record);
        self.add_baggage(record);
        let within = self
            .limits
            .clip_log(record, || self.blank.create_log_record());
        let record = within.unwrap_or_else(|| record.clone());
        let item = (record, scope.clone());
        let bytes = weight::of_log(&item);
        self.queue.push(item, bytes);
    }

    fn force_flush(&self) -> OTelSdkResult {
        flush(&self.queue)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        close(&self.queue, timeout);
        Ok(())
    }
}

/// Adds the running task's ids, unless the record brings its own.
fn attribute(record: &mut SdkLogRecord) {
    Task::with_current(|task| {
        let Some(task) = task else { return };
        let (mut has_task, mut has_request) = (false, false);
        for (key, _) in record.attributes_iter() {
            has_task |= key.as_str() == attr::TASK_ID;
            has_request |= key.as_str() == attr::REQUEST_ID;
        }
        if !has_task {
            // The specification's integers are signed; ids are counted from 1.
            record.add_attribute(
                attr::TASK_ID,
                i64::try_from(task.id().get()).unwrap_or(i64::MAX),
            );
        }
        if let (false, Some(id)) = (has_request, task.request_id()) {
            record.add_attribute(attr::REQUEST_ID, id.as_str().to_owned());
        }
    });
}
