//! OTLP over gRPC.
//!
//! The generated servers unpack a message before anybody can look at it; these three routes do what
//! they do with a codec that looks first.

use std::{
    fmt,
    future::{Ready, ready},
    marker::PhantomData,
    sync::Arc,
};

use axum::{
    Router, body,
    extract::{Request, State},
    response::Response,
    routing::post,
};
use bytes::Buf;
use opentelemetry_proto::tonic::collector::{
    logs::v1::ExportLogsServiceRequest, metrics::v1::ExportMetricsServiceRequest,
    trace::v1::ExportTraceServiceRequest,
};
use prost::Message;
use tonic::{
    Status,
    codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder},
    server::{Grpc, UnaryService},
};

use super::{
    Sink,
    signal::{Signal, unpack},
};

/// The three services.
pub(super) fn router(sink: Arc<dyn Sink>, max_bytes: usize) -> Router {
    Router::new()
        .merge(service::<ExportTraceServiceRequest>())
        .merge(service::<ExportMetricsServiceRequest>())
        .merge(service::<ExportLogsServiceRequest>())
        .fallback(async || Status::unimplemented("").into_http::<body::Body>())
        .with_state(Endpoint { sink, max_bytes })
}

#[derive(Clone)]
struct Endpoint {
    sink: Arc<dyn Sink>,
    max_bytes: usize,
}

/// Takes requests apart and puts answers together.
struct Checking<T> {
    sink: Arc<dyn Sink>,
    signal: PhantomData<fn() -> T>,
}

/// The method behind a route.
struct Deliver(Arc<dyn Sink>);

fn service<T: Signal>() -> Router<Endpoint> {
    Router::new().route(&format!("/{}/Export", T::SERVICE), post(export::<T>))
}

async fn export<T: Signal>(State(endpoint): State<Endpoint>, request: Request) -> Response {
    let Endpoint { sink, max_bytes } = endpoint;
    let codec = Checking::<T>::new(Arc::clone(&sink));
    Grpc::new(codec)
        .accept_compressed(CompressionEncoding::Gzip)
        .max_decoding_message_size(max_bytes)
        .unary(Deliver(sink), request)
        .await
        .map(body::Body::new)
}

// === impl Checking ===

impl<T> Checking<T> {
    const fn new(sink: Arc<dyn Sink>) -> Self {
        Self {
            sink,
            signal: PhantomData,
        }
    }
}

impl<T: Signal> Codec for Checking<T> {
    type Encode = T::Answer;
    type Decode = T;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self::new(Arc::clone(&self.sink))
    }

    fn decoder(&mut self) -> Self {
        Self::new(Arc::clone(&self.sink))
    }
}

impl<T: Signal> Decoder for Checking<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<T>, Status> {
        let message = message.copy_to_bytes(message.remaining());
        // Of the codes that OTLP has senders give up on, the one without an exception.
        unpack(message, &*self.sink)
            .map(Some)
            .map_err(|error| Status::invalid_argument(error.to_string()))
    }
}

impl<T: Signal> Encoder for Checking<T> {
    type Item = T::Answer;
    type Error = Status;

    fn encode(&mut self, answer: T::Answer, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        answer
            .encode(buffer)
            .map_err(|error| Status::internal(error.to_string()))
    }
}

impl<T> fmt::Debug for Checking<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checking").finish_non_exhaustive()
    }
}

// === impl Deliver ===

impl<T: Signal> UnaryService<T> for Deliver {
    type Response = T::Answer;
    type Future = Ready<Result<tonic::Response<T::Answer>, Status>>;

    fn call(&mut self, request: tonic::Request<T>) -> Self::Future {
        request.into_inner().deliver(&*self.0);
        ready(Ok(tonic::Response::new(T::Answer::default())))
    }
}
