//! Reads the answers of collectors.

use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use super::Signal;

/// How many items a successful answer rejects. An answer that cannot be read rejects none: its
/// status said success.
pub(super) fn rejected(signal: Signal, answer: Bytes) -> u64 {
    let rejected = match signal {
        Signal::Traces => ExportTraceServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| partial.rejected_spans),
        Signal::Metrics => ExportMetricsServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| partial.rejected_data_points),
        Signal::Logs => ExportLogsServiceResponse::decode(answer)
            .ok()
            .and_then(|answer| answer.partial_success)
            .map(|partial| partial.rejected_log_records),
    };
    // Negative counts make no sense and count as none.
    rejected
        .and_then(|count| u64::try_from(count).ok())
        .unwrap_or(0)
}

/// The delay in the `google.rpc.RetryInfo` of a gRPC status's details, if there is one.
pub(super) fn retry_delay(details: &[u8]) -> Option<Duration> {
    let status = RpcStatus::decode(details).ok()?;
    let info = status
        .details
        .iter()
        .find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(info.value.as_slice()).ok()?.retry_delay?;
    Some(Duration::new(
        u64::try_from(delay.seconds).ok()?,
        u32::try_from(delay.nanos).ok()?,
    ))
}

// The few messages of `google/rpc/status.proto` and `error_details.proto` that are needed; the
// crate that has them all would bring a second set of well-known types.

#[derive(Clone, PartialEq, Message)]
pub(super) struct RpcStatus {
    #[prost(int32, tag = "1")]
    pub(super) code: i32,
    #[prost(string, tag = "2")]
    pub(super) message: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Any {
    #[prost(string, tag = "1")]
    pub(super) type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    pub(super) retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Delay {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTracePartialSuccess;

    use super::*;

    #[test]
    fn partial_success_is_read_and_nonsense_rejects_nothing() {
        for (rejected_spans, expected) in [(0, 0), (3, 3), (-1, 0)] {
            let answer = ExportTraceServiceResponse {
                partial_success: Some(ExportTracePartialSuccess {
                    rejected_spans,
                    error_message: "full".to_owned(),
                }),
            };
            assert_eq!(
                rejected(Signal::Traces, answer.encode_to_vec().into()),
                expected
            );
        }
        assert_eq!(rejected(Signal::Logs, Bytes::new()), 0);
        assert_eq!(
            rejected(Signal::Metrics, Bytes::from_static(b"\xff\xff\xff")),
            0
        );
    }

    #[test]
    fn the_delay_of_retry_info_is_found_among_the_details() {
        let info = RetryInfo {
            retry_delay: Some(Delay {
                seconds: 2,
                nanos: 500_000_000,
            }),
        };
        let any = |name: &str, value| Any {
            type_url: format!("type.googleapis.com/{name}"),
            value,
        };
        let status = RpcStatus {
            code: 14,
            message: "busy".to_owned(),
            details: vec![
                any("google.rpc.Help", vec![1]),
                any("google.rpc.RetryInfo", info.encode_to_vec()),
            ],
        };
        assert_eq!(
            retry_delay(&status.encode_to_vec()),
            Some(Duration::from_millis(2_500))
        );
        assert_eq!(retry_delay(b""), None);
        assert_eq!(retry_delay(b"\xff"), None);
    }
}
