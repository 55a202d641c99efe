//! Whether telemetry can be handed over: a connection, and then one item of each signal.

use std::time::Duration;

use bartizan::Telemetry;
use bartizan::telemetry::{OtlpEndpoint, OtlpProtocol, Report, SignalReport};
use opentelemetry::logs::{LogRecord, Logger, Severity};
use opentelemetry::trace::{Span, SpanContext, Tracer};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::report::Step;
use super::warnings::Warnings;

/// The span's name, and the log record's text.
pub(super) const SPAN: &str = "bartizan doctor";

/// Whether something listens where `signals` go.
pub(super) async fn reach(host: &str, port: u16, signals: &[&str], limit: Duration) -> Step {
    let name = format!("reach {}", signals.join(", "));
    let connected = timeout(limit, TcpStream::connect((host, port))).await;
    let why = match connected {
        Ok(Ok(_)) => return Step::ok(name, format!("connected to {host}:{port}")),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {limit:?}"),
    };
    Step::failed(
        name,
        format!("{host}:{port}: {why}"),
        "start the collector there, let the network pass it, or set OTEL_EXPORTER_OTLP_ENDPOINT to \
         where it listens",
    )
}

/// Makes a span and a log record, sends them and the metrics, and waits for what becomes of them.
pub(super) async fn send(telemetry: &Telemetry, limit: Duration) -> SpanContext {
    let mut span = telemetry.tracer().start(SPAN);
    let sent = span.span_context().clone();
    span.end();
    let logger = telemetry.logger();
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Info);
    record.set_body(SPAN.into());
    record.set_trace_context(sent.trace_id(), sent.span_id(), Some(sent.trace_flags()));
    logger.emit(record);
    flush(telemetry, limit).await;
    sent
}

/// What has no result by then is pending in the report.
pub(super) async fn flush(telemetry: &Telemetry, limit: Duration) {
    let telemetry = telemetry.clone();
    let flushed = tokio::task::spawn_blocking(move || telemetry.force_flush(limit));
    // It does not panic, and the report says it all.
    let _is_all = flushed.await;
}

/// What became of a signal.
pub(super) fn judge(endpoint: &OtlpEndpoint, report: &Report, warnings: &Warnings) -> Step {
    let signal = endpoint.signal;
    let name = format!("export {signal}");
    let figures = match signal {
        "traces" => report.spans,
        "logs" => report.logs,
        _ => report.metrics.collections,
    };
    if figures.exported > 0 && figures.exported == figures.ended {
        return Step::ok(name, format!("{} acknowledged", figures.exported));
    }
    let mut detail = format!("{figures}, {} pending", figures.pending());
    for warning in warnings.of(signal) {
        detail = format!("{detail}; {warning}");
    }
    Step::failed(name, detail, fix(endpoint, &figures))
}

fn fix(endpoint: &OtlpEndpoint, figures: &SignalReport) -> String {
    let OtlpEndpoint { signal, port, .. } = endpoint;
    match (endpoint.protocol, port) {
        (OtlpProtocol::HttpProtobuf, 4317) => {
            "port 4317 is usually that of OTLP over gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL to grpc, or \
             go to port 4318"
                .to_owned()
        }
        (OtlpProtocol::Grpc, 4318) => {
            "port 4318 is usually that of OTLP over HTTP: set OTEL_EXPORTER_OTLP_PROTOCOL to \
             http/protobuf, or go to port 4317"
                .to_owned()
        }
        _ if figures.dropped.rejected > 0 => format!(
            "see the collector's log; it needs an OTLP receiver in a pipeline for {signal}, and \
             OTEL_EXPORTER_OTLP_HEADERS has to hold what it asks for; OTEL_{}_EXPORTER=none if \
             {signal} are not wanted",
            signal.to_ascii_uppercase()
        ),
        _ => "see the collector's log and its memory limit, whether it speaks \
              OTEL_EXPORTER_OTLP_PROTOCOL there, and what is behind it"
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use bartizan::telemetry::{OtlpConfig, TelemetryBuilder};

    use super::*;

    #[test]
    fn the_fix_goes_by_what_happened_and_the_port() {
        let unanswered = SignalReport::default();
        let mut rejected = unanswered;
        rejected.dropped.rejected = 1;
        for (port, protocol, figures, said) in [
            (
                4317,
                OtlpProtocol::HttpProtobuf,
                rejected,
                "_PROTOCOL to grpc",
            ),
            (
                4318,
                OtlpProtocol::Grpc,
                unanswered,
                "_PROTOCOL to http/protobuf",
            ),
            (4318, OtlpProtocol::HttpProtobuf, rejected, "_HEADERS"),
            (4317, OtlpProtocol::Grpc, unanswered, "collector's log"),
        ] {
            let fix = fix(&endpoint(port, protocol), &figures);
            assert!(fix.contains(said), "{port} {protocol:?}: {fix}");
        }
    }

    fn endpoint(port: u16, protocol: OtlpProtocol) -> OtlpEndpoint {
        let to = OtlpConfig::new(&format!("http://h:{port}"), protocol).unwrap();
        let overview = TelemetryBuilder::default().with_otlp(to).overview();
        overview.endpoints[0].clone()
    }
}
