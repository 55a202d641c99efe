use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use bartizan::Problem;

/// Tells as a problem that a path or a method is not there.
pub fn with_fallbacks<S: Clone + Send + Sync + 'static>(router: Router<S>) -> Router<S> {
    router
        .fallback(async |uri: Uri| {
            Problem::new(StatusCode::NOT_FOUND)
                .with_detail(format!("there is nothing at {}", uri.path()))
        })
        .method_not_allowed_fallback(async |method: Method, uri: Uri| {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED)
                .with_detail(format!("{} does not take {method}", uri.path()))
        })
}
