//! What could not be delivered, on a real disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// A directory that is the test's own, and gone afterwards.
struct Place(PathBuf);

impl Place {
    fn new(test: &str) -> Self {
        let name = format!("bartizan-spool-{}-{test}", std::process::id());
        let place = Self(std::env::temp_dir().join(name));
        let _left_by_another = fs::remove_dir_all(&place.0);
        place
    }

    /// The files that hold something, the oldest first.
    fn files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.0).unwrap();
        let mut files: Vec<_> = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|it| it == "otlp"))
            .collect();
        files.sort();
        files
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _gone_already = fs::remove_dir_all(&self.0);
    }
}

fn spooling_to(addr: SocketAddr, protocol: OtlpProtocol, place: &Place) -> TelemetryBuilder {
    exporting(config(addr, protocol))
        .with_span_batch(quick())
        .with_log_batch(quick())
        .with_spool(SpoolConfig::new(&place.0))
}

fn spooling(addr: SocketAddr, place: &Place) -> Telemetry {
    spooling_to(addr, OtlpProtocol::HttpProtobuf, place)
        .build()
        .unwrap()
}

/// Waits until nothing is left to be sent.
fn wait_replayed(telemetry: &Telemetry) {
    let Queues { spans, logs, .. } = &telemetry.0.queues;
    let end = telemetry.end(PLENTY);
    assert!(spans.as_ref().unwrap().wait_replayed(end));
    assert!(logs.as_ref().unwrap().wait_replayed(end));
}

/// Leaves a file for each of these numbers of spans.
fn leave(place: &Place, batches: &[usize]) {
    let nobody = Nobody::new();
    let telemetry = spooling(nobody.addr(), place);
    for &count in batches {
        end_spans(&telemetry, count);
        assert!(telemetry.force_flush(PLENTY), "the disk is there at once");
    }
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!(spans.spooled, batches.iter().sum::<usize>() as u64);
    assert_eq!(place.files().len(), batches.len());
}

#[test]
fn what_nobody_took_is_sent_by_the_next_run() {
    for protocol in BOTH {
        let place = Place::new("next");
        let nobody = Nobody::new();
        let telemetry = spooling_to(nobody.addr(), protocol, &place)
            .build()
            .unwrap();
        end_spans(&telemetry, 600);
        emit_logs(&telemetry, 3);
        let report = telemetry.shutdown(PLENTY);
        assert_eq!(
            (report.spans.spooled, report.logs.spooled),
            (600, 3),
            "{protocol:?}: {report}"
        );
        assert_settled(&report.spans);
        assert_settled(&report.logs);
        assert_eq!(place.files().len(), 3);

        let collector = Collector::start(Behaviour::Accept);
        let telemetry = spooling_to(collector.addr(), protocol, &place)
            .build()
            .unwrap();
        assert_eq!(telemetry.report().spool.found, 603);
        wait_replayed(&telemetry);
        let report = telemetry.shutdown(PLENTY);
        assert_eq!(
            (report.spool.exported, report.spool.waiting()),
            (603, 0),
            "{protocol:?}: {report}"
        );
        assert_eq!(report.spans, SignalReport::default(), "not this run's");
        let received = collector.received();
        assert_eq!((received.spans.len(), received.logs.len()), (600, 3));
        assert_eq!(received.span_ids().len(), 600);
        assert!(place.files().is_empty());
    }
}

#[test]
fn a_collector_that_comes_back_gets_what_was_spooled_and_then_the_rest_directly() {
    let place = Place::new("back");
    let nobody = Nobody::new();
    let addr = nobody.addr();
    let telemetry = spooling(addr, &place);
    end_spans(&telemetry, 3);
    assert!(telemetry.force_flush(PLENTY));
    assert_eq!(telemetry.report().spans.spooled, 3);
    let collector = Collector::start_at(addr, Behaviour::Accept);
    wait_replayed(&telemetry);
    end_spans(&telemetry, 2);
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.exported, spans.spooled), (5, 0), "{spans}");
    assert_settled(&spans);
    let requests = collector.received().requests.len();
    assert_eq!((requests, collector.received().spans.len()), (2, 5));
    assert!(place.files().is_empty());
}

