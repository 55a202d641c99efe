use std::sync::Arc;
use std::time::Duration;

use bartizan_task::Task;
use opentelemetry::InstrumentationScope;
use opentelemetry::logs::LogRecord;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogProcessor, SdkLogRecord};

use super::queue::Queue;
use super::sink::LogItem;
use super::spans::{close, flush};
use crate::names::attr;

/// Says for whom each record was written, and puts it into the queue.
///
/// Records that are emitted while telemetry is suppressed do not come here: the SDK's logger stops
/// them.
#[derive(Debug)]
pub(super) struct QueueLogs(pub(super) Arc<Queue<LogItem>>);

impl LogProcessor for QueueLogs {
    fn emit(&self, record: &mut SdkLogRecord, scope: &InstrumentationScope) {
        attribute(record);
        self.0.push((record.clone(), scope.clone()));
    }

    fn force_flush(&self) -> OTelSdkResult {
        flush(&self.0)
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        close(&self.0, timeout);
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
