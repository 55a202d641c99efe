//! Which requests can be sent again, and how.

use http::{HeaderName, Request};

/// Marks a request as one that may be sent again although its method is not idempotent: an
/// extension of it.
///
/// For whoever knows that doing it twice does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retryable;

/// Which attempt at a request this is, of which the first is 0: an extension of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attempt(pub u32);

/// A request that carries one promises that the service does it once, however often it comes
/// (`draft-ietf-httpapi-idempotency-key-header`).
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A body's copy, or `None` if there can be none.
pub(super) type CloneBody<B> = fn(&B) -> Option<B>;

/// Whether the service may get `request` twice.
pub(super) fn may_be_repeated<B>(request: &Request<B>) -> bool {
    request.method().is_idempotent()
        || request.headers().contains_key(IDEMPOTENCY_KEY)
        || request.extensions().get::<Retryable>().is_some()
}

/// A copy of `request`, with all that is on it.
pub(super) fn copy<B>(request: &Request<B>, clone_body: CloneBody<B>) -> Option<Request<B>> {
    let mut copy = Request::new(clone_body(request.body())?);
    *copy.method_mut() = request.method().clone();
    *copy.uri_mut() = request.uri().clone();
    *copy.version_mut() = request.version();
    *copy.headers_mut() = request.headers().clone();
    *copy.extensions_mut() = request.extensions().clone();
    Some(copy)
}

#[cfg(test)]
mod tests {
    use http::{Method, Version};

    use super::*;

    #[test]
    fn idempotent_methods_may_be_repeated() {
        for (method, expected) in [
            (Method::GET, true),
            (Method::HEAD, true),
            (Method::OPTIONS, true),
            (Method::TRACE, true),
            (Method::PUT, true),
            (Method::DELETE, true),
            (Method::POST, false),
            (Method::PATCH, false),
            (Method::CONNECT, false),
            (Method::from_bytes(b"get").unwrap(), false),
        ] {
            let request = Request::builder().method(&method).body(()).unwrap();
            assert_eq!(may_be_repeated(&request), expected, "{method}");
        }
    }

    #[test]
    fn others_only_if_somebody_says_so() {
        let post = || Request::builder().method(Method::POST);
        let keyed = post().header("Idempotency-Key", "\"4711\"");
        assert!(may_be_repeated(&keyed.body(()).unwrap()));
        let marked = post().extension(Retryable);
        assert!(may_be_repeated(&marked.body(()).unwrap()));
    }

    #[test]
    fn a_copy_has_all_that_was_on_the_request() {
        let request = Request::builder()
            .method(Method::PUT)
            .uri("http://shop/orders/1?x=y")
            .version(Version::HTTP_2)
            .header("a", "1")
            .header("a", "2")
            .extension(Attempt(7))
            .body("body")
            .unwrap();
        let copy = copy(&request, |body| Some(*body)).unwrap();
        assert_eq!(copy.method(), request.method());
        assert_eq!(copy.uri(), request.uri());
        assert_eq!(copy.version(), request.version());
        assert_eq!(copy.headers(), request.headers());
        assert_eq!(copy.extensions().get(), Some(&Attempt(7)));
        assert_eq!(copy.body(), request.body());
    }

    #[test]
    fn a_body_without_a_copy_makes_a_request_without_one() {
        assert!(copy(&Request::new("stream"), |_| None).is_none());
    }
}