#[test]
fn a_far_side_that_asks_for_a_pause_is_left_alone_while_files_pile_up() {
    let place = Place::new("pause");
    let retry_after = Some(600);
    let collector = Collector::start(Behaviour::Busy { retry_after });
    let telemetry = spooling(collector.addr(), &place);
    for _ in 0..3 {
        end_spans(&telemetry, 2);
        assert!(telemetry.force_flush(PLENTY));
    }
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.spooled, spans.lost()), (6, 0), "{spans}");
    assert_settled(&spans);
    assert_eq!(collector.received().requests.len(), 1);
    assert_eq!(place.files().len(), 3);
}

#[test]
fn what_is_refused_again_stays_and_what_is_not_taken_goes() {
    let place = Place::new("again");
    leave(&place, &[3, 2]);
    let busy = Collector::start(Behaviour::Busy { retry_after: None });
    let telemetry = spooling(busy.addr(), &place);
    busy.wait_for_requests(3);
    let spool = telemetry.shutdown(PLENTY).spool;
    assert_eq!((spool.found, spool.waiting()), (5, 5), "{spool}");
    assert_eq!(place.files().len(), 2);

    let strict = Collector::start(Behaviour::Refuse { http: 400, grpc: 3 });
    let telemetry = spooling(strict.addr(), &place);
    wait_replayed(&telemetry);
    let spool = telemetry.shutdown(PLENTY).spool;
    assert_eq!((spool.found, spool.rejected), (5, 5), "{spool}");
    assert!(place.files().is_empty());
}

#[test]
fn a_shutdown_leaves_time_for_the_files_and_what_may_have_arrived_is_unconfirmed() {
    for protocol in BOTH {
        let place = Place::new("deadline");
        let silent = Collector::start(Behaviour::Hang);
        let telemetry = spooling_to(silent.addr(), protocol, &place)
            .build()
            .unwrap();
        end_spans(&telemetry, 700);
        silent.wait_for_request();
        let spans = telemetry.shutdown(Duration::from_secs(1)).spans;
        assert_eq!(
            (spans.unconfirmed, spans.spooled),
            (512, 188),
            "{protocol:?}: {spans}"
        );
        assert_settled(&spans);

        let collector = Collector::start(Behaviour::Accept);
        let telemetry = spooling_to(collector.addr(), protocol, &place)
            .build()
            .unwrap();
        wait_replayed(&telemetry);
        assert_eq!(telemetry.shutdown(PLENTY).spool.exported, 700);
        assert_eq!(collector.received().span_ids().len(), 700);
    }
}

#[test]
fn a_batch_that_was_never_answered_is_sent_again_and_then_counted_as_exported() {
    let place = Place::new("doubt");
    let collector = Collector::start(Behaviour::first(1, &Behaviour::Break, Behaviour::Accept));
    let telemetry = spooling(collector.addr(), &place);
    end_spans(&telemetry, 3);
    assert!(telemetry.force_flush(PLENTY));
    wait_replayed(&telemetry);
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_eq!((spans.exported, spans.unconfirmed), (3, 0), "{spans}");
    assert_settled(&spans);
    let received = collector.received();
    assert_eq!((received.spans.len(), received.span_ids().len()), (6, 3));
}

#[test]
fn a_replay_without_an_answer_does_not_hold_up_the_shutdown() {
    let place = Place::new("silent");
    leave(&place, &[3]);
    let silent = Collector::start(Behaviour::Hang);
    let telemetry = spooling(silent.addr(), &place);
    silent.wait_for_request();
    let spool = telemetry.shutdown(SHORT).spool;
    assert_eq!((spool.found, spool.waiting()), (3, 3), "{spool}");
    assert_eq!(place.files().len(), 1);
}

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
    let named = |number: u32, suffix: &str| place.0.join(format!("traces-{number:020}{suffix}"));
    fs::write(named(97, ".otlp"), "").unwrap();
    fs::write(named(98, ".tmp"), "half of").unwrap();
    fs::create_dir(named(99, ".otlp")).unwrap();
    fs::write(place.0.join("README"), "not ours").unwrap();

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
    assert!(place.0.join("README").exists());
}

