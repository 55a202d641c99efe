use super::*;

#[test]
fn what_is_over_the_limit_is_in_neither_and_the_next_event_tells_how_much_that_was() {
    let service = Service::new(limit(1, 2));
    service.run(|| {
        (0..5).for_each(|_| again());
        tracing::info!(target: "shop", "elsewhere");
        service.time.pass(Duration::from_secs(1));
        (0..2).for_each(|_| again());
        service.time.pass(Duration::from_secs(1));
        again();
    });
    let expected = [
        ("again", 0),
        ("again", 0),
        ("elsewhere", 0),
        ("again", 3),
        ("again", 1),
    ];
    assert_eq!(service.lines(), told(&expected));
    assert_eq!(service.records(), told(&expected));
    assert_eq!(service.telemetry.log_limits().stats().suppressed, 4);
}

#[test]
fn spans_are_never_limited() {
    let service = Service::new(limit(1, 1));
    service.run(|| {
        for _ in 0..20 {
            let _span = tracing::info_span!("work").entered();
            again();
        }
    });
    let report = service.telemetry.shutdown(PLENTY);
    assert_eq!(report.spans.exported, 20);
}

#[test]
fn a_call_site_that_falls_quiet_tells_what_it_left_out() {
    let service = Service::new(limit(1, 1));
    service.run(|| (0..4).for_each(|_| again()));
    service.control.due();
    assert_eq!(service.lines(), told(&[("again", 0)]), "it may go on");
    service.wait(1);
    service.wait(1);
    assert_eq!(service.lines(), told(&[("again", 0), (LEFT_OUT, 3)]));
    assert_eq!(service.records(), told(&[("again", 0), (LEFT_OUT, 3)]));
    let logs = service.collector.received().logs;
    assert_eq!(logs[1].severity_text, "INFO");
    let stats = service.telemetry.log_limits().stats();
    assert_eq!((stats.suppressed, stats.untold), (3, 0));
}

#[test]
fn a_shutdown_tells_what_is_untold_and_not_as_part_of_what_runs_there() {
    let service = Service::new(limit(1, 1));
    service.run(|| {
        let server = Context::new().with_span(service.telemetry.tracer().start("server"));
        let _current = server.attach();
        let _inner = tracing::info_span!("inner").entered();
        (0..4).for_each(|_| again());
        // Without a message the number is still told.
        (0..2).for_each(|_| tracing::info!(target: "shop", n = 1));
        service.telemetry.shutdown(PLENTY);
    });
    let logs = service.collector.received().logs;
    let summaries = logs.iter().filter(|log| log.trace_id.is_empty());
    assert_eq!((logs.len(), summaries.count()), (4, 2));
    let stats = service.telemetry.log_limits().stats();
    assert_eq!((stats.suppressed, stats.untold), (4, 0));
    let text = String::from_utf8(service.lines.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("\"suppressed\":3").count(), 1);
    assert_eq!(text.matches("\"suppressed\":1").count(), 1);
}

#[test]
fn what_levels_hide_stays_untold_until_they_show_it() {
    let service = Service::new(limit(1, 1));
    let levels = service.telemetry.log_levels();
    service.run(|| (0..4).for_each(|_| again()));
    levels.set("off", None).unwrap();
    service.wait(1);
    let stats = service.telemetry.log_limits().stats();
    assert_eq!((stats.suppressed, stats.untold), (3, 3));
    levels.reset();
    assert!(service.records().contains(&(LEFT_OUT.to_owned(), 3)));
    assert_eq!(service.telemetry.log_limits().stats().untold, 0);
}

#[test]
fn a_field_that_logs_while_it_is_printed_neither_takes_nor_loses_the_number() {
    struct Talks;
    impl std::fmt::Debug for Talks {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            tracing::info!(target: "shop", "inner");
            f.write_str("talks")
        }
    }
    let service = Service::new(limit(1, 1));
    service.run(|| {
        for _ in 0..3 {
            tracing::info!(target: "shop", field = ?Talks, "outer");
        }
        service.time.pass(Duration::from_secs(1));
        tracing::info!(target: "shop", "another");
    });
    service.wait(2);
    let number = |all: Vec<(String, u64)>| -> u64 {
        let outer = all.iter().filter(|(message, _)| message != "inner");
        outer.map(|(_, number)| number).sum()
    };
    let untold = service.telemetry.log_limits().stats();
    assert_eq!(untold.untold, 0);
    assert_eq!(number(service.lines()), untold.suppressed);
    assert_eq!(number(service.records()), untold.suppressed);
}
