//! OTLP/gRPC.

use std::error::Error;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes};
use http::HeaderMap;
use http::uri::PathAndQuery;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::connect::HttpConnector;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Extensions, Request, Status};

use super::heard::{Listening, Word};
use super::{Refusal, RefusedBy, Sent, Signal, Ticket, answer, headers};
use crate::telemetry::config::Destination;

pub(super) struct Client {
    endpoint: Endpoint,
    connector: HttpsConnector<HttpConnector>,
    /// Made at the first request, because it starts a task on the export thread's runtime.
    channel: OnceLock<Channel>,
    signal: Signal,
    headers: HeaderMap,
    gzip: bool,
}

/// Passes messages through as the bytes that the exporter encoded.
#[derive(Debug)]
struct Raw(Ticket);

#[derive(Debug)]
struct RawEncoder(Ticket);

#[derive(Debug)]
struct RawDecoder;

// === impl Client ===

impl Client {
    pub(super) fn new(
        signal: Signal,
        to: &Destination,
        connector: HttpsConnector<HttpConnector>,
    ) -> Self {
        let mut headers = headers(to);
        let endpoint = Endpoint::from(to.uri.clone());
        // The channel puts its own agent before whatever is among the metadata.
        let endpoint = match headers.remove(http::header::USER_AGENT) {
            Some(agent) => endpoint.clone().user_agent(agent).unwrap_or(endpoint),
            None => endpoint,
        };
        Self {
            endpoint,
            connector,
            channel: OnceLock::new(),
            signal,
            headers,
            gzip: to.gzip,
        }
    }

    /// `None` when no answer came.
    pub(super) async fn send(
        &self,
        message: Bytes,
        timeout: Duration,
        ticket: Ticket,
    ) -> Option<Sent> {
        let channel = self.channel.get_or_init(|| {
            let connector = self.connector.clone();
            self.endpoint.connect_with_connector_lazy(connector)
        });
        let channel = Listening::new(channel.clone());
        let word = channel.word();
        let mut grpc = Grpc::new(channel);
        if self.gzip {
            grpc = grpc.send_compressed(CompressionEncoding::Gzip);
        }
        grpc.ready().await.ok()?;
        let metadata = MetadataMap::from_headers(self.headers.clone());
        let mut request = Request::from_parts(metadata, Extensions::default(), message);
        request.set_timeout(timeout);
        let path = PathAndQuery::from_static(self.signal.grpc_path());
        match grpc.unary(request, path, Raw(ticket)).await {
            Ok(response) => Some(Sent::Acknowledged {
                rejected: answer::rejected(self.signal, response.into_inner()),
            }),
            Err(status) => match word.get() {
                Some(Word::Failure) => Some(Sent::Refused(refusal(&status))),
                // What tonic makes of a transport's failure keeps it as its source.
                None if status.source().is_some() => None,
                // It is tonic that says so, of an answer that is not what it should be.
                Some(Word::Success) | None => Some(Sent::Unreadable),
            },
        }
    }
}

/// OTLP 1.9, "Failures" of OTLP/gRPC: which codes may be sent again, and that resources are only
/// exhausted for a while when the answer says how long.
fn refusal(status: &Status) -> Refusal {
    let retry_after = answer::retry_delay(status.details());
    let retryable = match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss => true,
        Code::ResourceExhausted => retry_after.is_some(),
        _ => false,
    };
    Refusal {
        by: RefusedBy::Grpc(status.code().into()),
        retryable,
        retry_after,
    }
}

// === impl Raw ===

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = RawEncoder;
    type Decoder = RawDecoder;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder(self.0.clone())
    }

    fn decoder(&mut self) -> RawDecoder {
        RawDecoder
    }
}

impl Encoder for RawEncoder {
    type Item = Bytes;
    type Error = Status;

    /// Runs when a connection asks for the body.
    fn encode(&mut self, message: Bytes, into: &mut EncodeBuf<'_>) -> Result<(), Status> {
        if !self.0.read() {
            return Err(Status::cancelled(
                "the export was given up before it was sent",
            ));
        }
        into.put(message);
        Ok(())
    }
}

impl Decoder for RawDecoder {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_only_exhausted_for_a_while_when_the_answer_says_so() {
        for (code, retryable) in [
            (Code::Unavailable, true),
            (Code::Aborted, true),
            (Code::ResourceExhausted, false),
            (Code::InvalidArgument, false),
            (Code::Unknown, false),
        ] {
            let refusal = refusal(&Status::new(code, ""));
            assert_eq!(
                (refusal.by, refusal.retryable),
                (RefusedBy::Grpc(code.into()), retryable)
            );
        }
    }
}
