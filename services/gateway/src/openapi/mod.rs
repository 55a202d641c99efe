//! The public API as an OpenAPI 3.1 document, kept by hand and compared with the routes by a test.

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;

use axum::http::header;
use axum::response::IntoResponse;

const DOCUMENT: &str = include_str!("document.json");

pub(crate) async fn serve() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT)
}
