//! Values that cannot be used.

use super::*;

#[test]
fn a_value_that_cannot_be_used_is_named_with_what_is_allowed() {
    const MILLIS: &str = "a positive number of milliseconds";
    const LIMIT: &str = "a number from 0 up";
    const ADDRESS: &str = "an address like http://localhost:4318";
    for (name, value, expected) in [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s", MILLIS),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "-1", MILLIS),
        ("OTEL_BSP_SCHEDULE_DELAY", "0", MILLIS),
        ("OTEL_BSP_EXPORT_TIMEOUT", "x", MILLIS),
        ("OTEL_BLRP_SCHEDULE_DELAY", "1.5", MILLIS),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1m", MILLIS),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "0", MILLIS),
        ("OTEL_BLRP_MAX_QUEUE_SIZE", "-1", "a positive number"),
        (
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            "many",
            "a positive number",
        ),
        (
            "BARTIZAN_TELEMETRY_QUEUE_MAX_BYTES",
            "8MiB",
            "a positive number of bytes",
        ),
        ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "-1", LIMIT),
        ("OTEL_SPAN_EVENT_COUNT_LIMIT", "x", LIMIT),
        ("OTEL_SPAN_LINK_COUNT_LIMIT", "x", LIMIT),
        ("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "x", LIMIT),
        ("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "x", LIMIT),
        ("OTEL_ATTRIBUTE_COUNT_LIMIT", "x", LIMIT),
        ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "1k", LIMIT),
        ("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "x", LIMIT),
        ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "x", LIMIT),
        ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "x", LIMIT),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "a",
            "a list key=value,key=value, percent-encoded",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "h:1", ADDRESS),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "ftp://h", ADDRESS),
        (
            "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
            "GET,a b",
            "a list of HTTP methods",
        ),
    ] {
        let error = read(&[(name, value)]).unwrap_err().to_string();
        assert_eq!(error, format!("{name}: `{value}` is not {expected}"));
    }
}

#[test]
fn a_word_that_is_not_known_is_ignored_and_told_as_the_specification_demands() {
    for (name, value, ignored, expected) in [
        ("OTEL_SDK_DISABLED", "yes", "yes", "one of true, false"),
        (
            "OTEL_TRACES_EXPORTER",
            "zipkin",
            "zipkin",
            "one of otlp, none",
        ),
        (
            "OTEL_LOGS_EXPORTER",
            "prometheus",
            "prometheus",
            "one of otlp, none",
        ),
        (
            "OTEL_METRICS_EXPORTER",
            "console",
            "console",
            "one of otlp, none, prometheus",
        ),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "http/json",
            "one of http/protobuf, grpc",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_COMPRESSION",
            "zstd",
            "zstd",
            "one of gzip, none",
        ),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "x",
            "x",
            "one of cumulative, delta, lowmemory",
        ),
        (
            "OTEL_PROPAGATORS",
            "tracecontext, jaeger,baggage",
            "jaeger",
            "one of tracecontext, baggage, b3, b3multi, none",
        ),
        (
            "OTEL_TRACES_SAMPLER",
            "jaeger_remote",
            "jaeger_remote",
            "one of always_on, always_off, traceidratio, parentbased_always_on, \
             parentbased_always_off, parentbased_traceidratio",
        ),
    ] {
        let builder = read(&[(name, value)]).unwrap();
        let told: Vec<_> = builder.ignored.iter().map(ToString::to_string).collect();
        let signals = if name.contains("OTLP_PROTOCOL") { 3 } else { 1 };
        let expected = format!("{name}: `{ignored}` is not {expected}");
        assert_eq!(told, vec![expected; signals]);
        assert_eq!(builder.sampler, Sampler::default());
        assert_eq!(builder.formats, Formats::default());
        assert!(matches!(builder.traces, Output::Otlp(_)));
        assert!(matches!(builder.metrics, Output::Otlp(_)));
    }
    for argument in ["2", "x", "NaN"] {
        let set = [
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ];
        let builder = read(&set).unwrap();
        assert_eq!(builder.sampler, Sampler::ALWAYS_ON);
        assert_eq!(
            builder.ignored[0].to_string(),
            format!("OTEL_TRACES_SAMPLER_ARG: `{argument}` is not a number from 0 to 1")
        );
    }
}

#[test]
fn certificates_that_cannot_be_read_are_named_with_their_files() {
    let absent = "/nowhere/ca.pem";
    for variable in [
        "OTEL_EXPORTER_OTLP_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
        "OTEL_EXPORTER_OTLP_CLIENT_KEY",
    ] {
        let error = read(&[(variable, absent)]).unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{variable}: `{absent}` is not a file")),
            "{error}"
        );
    }
    // This file is there, and is none.
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let error = read(&[("OTEL_EXPORTER_OTLP_CERTIFICATE", manifest)]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("is not a file of certificates in PEM form"),
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
