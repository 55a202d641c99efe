//! What a collector says.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Response};
use http_body::{Body, Frame};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;

use super::Behaviour;

type Answer = Response<BoxBody<Bytes, io::Error>>;

/// An answer that breaks off.
struct Broken(Option<Bytes>);

pub(super) fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get("content-type");
    content_type.is_some_and(|it| it == "application/grpc")
}

/// Whether the message is compressed; takes gRPC's head off it.
pub(super) fn is_zipped(grpc: bool, headers: &HeaderMap, body: &mut Bytes) -> bool {
    if grpc {
        return body.split_to(5)[0] == 1;
    }
    let encoding = headers.get("content-encoding");
    encoding.is_some_and(|it| it == "gzip")
}

/// How many items of a request are not taken.
pub(super) fn rejected(behaviour: &Behaviour) -> usize {
    match behaviour {
        Behaviour::Reject(count) => usize::try_from(*count).unwrap(),
        _ => 0,
    }
}

/// The answer of those that give one.
pub(super) fn to(behaviour: &Behaviour, grpc: bool) -> Answer {
    match *behaviour {
        Behaviour::Refuse { http, .. } if !grpc => http_refusal(http),
        Behaviour::Refuse { grpc: status, .. } => grpc_refusal(status),
        Behaviour::Busy { retry_after } => busy(grpc, retry_after),
        Behaviour::Garble => garbled(),
        Behaviour::Truncate => truncated(grpc),
        Behaviour::Blank if grpc => grpc_refusal(0),
        _ => success(grpc, rejected(behaviour)),
    }
}

fn success(grpc: bool, rejected: usize) -> Answer {
    // The three answers have the same shape, so one type does for all.
    let partial_success = (rejected != 0).then(|| ExportTracePartialSuccess {
        rejected_spans: i64::try_from(rejected).unwrap(),
        error_message: "rejected on purpose".to_owned(),
    });
    let message = ExportTraceServiceResponse { partial_success }.encode_to_vec();
    if !grpc {
        return Response::new(whole(message));
    }
    let status = (
        HeaderName::from_static("grpc-status"),
        HeaderValue::from(0_i32),
    );
    let trailers = HeaderMap::from_iter([status]);
    let body = Full::from(framed(&message)).with_trailers(async move { Some(Ok(trailers)) });
    grpc_response(body.map_err(|never| match never {}).boxed())
}

fn http_refusal(http: u16) -> Answer {
    let mut answer = Response::new(whole(Vec::new()));
    *answer.status_mut() = http.try_into().unwrap();
    answer
}

fn grpc_refusal(status: i32) -> Answer {
    let mut answer = grpc_response(whole(Vec::new()));
    answer
        .headers_mut()
        .insert("grpc-status", HeaderValue::from(status));
    answer
}

/// A refusal that may be tried again, perhaps with a time.
fn busy(grpc: bool, retry_after: Option<u64>) -> Answer {
    let mut answer = if grpc {
        grpc_refusal(14)
    } else {
        http_refusal(503)
    };
    if let Some(seconds) = retry_after {
        answer
            .headers_mut()
            .insert("retry-after", HeaderValue::from(seconds));
    }
    answer
}

fn garbled() -> Answer {
    let mut answer = grpc_refusal(14);
    let details = HeaderValue::from_static("not base64!");
    answer
        .headers_mut()
        .insert("grpc-status-details-bin", details);
    answer
}

/// Says success, and breaks off before it has said for how much.
fn truncated(grpc: bool) -> Answer {
    if grpc {
        return grpc_response(Broken(Some(framed(&[0; 64]).slice(..9))).boxed());
    }
    Response::new(Broken(Some(Bytes::from_static(b"\x0a"))).boxed())
}

fn grpc_response(body: BoxBody<Bytes, io::Error>) -> Answer {
    let mut answer = Response::new(body);
    let content_type = HeaderValue::from_static("application/grpc");
    answer.headers_mut().insert("content-type", content_type);
    answer
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(u32::try_from(message.len()).unwrap());
    framed.put_slice(message);
    framed.freeze()
}

fn whole(message: Vec<u8>) -> BoxBody<Bytes, io::Error> {
    Full::from(message).map_err(|never| match never {}).boxed()
}

// === impl Broken ===

impl Body for Broken {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(some) => Ok(Frame::data(some)),
            None => Err(io::Error::other("broken off on purpose")),
        }))
    }
}
