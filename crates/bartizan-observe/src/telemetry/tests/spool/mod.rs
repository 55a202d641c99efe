//! What could not be delivered, on a real disk and with a collector.

mod disk;
mod replay;
mod settings;

use super::*;

fn spooling_to(addr: SocketAddr, protocol: OtlpProtocol, place: &Place) -> TelemetryBuilder {
    exporting(config(addr, protocol))
        .with_span_batch(quick())
        .with_log_batch(quick())
        .with_spool(SpoolConfig::new(place.path()))
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
