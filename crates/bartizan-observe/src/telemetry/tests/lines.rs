use std::io;
use std::time::SystemTime;

use bartizan_task::Task;

use super::*;
use crate::Outcome;
use crate::access_log::{AccessLog, AccessRecord};

pub(super) fn one_line(telemetry: &Telemetry) {
    let task = Task::root("request", None).id();
    let took = Duration::from_millis(1);
    let record = AccessRecord::new(
        SystemTime::UNIX_EPOCH,
        took,
        "GET",
        task,
        Outcome::Completed,
    );
    telemetry.access_log().unwrap().record(record);
}

#[test]
fn lines_that_wait_at_the_shutdown_still_become_log_records() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_access_log(AccessLog::builder().with_sink(io::sink()))
        .build()
        .unwrap();
    one_line(&telemetry);
    let report = telemetry.shutdown(PLENTY);
    assert_eq!(report.access_log.written, 1);
    assert_eq!(report.logs.exported, 1);
    assert_eq!(collector.received().logs.len(), 1);
}

#[test]
fn lines_can_be_kept_out_of_otlp() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_access_log(AccessLog::builder().with_sink(io::sink()))
        .without_otlp_access_lines()
        .build()
        .unwrap();
    one_line(&telemetry);
    let report = telemetry.shutdown(PLENTY);
    assert_eq!((report.access_log.written, report.logs.ended), (1, 0));
}
