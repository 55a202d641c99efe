use opentelemetry_proto::tonic::metrics::v1::NumberDataPoint;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;

use super::*;

#[test]
fn the_books_are_metrics_while_the_process_runs() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_own_metrics()
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    assert!(telemetry.force_flush(PLENTY));
    assert!(
        telemetry.force_flush(PLENTY),
        "which collects what the first came to"
    );
    let received = collector.received();
    let items = received
        .metrics
        .iter()
        .rfind(|it| it.name == "bartizan.telemetry.items");
    let Some(Data::Sum(sum)) = items.and_then(|it| it.data.as_ref()) else {
        panic!("a sum: {items:?}")
    };
    let count = |result: &str| {
        let is = |point: &&NumberDataPoint| {
            let labels = format!("{:?}", point.attributes);
            labels.contains("\"traces\"") && labels.contains(&format!("\"{result}\""))
        };
        sum.data_points
            .iter()
            .find(is)
            .and_then(|point| point.value)
    };
    assert_eq!(count("exported"), Some(Number::AsInt(3)));
    for reason in ["queue_full", "rejected", "unreachable", "after_shutdown"] {
        assert_eq!(count(reason), Some(Number::AsInt(0)), "{reason}");
    }
    assert!(sum.is_monotonic);
    assert!(
        received
            .metrics
            .iter()
            .any(|it| it.name == "bartizan.telemetry.pending")
    );
}

#[test]
fn requests_go_to_the_signals_paths_with_the_given_headers() {
    for (protocol, traces, logs) in [
        (OtlpProtocol::HttpProtobuf, "/v1/traces", "/v1/logs"),
        (
            OtlpProtocol::Grpc,
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        ),
    ] {
        let collector = Collector::start(Behaviour::Accept);
        let config = config(collector.addr(), protocol)
            .with_gzip()
            .with_header("api-key".parse().unwrap(), "k".parse().unwrap());
        let telemetry = Telemetry::builder().with_otlp(config).build().unwrap();
        end_spans(&telemetry, 3);
        emit_logs(&telemetry, 2);
        let report = telemetry.shutdown(PLENTY);
        assert_eq!(
            (report.spans.exported, report.logs.exported),
            (3, 2),
            "{protocol:?}"
        );
        let received = collector.received();
        assert_eq!((received.spans.len(), received.logs.len()), (3, 2));
        let mut paths: Vec<_> = received
            .requests
            .iter()
            .map(|(path, _)| path.as_str())
            .collect();
        paths.sort_unstable_by_key(|path| path.contains("race"));
        assert_eq!(paths, [logs, traces]);
        for (_, headers) in &received.requests {
            assert_eq!(headers["api-key"], "k");
            assert!(
                headers["user-agent"]
                    .to_str()
                    .unwrap()
                    .contains("bartizan/")
            );
            assert!(!headers.contains_key("traceparent"));
        }
    }
}

#[test]
fn what_a_collector_rejects_is_not_called_exported() {
    for protocol in BOTH {
        let collector = Collector::start(Behaviour::Reject(2));
        let telemetry = exporting_to(&collector, protocol).build().unwrap();
        telemetry
            .meter()
            .u64_counter("requests")
            .build()
            .add(1, &[]);
        end_spans(&telemetry, 5);
        emit_logs(&telemetry, 3);
        let report = telemetry.shutdown(PLENTY);
        assert_eq!(
            (report.spans.exported, report.spans.dropped.rejected),
            (3, 2),
            "{report}"
        );
        assert_eq!(
            (report.logs.exported, report.logs.dropped.rejected),
            (1, 2),
            "{report}"
        );
        assert_eq!(report.metrics.collections.exported, 1);
        assert_eq!(report.metrics.rejected_points, 2);
        assert_settled(&report.spans);
        assert_settled(&report.logs);
    }
}

#[test]
fn a_flush_sends_what_is_there_and_the_pipeline_goes_on() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .build()
        .unwrap();
    for round in 1..=3 {
        end_spans(&telemetry, 2);
        emit_logs(&telemetry, 1);
        assert!(telemetry.force_flush(PLENTY));
        assert_eq!(collector.received().spans.len(), 2 * round);
        assert_eq!(telemetry.report().logs.exported, round as u64);
    }
    end_spans(&telemetry, 1);
    telemetry.tracer_provider().force_flush().unwrap();
    assert_eq!(collector.received().spans.len(), 7);
}

#[test]
fn metrics_are_exported_on_every_flush_and_at_the_end() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .build()
        .unwrap();
    assert!(telemetry.force_flush(PLENTY), "with nothing to collect");
    let requests = telemetry.meter().u64_counter("requests").build();
    requests.add(1, &[]);
    assert!(telemetry.force_flush(PLENTY));
    requests.add(1, &[]);
    telemetry.meter_provider().force_flush().unwrap();
    assert_eq!(collector.received().metrics.len(), 2);
    requests.add(1, &[]);
    let metrics = telemetry.shutdown(PLENTY).metrics;
    assert_eq!(
        (metrics.collections.ended, metrics.collections.exported),
        (3, 3)
    );
    assert_eq!(collector.received().metrics.len(), 3);
}

#[test]
fn metrics_are_exported_by_the_interval() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_metric_interval(Duration::from_millis(5))
        .build()
        .unwrap();
    telemetry
        .meter()
        .u64_counter("requests")
        .build()
        .add(1, &[]);
    collector.wait_for_request();
    assert_eq!(collector.received().metrics[0].name, "requests");
}

#[test]
fn a_full_batch_goes_out_without_being_asked_for() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .with_span_batch(
            BatchConfig::spans()
                .with_max_batch(4)
                .with_delay(PLENTY * 60),
        )
        .build()
        .unwrap();
    end_spans(&telemetry, 4);
    let spans = telemetry.0.queues.spans.as_ref().unwrap();
    let end = telemetry.end(PLENTY);
    assert!(spans.wait_flushed(4, end), "nobody asked for it");
    assert_eq!(collector.received().spans.len(), 4);
}

#[test]
fn the_timer_sends_what_does_not_fill_a_batch() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::Grpc)
        .with_span_batch(BatchConfig::spans().with_delay(Duration::from_millis(5)))
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    assert!(
        telemetry
            .0
            .queues
            .spans
            .as_ref()
            .unwrap()
            .wait_flushed(3, telemetry.end(PLENTY))
    );
    assert_eq!(collector.received().spans.len(), 3);
}

#[test]
fn unsampled_spans_are_in_no_figure() {
    let collector = Collector::start(Behaviour::Accept);
    let telemetry = exporting_to(&collector, OtlpProtocol::HttpProtobuf)
        .with_sampler(Sampler::ALWAYS_OFF)
        .build()
        .unwrap();
    end_spans(&telemetry, 3);
    assert_eq!(telemetry.shutdown(PLENTY).spans, SignalReport::default());
}
