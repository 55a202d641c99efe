use std::time::Duration;

use super::super::config::{Destination, OtlpProtocol};
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
        ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "Delta"),
    ])
    .unwrap();
    let expected = BatchConfig::spans()
        .with_delay(Duration::from_millis(10))
        .with_max_queue(100)
        .with_max_batch(50)
        .with_export_timeout(Duration::from_millis(20));
    assert_eq!(builder.span_batch, Some(expected));
    assert_eq!(
        builder.log_batch,
        Some(BatchConfig::logs().with_max_queue(7))
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
        let resource = super::super::resource::build(builder.service_name, builder.attributes);
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
    let resource = super::super::resource::build(None, Vec::new());
    let name = resource.get(&"service.name".into()).unwrap();
    assert!(name.as_str().starts_with("unknown_service:"), "{name}");
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_what_is_allowed() {
    for (name, value, expected) in [
        ("OTEL_SDK_DISABLED", "yes", "one of true, false"),
        ("OTEL_TRACES_EXPORTER", "zipkin", "one of otlp, none"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "one of http/protobuf, grpc",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION",
            "zstd",
            "one of gzip, none",
        ),
        (
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "10s",
            "a positive number of milliseconds",
        ),
        (
            "OTEL_BSP_SCHEDULE_DELAY",
            "0",
            "a positive number of milliseconds",
        ),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "-1", "a positive number"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "a",
            "a list key=value,key=value, percent-encoded",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "h:1",
            "an address like http://localhost:4318",
        ),
    ] {
        let error = read(&[(name, value)]).unwrap_err().to_string();
        assert_eq!(error, format!("{name}: `{value}` is not {expected}"));
    }
    let set = [
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
    ];
    let error = read(&set).unwrap_err().to_string();
    assert_eq!(
        error,
        "OTEL_TRACES_SAMPLER_ARG: `2` is not a number from 0 to 1"
    );
    let error = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://h")])
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT: `https://h` asks for TLS"),
        "{error}"
    );
}

#[test]
fn credentials_are_not_repeated_in_errors() {
    for value in ["secret", "k=se\ncret", "b\u{e4}d=secret", "k=%00secret"] {
        let error = read(&[("OTEL_EXPORTER_OTLP_HEADERS", value)])
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("OTEL_EXPORTER_OTLP_HEADERS: `(not shown)` is not"),
            "{error}"
        );
    }
}
