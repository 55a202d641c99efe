mod invalid;

use std::time::Duration;

use super::super::config::{Destination, OtlpProtocol};
use super::super::limits::Limits;
use super::*;

fn read(set: &[(&str, &str)]) -> Result<TelemetryBuilder, TelemetryError> {
    TelemetryBuilder::from_vars(&|name| {
        set.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    })
}

fn destination<T>(output: Output<T>) -> Destination {
    match output {
        Output::Otlp(destination) => destination,
        _ => panic!("no OTLP"),
    }
}

#[test]
fn an_empty_environment_exports_everything_to_localhost() {
    for set in [
        &[][..],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", " "),
            ("OTEL_TRACES_EXPORTER", ""),
        ],
    ] {
        let builder = read(set).unwrap();
        assert_eq!(builder.sampler, Sampler::default());
        assert_eq!(builder.span_batch, Some(BatchConfig::spans()));
        assert_eq!(builder.log_batch, Some(BatchConfig::logs()));
        assert_eq!(
            destination(builder.traces).uri,
            "http://localhost:4318/v1/traces"
        );
        assert_eq!(
            destination(builder.metrics).uri,
            "http://localhost:4318/v1/metrics"
        );
        let logs = destination(builder.logs);
        assert_eq!(logs.uri, "http://localhost:4318/v1/logs");
        assert_eq!(
            (logs.protocol, logs.gzip),
            (OtlpProtocol::HttpProtobuf, false)
        );
        assert_eq!(logs.timeout, Duration::from_secs(10));
    }
}

#[test]
fn a_signals_own_variable_goes_before_the_general_one() {
    let builder = read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://all/base/"),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://traces/as-it-is",
        ),
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b, x-two=2"),
        ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", "api-key=logs"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_LOGS_COMPRESSION", "none"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc"),
    ])
    .unwrap();
    let (traces, logs, metrics) = (
        destination(builder.traces),
        destination(builder.logs),
        destination(builder.metrics),
    );
    assert_eq!(traces.uri, "http://traces/as-it-is");
    assert_eq!(logs.uri, "http://all/base/v1/logs");
    assert_eq!(metrics.uri, "http://all/base/");
    assert_eq!((traces.gzip, logs.gzip), (true, false));
    assert_eq!(traces.headers["api-key"], "a b");
    assert_eq!(traces.headers["x-two"], "2");
    assert_eq!(
        (logs.headers.len(), &logs.headers["api-key"]),
        (1, &"logs".parse().unwrap())
    );
    assert_eq!(traces.timeout, Duration::from_millis(1_500));
    assert_eq!(
        (traces.protocol, metrics.protocol),
        (OtlpProtocol::HttpProtobuf, OtlpProtocol::Grpc)
    );
}

#[test]
fn grpc_has_its_own_default_port() {
    let builder = read(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap();
    assert_eq!(destination(builder.traces).uri, "http://localhost:4317/");
}

#[test]
fn the_samplers_of_the_specification_are_known_by_name() {
    let ratio = Sampler::trace_id_ratio(0.25).unwrap();
    for (name, arg, expected) in [
        ("always_on", "", Sampler::ALWAYS_ON),
        ("always_off", "", Sampler::ALWAYS_OFF),
        ("traceidratio", "0.25", ratio),
        ("traceidratio", "", Sampler::ALWAYS_ON),
        (
            "parentbased_always_on",
            "ignored",
            Sampler::ALWAYS_ON.parent_based(),
        ),
        (
            "parentbased_always_off",
            "",
            Sampler::ALWAYS_OFF.parent_based(),
        ),
        ("parentbased_traceidratio", "0.25", ratio.parent_based()),
    ] {
        let set = [
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", arg),
        ];
        assert_eq!(read(&set).unwrap().sampler, expected, "{name}");
    }
}

#[test]
fn batches_intervals_and_exporters_are_read() {
    let builder = read(&[
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "50"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "20"),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "7"),
        ("BARTIZAN_TELEMETRY_QUEUE_MAX_BYTES", "123456"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"),
    ])
    .unwrap();
    let expected = BatchConfig::spans()
        .with_delay(Duration::from_millis(10))
        .with_max_queue(100)
        .with_max_queue_bytes(123_456)
        .with_max_batch(50)
        .with_export_timeout(Duration::from_millis(20));
    assert_eq!(builder.span_batch, Some(expected));
    assert_eq!(
        builder.log_batch,
        Some(
            BatchConfig::logs()
                .with_max_queue(7)
                .with_max_queue_bytes(123_456)
        )
    );
    assert_eq!(builder.metric_interval, Some(Duration::from_millis(500)));
    assert_eq!(builder.temporality, Temporality::Delta);
    assert!(matches!(builder.metrics, Output::Nowhere));
}

