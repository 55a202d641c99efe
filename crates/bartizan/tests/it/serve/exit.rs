//! What a supervisor is told.

use axum::Router;
use bartizan::{EXIT_CUT_OFF, EXIT_TELEMETRY_LOST, ExitPolicy, Phase, ServeReport};

use super::Replica;

/// A report of a real server, to be changed.
async fn clean_report() -> ServeReport {
    let replica = Replica::start(Router::new()).await;
    replica.stop(Phase::Draining).await.ended().await.0
}

#[tokio::test]
async fn the_table_of_exit_codes_holds() {
    use ExitPolicy::{Lenient, Requests, Strict};

    let clean = clean_report().await;
    for (policy, expected) in [
        (Lenient, [0, 0, 0, 0]),
        (Requests, [0, 0, 10, 10]),
        (Strict, [0, 11, 10, 10]),
    ] {
        let codes = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(cut_off, lost)| {
            let mut report = clean.clone();
            report.cut_off.total = cut_off;
            report.telemetry.spans.dropped.unreachable = lost;
            // A WebSocket has no other end.
            report.connections_cut = 3;
            report.exit_code(policy)
        });
        assert_eq!(codes, expected, "{policy:?}: clean, lost, cut off, both");
    }
    assert_eq!(ExitPolicy::default(), Requests);
    assert_eq!((EXIT_CUT_OFF, EXIT_TELEMETRY_LOST), (10, 11));
}

#[tokio::test]
async fn what_was_never_acknowledged_is_lost_to_the_strict() {
    let mut report = clean_report().await;
    report.telemetry.logs.unconfirmed = 1;
    assert_eq!(report.exit_code(ExitPolicy::Strict), EXIT_TELEMETRY_LOST);
    assert_eq!(report.exit_code(ExitPolicy::Requests), 0);
}

#[tokio::test]
async fn the_report_is_one_line_and_has_the_phases_in_order() {
    let report = clean_report().await;
    let phases: Vec<_> = report.phases.iter().map(|entry| entry.phase).collect();
    assert_eq!(
        phases,
        [
            Phase::Starting,
            Phase::Ready,
            Phase::Draining,
            Phase::Flushing,
            Phase::Stopped,
        ]
    );
    assert!(report.phases.is_sorted_by_key(|entry| entry.at));
    let line = report.to_string();
    assert!(!line.contains('\n'), "{line}");
    assert!(line.starts_with("0 requests served, 0 cut off"), "{line}");
    assert!(line.contains("; spans: 0 ended"), "{line}");
}