#[test]
fn the_bound_holds_and_the_oldest_go_first() {
    let place = Place::new("bound");
    leave(&place, &[10]);
    let size = fs::metadata(&place.files()[0]).unwrap().len();
    // Half of it is for log records.
    let bound = SpoolConfig::new(&place.0).with_max_bytes(2 * (3 * size + size / 2));
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
    let path = place.0.display();
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
    fs::remove_dir_all(&place.0).unwrap();
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

#[test]
fn a_spool_directory_that_cannot_be_created_is_an_error() {
    let place = Place::new("file");
    fs::write(&place.0, "in the way").unwrap();
    let directory = place.0.join("spool");
    let text = directory.to_str().unwrap().to_owned();
    let vars = |name: &str| (name == "BARTIZAN_TELEMETRY_SPOOL_DIR").then(|| text.clone());
    let by_variable = TelemetryBuilder::from_vars(&vars).unwrap();
    let addr = Nobody::new().addr();
    let in_code = exporting(config(addr, OtlpProtocol::Grpc));
    for (builder, name) in [
        (by_variable, "BARTIZAN_TELEMETRY_SPOOL_DIR"),
        (
            in_code.with_spool(SpoolConfig::new(&directory)),
            "spool directory",
        ),
    ] {
        let error = builder.build().unwrap_err().to_string();
        let begin = format!("{name}: `{text}` is not a directory that can be created: ");
        assert!(
            error.len() > begin.len() && error.starts_with(&begin),
            "{error}"
        );
    }
    fs::remove_file(&place.0).unwrap();
}

#[test]
fn the_variables_of_the_spool_are_read() {
    let built = |bytes: &'static str, directory: &'static str| {
        TelemetryBuilder::from_vars(&move |name| match name {
            "BARTIZAN_TELEMETRY_SPOOL_DIR" => Some(directory.to_owned()),
            "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES" => Some(bytes.to_owned()),
            _ => None,
        })
    };
    let spool = built("1048577", "/spool").unwrap().spool.unwrap();
    assert_eq!(spool.overview(), "/spool, up to 2 MiB");
    let spool = built("", "/spool").unwrap().spool.unwrap();
    assert_eq!(spool.overview(), "/spool, up to 64 MiB");
    assert_eq!(built("", "").unwrap().spool, None);
    for bytes in ["0", "-1", "64MiB"] {
        assert_eq!(
            built(bytes, "/spool").unwrap_err().to_string(),
            format!(
                "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES: `{bytes}` is not a positive number of bytes"
            )
        );
    }
    let builder = built("5", "").unwrap();
    assert_eq!(
        builder.ignored[0].to_string(),
        "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES: `5` is not of use without \
         BARTIZAN_TELEMETRY_SPOOL_DIR"
    );
}

#[test]
fn metrics_are_not_spooled() {
    let place = Place::new("metrics");
    let nobody = Nobody::new();
    let telemetry = spooling(nobody.addr(), &place);
    let requests = telemetry.meter().u64_counter("requests").build();
    requests.add(1, &[]);
    let metrics = telemetry.shutdown(PLENTY).metrics.collections;
    assert_eq!((metrics.spooled, metrics.dropped.unreachable), (0, 1));
    assert!(place.files().is_empty());
}

#[test]
fn the_books_add_up_over_two_runs_whatever_the_collector_does() {
    let busy = Behaviour::Busy { retry_after: None };
    let faults = [busy, Behaviour::Break, Behaviour::Accept, Behaviour::Reset];
    let steps = faults.iter().cycle().take(40).cloned();
    let place = Place::new("flapping");
    let flapping = Collector::start(Behaviour::Script(steps.collect()));
    let telemetry = spooling_to(flapping.addr(), OtlpProtocol::HttpProtobuf, &place)
        .with_span_batch(quick().with_max_batch(64).with_max_queue(10_000))
        .build()
        .unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| end_spans(&telemetry, 1_000));
        }
    });
    let spans = telemetry.shutdown(PLENTY).spans;
    assert_settled(&spans);
    assert_eq!((spans.ended, spans.lost()), (4_000, 0), "{spans}");
    let mut ids = flapping.received().span_ids();
    let came = ids.len() as u64;
    assert!(
        (spans.exported..=spans.exported + spans.unconfirmed).contains(&came),
        "{came} came: {spans}"
    );

    let collector = Collector::start(Behaviour::Accept);
    let telemetry = spooling(collector.addr(), &place);
    wait_replayed(&telemetry);
    let spool = telemetry.shutdown(PLENTY).spool;
    assert_eq!(spool.exported, spans.spooled + spans.unconfirmed, "{spool}");
    ids.extend(collector.received().span_ids());
    assert_eq!(ids.len(), 4_000, "every one came");
}
