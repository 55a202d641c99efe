//! A body and a path, told as `application/problem+json` (RFC 9457) when they are not what a handler
//! takes.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bartizan::Problem;
use serde::de::DeserializeOwned;

/// A JSON body. Without it: 400, 413, 415 or 422, as axum's own extractor says.
#[derive(Debug, Clone, Copy)]
pub struct Body<T>(pub T);

/// The path's only parameter. Where it is none: 400.
#[derive(Debug, Clone, Copy)]
pub struct Id<T>(pub T);

/// A request that is not what the handler takes.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{detail}")]
pub struct BadRequest {
    status: StatusCode,
    detail: String,
}

// === impl Body ===

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = BadRequest;

    async fn from_request(request: Request, state: &S) -> Result<Self, BadRequest> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Self(body))
    }
}

// === impl Id ===

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Id<T> {
    type Rejection = BadRequest;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, BadRequest> {
        let Path(id) = Path::from_request_parts(parts, state).await?;
        Ok(Self(id))
    }
}

// === impl BadRequest ===

impl BadRequest {
    /// One that no extractor of axum's finds.
    #[must_use]
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
        }
    }
}

impl From<JsonRejection> for BadRequest {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for BadRequest {
    fn from(rejection: PathRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl From<BytesRejection> for BadRequest {
    fn from(rejection: BytesRejection) -> Self {
        Self::new(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for BadRequest {
    fn into_response(self) -> Response {
        Problem::new(self.status)
            .with_detail(self.detail)
            .into_response()
    }
}
