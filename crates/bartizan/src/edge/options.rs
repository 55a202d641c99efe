use axum::http::HeaderName;
use tower::util::Either;
use tower_http::catch_panic::CatchPanic;
use tower_http::cors::Cors;
use tower_layer::Layer;

use super::{
    BodyLimit, BodyLimitLayer, CorsLayer, DEFAULT_BODY_LIMIT, Decompression, DecompressionLayer,
    Rebody,
};
use crate::{CatchPanicLayer, PanicProblem};

/// A stack without any of the layers of the edge, which costs nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bare(());

/// Which layers of the edge a stack has, and how they are set. Default: none.
///
/// `stack()` has a method for each; a value of its own is for what a configuration decides.
#[derive(Debug, Clone, Default)]
#[must_use = "it does nothing until it is given to a stack"]
pub struct Edge {
    pub(crate) sensitive: Vec<HeaderName>,
    cors: Option<CorsLayer>,
    catch_panic: Option<CatchPanicLayer>,
    body_limit: Option<usize>,
    decompression: Option<DecompressionLayer>,
}

/// The layers of an [`Edge`], each there or not.
pub type EdgeService<S> = Maybe<Cors<Caught<S>>, Caught<S>>;

// From the outside in.
type Maybe<A, B> = Either<A, B>;
type Caught<S> = Maybe<Rebody<CatchPanic<SentLimited<S>, PanicProblem>>, SentLimited<S>>;
type SentLimited<S> = Maybe<BodyLimit<Decompressed<S>>, Decompressed<S>>;
type Decompressed<S> = Maybe<Decompression<ReadLimited<S>>, ReadLimited<S>>;
type ReadLimited<S> = Maybe<BodyLimit<S>, S>;

// === impl Edge ===

impl Edge {
    /// None of the layers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Headers that are marked as sensitive, besides those already given. Default: none.
    pub fn with_sensitive_headers(mut self, headers: impl IntoIterator<Item = HeaderName>) -> Self {
        self.sensitive.extend(headers);
        self
    }

    /// Which web pages of other origins may call. Default: none, by browsers' own rules.
    pub fn with_cors(mut self, cors: CorsLayer) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Answers 500 where a handler panics. Default: the connection is closed, over HTTP/2 the
    /// stream; the request is recorded as *panicked* in both cases.
    ///
    /// Not on by itself, because it is not free: tower-http boxes the body of every answer for it.
    pub fn with_catch_panic(mut self) -> Self {
        self.catch_panic = Some(CatchPanicLayer::new());
        self
    }

    /// How large a request's body may be, in bytes, both as it is sent and as it is read. Default:
    /// as large as axum's extractors take it, which is [`DEFAULT_BODY_LIMIT`], and without a bound
    /// for whoever reads it as a stream.
    pub fn with_body_limit(mut self, limit: usize) -> Self {
        self.body_limit = Some(limit);
        self
    }

    /// Decompresses gzip bodies, which may then have [`DEFAULT_BODY_LIMIT`] bytes unless
    /// [another limit](Self::with_body_limit) is set. Default: handlers get bodies as they are sent.
    pub fn with_decompression(mut self) -> Self {
        self.decompression = Some(DecompressionLayer::new());
        self
    }

    /// All but the sensitive headers, from the inside out.
    pub(crate) fn layer<S>(&self, inner: S) -> EdgeService<S> {
        // Innermost: what counts is what the handler reads. Never missing under decompression.
        let of_what_is_read = self
            .decompression
            .map(|_| BodyLimitLayer::new(self.body_limit.unwrap_or(DEFAULT_BODY_LIMIT)));
        let inner = maybe(of_what_is_read, inner);
        // Inside of the limit of what is sent, so that no more than that is decompressed.
        let inner = maybe(self.decompression, inner);
        // Before anything is read: a body that says how large it is can be refused for it.
        let inner = maybe(self.body_limit.map(BodyLimitLayer::new), inner);
        // Around everything that runs code of the service's or reads what a client has sent.
        let inner = maybe(self.catch_panic, inner);
        // Around whatever answers in the service's place: a page of another origin may read a 413
        // or a 500 only with these headers. A preflight goes no further in.
        maybe(self.cors.as_ref(), inner)
    }
}

impl From<Bare> for Edge {
    fn from(_: Bare) -> Self {
        Self::new()
    }
}

fn maybe<S, L: Layer<S>>(layer: Option<L>, inner: S) -> Either<L::Service, S> {
    match layer {
        Some(layer) => Either::Left(layer.layer(inner)),
        None => Either::Right(inner),
    }
}
