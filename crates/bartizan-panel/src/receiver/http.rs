//! OTLP over HTTP, binary Protobuf.
//!
//! Answers are as OTLP 1.x asks: an empty export response (which is an empty body) on success, a
//! `google.rpc.Status` on failure, in the encoding of the request. JSON requests are refused.

use std::{io::Read, sync::Arc};

use axum::{
    Router,
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    response::{IntoResponse, Response},
    routing::post,
};
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use prost::Message;

use super::{
    Sink,
    signal::{Signal, Unusable, unpack},
};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// `google.rpc.Code::INVALID_ARGUMENT`; senders look at the HTTP status.
const INVALID_ARGUMENT: i32 = 3;

/// The three endpoints.
pub(super) fn router(sink: Arc<dyn Sink>, max_bytes: usize) -> Router {
    Router::new()
        .route("/v1/traces", post(export::<ExportTraceServiceRequest>))
        .route("/v1/metrics", post(export::<ExportMetricsServiceRequest>))
        .route("/v1/logs", post(export::<ExportLogsServiceRequest>))
        .layer(DefaultBodyLimit::max(max_bytes))
        .with_state(Endpoint { sink, max_bytes })
}

#[derive(Clone)]
struct Endpoint {
    sink: Arc<dyn Sink>,
    max_bytes: usize,
}

/// What the sender is told when its request is refused.
struct Refusal {
    status: StatusCode,
    message: String,
    json: bool,
}

/// `google.rpc.Status`, without its details.
#[derive(Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

// === impl Endpoint ===

impl Endpoint {
    fn take<T: Signal>(&self, headers: &HeaderMap, body: Body) -> Response {
        match self.decode::<T>(headers, body) {
            Ok(request) => {
                request.deliver(&*self.sink);
                ([(header::CONTENT_TYPE, PROTOBUF)], ()).into_response()
            }
            Err(refusal) => refusal.into_response(),
        }
    }

    fn decode<T: Signal>(&self, headers: &HeaderMap, body: Body) -> Result<T, Refusal> {
        check_content_type(headers)?;
        let body =
            body.map_err(|rejection| Refusal::new(rejection.status(), rejection.body_text()))?;
        let body = decompress(headers, body, self.max_bytes)?;
        Ok(unpack(body, &*self.sink)?)
    }
}

// === impl Refusal ===

impl Refusal {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            json: false,
        }
    }
}

impl From<Unusable> for Refusal {
    fn from(error: Unusable) -> Self {
        let status = match error {
            Unusable::TooMuch(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Unusable::Malformed(_) => StatusCode::BAD_REQUEST,
        };
        Self::new(status, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self {
            status,
            message,
            json,
        } = self;
        if json {
            let body = serde_json::json!({ "code": INVALID_ARGUMENT, "message": message });
            return (status, [(header::CONTENT_TYPE, JSON)], body.to_string()).into_response();
        }
        let body = RpcStatus {
            code: INVALID_ARGUMENT,
            message,
        }
        .encode_to_vec();
        (status, [(header::CONTENT_TYPE, PROTOBUF)], body).into_response()
    }
}

type Body = Result<Bytes, BytesRejection>;

async fn export<T: Signal>(
    State(endpoint): State<Endpoint>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    endpoint.take::<T>(&headers, body)
}

fn check_content_type(headers: &HeaderMap) -> Result<(), Refusal> {
    let content_type = headers
        .get(header::CONTENT_TYPE)
        .map_or(&b""[..], HeaderValue::as_bytes)
        .escape_ascii();
    let content_type = content_type.to_string();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/x-protobuf") {
        return Ok(());
    }
    let message = format!(
        "content-type `{content_type}` is not taken here, only `application/x-protobuf` \
         (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)"
    );
    let json = essence.eq_ignore_ascii_case("application/json");
    Err(Refusal {
        json,
        ..Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
    })
}

fn decompress(headers: &HeaderMap, body: Bytes, max_bytes: usize) -> Result<Bytes, Refusal> {
    match headers
        .get(header::CONTENT_ENCODING)
        .map(HeaderValue::as_bytes)
    {
        None | Some(b"" | b"identity") => return Ok(body),
        Some(b"gzip") => {}
        Some(other) => {
            let message = format!(
                "content-encoding `{}` is not taken here, only `gzip`",
                other.escape_ascii()
            );
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
    }
    let mut plain = Vec::new();
    // One byte more than allowed tells a message that fits from one that does not.
    let limit = max_bytes as u64 + 1;
    MultiGzDecoder::new(&*body)
        .take(limit)
        .read_to_end(&mut plain)
        .map_err(|error| Refusal::new(StatusCode::BAD_REQUEST, format!("not gzip: {error}")))?;
    if plain.len() > max_bytes {
        let message = format!("the message is longer than {max_bytes} bytes when decompressed");
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, message));
    }
    Ok(plain.into())
}
