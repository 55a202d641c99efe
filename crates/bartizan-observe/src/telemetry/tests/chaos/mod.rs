//! Collectors that fail: the books add up exactly, and what the collector holds is what they say.

mod plan;

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::collector::Received;
use super::*;

/// How long a request waits for an answer that does not come: shorter than its batch's time.
const PATIENCE: Duration = Duration::from_millis(40);

const SPANS: usize = 3;

/// One fault, and what becomes of [`SPANS`] spans under it.
struct Case {
    behaviour: Behaviour,
    batch: BatchConfig,
    unconfirmed: u64,
    rejected: u64,
}

impl Case {
    /// They come to their end within the time that a batch has by default.
    fn ends(behaviour: Behaviour, unconfirmed: u64, rejected: u64) -> Self {
        Self {
            behaviour,
            batch: quick(),
            unconfirmed,
            rejected,
        }
    }

    fn delivers(behaviour: Behaviour) -> Self {
        Self::ends(behaviour, 0, 0)
    }

    fn recovers_from(fault: &Behaviour) -> Self {
        Self::delivers(Behaviour::first(1, fault, Behaviour::Accept))
    }

    /// They were sent, and no attempt is ever answered.
    fn stays_open(behaviour: Behaviour) -> Self {
        let batch = quick().with_export_timeout(SHORT);
        Self {
            batch,
            ..Self::ends(behaviour, SPANS as u64, 0)
        }
    }

    /// There is no time for a second attempt, so that none is cut short.
    fn refuses(behaviour: Behaviour) -> Self {
        let batch = quick().with_retry_delays(PLENTY, PLENTY);
        Self {
            batch,
            ..Self::ends(behaviour, 0, SPANS as u64)
        }
    }
}

fn flapping() -> Behaviour {
    use Behaviour::{Accept, Babble, Busy, Reset, ResetUnread};
    let busy = Busy { retry_after: None };
    Behaviour::Script([Reset, busy.clone(), ResetUnread, Babble, busy, Accept].into())
}

fn cases() -> Vec<Case> {
    use Behaviour::{
        Accept, Babble, Busy, Hang, Late, Refuse, Reject, Reset, ResetUnread, Truncate,
    };
    let busy = |retry_after| Busy { retry_after };
    let in_doubt = |then| Behaviour::first(1, &Reset, then);
    vec![
        Case::delivers(Accept),
        Case::delivers(Late(PATIENCE / 4)),
        Case::delivers(Behaviour::first(2, &busy(Some(0)), Accept)),
        Case::delivers(flapping()),
        Case::recovers_from(&Hang),
        Case::recovers_from(&Reset),
        Case::recovers_from(&ResetUnread),
        Case::recovers_from(&Babble),
        Case::recovers_from(&Truncate),
        Case::refuses(busy(None)),
        Case::refuses(busy(Some(600))),
        Case::refuses(Refuse { http: 429, grpc: 8 }),
        Case::refuses(Refuse {
            http: 500,
            grpc: 13,
        }),
        Case::ends(Reject(1), 0, 1),
        Case::ends(Reject(7), 0, 3),
        Case::stays_open(Hang),
        Case::stays_open(Reset),
        Case::stays_open(ResetUnread),
        Case::stays_open(Babble),
        Case::stays_open(Truncate),
        // The first attempt may have brought what the later ones do not.
        Case::stays_open(in_doubt(busy(None))),
        Case::ends(in_doubt(Refuse { http: 400, grpc: 3 }), 3, 0),
        Case::ends(in_doubt(Reject(1)), 1, 0),
    ]
}

#[test]
fn under_each_fault_every_span_is_where_the_books_say() {
    for case in cases() {
        for protocol in BOTH {
            check(&case, protocol);
        }
    }
}

#[test]
fn success_without_a_message_is_no_refusal() {
    check(
        &Case::delivers(Behaviour::Blank),
        OtlpProtocol::HttpProtobuf,
    );
    check(&Case::ends(Behaviour::Blank, 3, 0), OtlpProtocol::Grpc);
}

fn check(case: &Case, protocol: OtlpProtocol) {
    let collector = Collector::start(case.behaviour.clone());
    // Where there is an answer, a slow machine must not be what decides.
    let patience = if case.behaviour.is_silent() {
        PATIENCE
    } else {
        PLENTY
    };
    let config = config(collector.addr(), protocol).with_timeout(patience);
    let telemetry = exporting(config)
        .with_span_batch(case.batch)
        .build()
        .unwrap();
    end_spans(&telemetry, SPANS);
    // Not by the shutdown, which gives up earlier.
    assert!(telemetry.force_flush(PLENTY));
    let report = telemetry.shutdown(Duration::ZERO);
    let spans = report.spans;
    let what = format!("{:?} over {protocol:?}: {spans}", case.behaviour);
    let exported = SPANS as u64 - case.unconfirmed - case.rejected;
    assert_eq!(spans.ended, SPANS as u64, "{what}");
    assert_eq!(spans.exported, exported, "{what}");
    assert_eq!(spans.unconfirmed, case.unconfirmed, "{what}");
    assert_eq!(spans.dropped.rejected, case.rejected, "{what}");
    assert_books(&report, &collector.stop(), &what);
}

/// The sums are exact, and what the collector holds lies where they say.
fn assert_books(report: &Report, received: &Received, what: &str) {
    let collections = report.metrics.collections;
    for signal in [report.spans, report.logs, collections] {
        let sum = signal.exported + signal.unconfirmed + signal.dropped.total();
        assert_eq!((signal.ended, signal.pending()), (sum, 0), "{what}");
    }
    let distinct = [
        (report.spans, received.span_ids().len()),
        (report.logs, received.log_texts().len()),
    ];
    for (signal, distinct) in distinct {
        let at_most = signal.exported + signal.unconfirmed;
        assert!(
            (signal.exported..=at_most).contains(&(distinct as u64)),
            "{distinct} of {signal} are there; {what}"
        );
    }
}

proptest! {
    #![proptest_config(Config {
        cases: 48,
        // Time decides, too, so that a smaller case need not fail where the larger did.
        max_shrink_iters: 16,
        failure_persistence: None,
        ..Config::default()
    })]

    #[test]
    fn under_any_faults_and_loads_nothing_is_lost_silently(plan in plan::any()) {
        let (report, received) = plan.run();
        let what = format!("{plan:?}: {report}");
        prop_assert_eq!(report.spans.ended, plan.items(), "{}", what);
        prop_assert_eq!(report.logs.ended, plan.items(), "{}", what);
        prop_assert_eq!(report.unfinished, 0, "{}", what);
        assert_books(&report, &received, &what);
    }
}
