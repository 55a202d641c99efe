//! The directory, and what else may be in it.

use std::fs;
use std::path::Path;

use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter};

use super::*;

#[test]
fn what_is_torn_is_counted_and_what_belongs_to_others_is_left_alone() {
    let place = Place::new("torn");
    leave(&place, &[2, 3, 4]);
    let files = place.files();
    let cut = fs::read(&files[0]).unwrap();
    fs::write(&files[0], &cut[..cut.len() - 1]).unwrap();
    let mut flipped = fs::read(&files[1]).unwrap();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(&files[1], flipped).unwrap();
    let named =
        |number: u32, suffix: &str| place.path().join(format!("traces-{number:020}{suffix}"));
    fs::write(named(97, ".otlp"), "").unwrap();
    fs::write(named(98, ".tmp"), "half of").unwrap();
    fs::create_dir(named(99, ".otlp")).unwrap();
    fs::write(place.path().join("README"), "not ours").unwrap();

    let collector = Collector::start(Behaviour::Accept);
    let telemetry = spooling(collector.addr(), &place);
    wait_replayed(&telemetry);
    let spool = telemetry.shutdown(PLENTY).spool;
    assert_eq!(
        (spool.found, spool.exported, spool.torn),
        (7, 4, 3),
        "the sums of the header hold where its message is torn: {spool}"
    );
    assert_eq!((spool.torn_files, spool.foreign_files), (4, 2), "{spool}");
    assert_eq!(collector.received().spans.len(), 4);
    assert_eq!(place.files(), [named(99, ".otlp")]);
    assert!(place.path().join("README").exists());
}

#[test]
fn the_bound_holds_and_the_oldest_go_first() {
    let place = Place::new("bound");
    leave(&place, &[10]);
    let size = fs::metadata(&place.files()[0]).unwrap().len();
    // Half of it is for log records.
    let bound = SpoolConfig::new(place.path()).with_max_bytes(2 * (3 * size + size / 2));
    let nobody = Nobody::new();
    let telemetry = exporting(config(nobody.addr(), OtlpProtocol::HttpProtobuf))
        .with_spool(bound)
        .build()
        .unwrap();
    for _ in 0..6 {
        end_spans(&telemetry, 10);
        assert!(telemetry.force_flush(PLENTY));
    }
    let report = telemetry.shutdown(PLENTY);
    assert_eq!(
        (report.spans.spooled, report.spans.dropped.spool),
        (30, 30),
        "{report}"
    );
    assert_eq!((report.spool.found, report.spool.dropped), (10, 10));
    assert_settled(&report.spans);
    let numbers: Vec<_> = place.files().iter().map(|path| number(path)).collect();
    assert_eq!(numbers, [4, 5, 6]);
}

/// An exporter of the application's.
#[derive(Debug)]
struct Elsewhere;

impl LogExporter for Elsewhere {
    async fn export(&self, _batch: LogBatch<'_>) -> OTelSdkResult {
        Ok(())
    }
}

#[test]
fn half_of_it_is_for_the_other_signal_also_where_that_is_not_exported() {
    let place = Place::new("half");
    leave(&place, &[10]);
    let size = fs::metadata(&place.files()[0]).unwrap().len();
    let nobody = Nobody::new();
    let telemetry = exporting(config(nobody.addr(), OtlpProtocol::HttpProtobuf))
        .with_log_exporter(Elsewhere)
        .with_spool(SpoolConfig::new(place.path()).with_max_bytes(3 * size))
        .build()
        .unwrap();
    for _ in 0..2 {
        end_spans(&telemetry, 10);
        assert!(telemetry.force_flush(PLENTY));
    }
    let report = telemetry.shutdown(PLENTY);
    assert_eq!((report.spans.spooled, report.spool.dropped), (10, 10));
    assert_eq!(place.files().len(), 1);
}

fn number(path: &Path) -> u64 {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.split_once('-').unwrap().1.parse().unwrap()
}

#[test]
fn a_second_process_goes_on_without_a_spool_and_says_so() {
    let place = Place::new("second");
    let nobody = Nobody::new();
    let first = spooling(nobody.addr(), &place);
    // Locks are those of open files, so that a handle of this process will do.
    let second = spooling(nobody.addr(), &place);
    let told: Vec<_> = second.ignored().iter().map(ToString::to_string).collect();
    let path = place.path().display();
    assert_eq!(
        told,
        [format!(
            "spool directory: `{path}` is not free: another process has it"
        )]
    );
    end_spans(&second, 3);
    let spans = second.shutdown(PLENTY).spans;
    assert_eq!((spans.spooled, spans.dropped.unreachable), (0, 3));
    first.shutdown(PLENTY);
    assert!(spooling(nobody.addr(), &place).ignored().is_empty());
}

#[test]
fn a_disk_that_takes_nothing_leaves_it_as_it_is_without_a_spool() {
    let place = Place::new("gone");
    let nobody = Nobody::new();
    let telemetry = spooling(nobody.addr(), &place);
    fs::remove_dir_all(place.path()).unwrap();
    end_spans(&telemetry, 3);
    let report = telemetry.shutdown(PLENTY);
    assert_eq!(
        (report.spans.spooled, report.spans.dropped.unreachable),
        (0, 3),
        "{report}"
    );
    assert!(report.spool.write_errors > 0);
    assert_settled(&report.spans);
}