#[test]
fn a_disabled_sdk_exports_nothing_and_records_only_for_callers() {
    let builder = read(&[("OTEL_SDK_DISABLED", "TRUE")]).unwrap();
    assert_eq!(builder.sampler, Sampler::ALWAYS_OFF.parent_based());
    assert!(matches!(builder.traces, Output::Nowhere));
    assert!(matches!(builder.logs, Output::Nowhere));
    assert!(matches!(builder.metrics, Output::Nowhere));
}

#[test]
fn the_services_name_has_three_sources() {
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=from%20list,k=v");
    for (set, expected) in [
        (&[("OTEL_SERVICE_NAME", "own"), attributes][..], "own"),
        (&[attributes], "from list"),
    ] {
        let builder = read(set).unwrap();
        let resource = super::super::resource::build(
            builder.service_name.as_deref(),
            builder.attributes,
            Vec::new(),
        );
        assert_eq!(
            resource.get(&"service.name".into()).unwrap().as_str(),
            expected
        );
        assert_eq!(resource.get(&"k".into()).unwrap().as_str(), "v");
        assert_eq!(
            resource
                .get(&"telemetry.sdk.language".into())
                .unwrap()
                .as_str(),
            "rust"
        );
    }
    let resource = super::super::resource::build(None, Vec::new(), Vec::new());
    let name = resource.get(&"service.name".into()).unwrap();
    assert!(name.as_str().starts_with("unknown_service:"), "{name}");
}

#[test]
fn propagators_are_read_as_a_list() {
    let none = Formats::NONE;
    for (value, expected) in [
        ("", Formats::default()),
        ("tracecontext,baggage,tracecontext", Formats::default()),
        ("B3", none.with_b3(B3::Single)),
        ("b3multi , baggage", none.with_baggage().with_b3(B3::Multi)),
        ("none", none),
    ] {
        let builder = read(&[("OTEL_PROPAGATORS", value)]).unwrap();
        assert_eq!(builder.formats, expected, "{value}");
        assert!(builder.ignored.is_empty());
    }
}

#[test]
fn metrics_can_go_to_a_page_and_to_a_collector() {
    for (value, page, exported) in [
        ("", false, true),
        ("otlp", false, true),
        ("prometheus", true, false),
        ("prometheus,otlp", true, true),
        ("none", false, false),
    ] {
        let builder = read(&[("OTEL_METRICS_EXPORTER", value)]).unwrap();
        assert_eq!(builder.exposition.is_some(), page, "{value}");
        assert_eq!(
            matches!(builder.metrics, Output::Otlp(_)),
            exported,
            "{value}"
        );
    }
}

#[test]
fn a_signals_own_limit_goes_before_the_general_one() {
    let builder = read(&[
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20"),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100"),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "200"),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "0"),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "3"),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "4"),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "5"),
    ])
    .unwrap();
    let mut expected = Limits::default()
        .with_span_attributes(20)
        .with_log_attributes(10)
        .with_value_length(100)
        .with_span_events(0)
        .with_span_links(3)
        .with_event_attributes(4)
        .with_link_attributes(5);
    expected.log_value_length = Some(200);
    assert_eq!(builder.limits, expected);
    assert_eq!(read(&[]).unwrap().limits, Limits::default());
}

#[test]
fn a_grpc_address_without_a_scheme_is_secure_unless_it_is_told_otherwise() {
    for (insecure, own, expected) in [
        ("", "", "https://h:4317/"),
        ("true", "", "http://h:4317/"),
        ("true", "false", "https://h:4317/"),
    ] {
        let builder = read(&[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:4317"),
            ("OTEL_EXPORTER_OTLP_INSECURE", insecure),
            ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", own),
        ])
        .unwrap();
        assert_eq!(destination(builder.traces).uri, expected);
    }
}
