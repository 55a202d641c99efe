use std::borrow::Cow;
use std::fmt;
use std::mem::swap;
use std::sync::Arc;

use http::Request;
use http::request::Parts;
use tower_layer::Layer;

use super::{Breaker, CircuitBreaker, Config, HttpClassifier, Observer, Permit, Rejected};

/// Puts a circuit breaker around HTTP services.
///
/// The breaker lives in the layer: every service that it makes shares it, and so does every clone.
pub struct CircuitBreakerLayer<C = HttpClassifier, O: Observer = ()> {
    breaker: Breaker<O>,
    classifier: C,
    keys: Keys,
}

/// How the key of a request is found.
#[derive(Clone)]
pub struct Keys(Key);

#[derive(Clone)]
enum Key {
    None,
    /// Apart from [`By`](Self::By), as it needs no [`Parts`], which a request has to be taken apart
    /// for.
    Host,
    By(Arc<KeyFn>),
}

type KeyFn = dyn for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync;

// === impl CircuitBreakerLayer ===

impl CircuitBreakerLayer {
    /// One circuit for all requests, which is called `name` in all that is said of it.
    #[must_use]
    pub fn new(name: &str, config: Config) -> Self {
        Self::of(Breaker::new(name, config))
    }
}

impl<O: Observer> CircuitBreakerLayer<HttpClassifier, O> {
    /// Around `breaker`, which other layers and calls may go through as well.
    #[must_use]
    pub fn of(breaker: Breaker<O>) -> Self {
        Self {
            breaker,
            classifier: HttpClassifier::default(),
            keys: Keys::none(),
        }
    }
}

impl<C, O: Observer> CircuitBreakerLayer<C, O> {
    /// What counts as a failure. Default: [`HttpClassifier`].
    #[must_use]
    pub fn with_classifier<D>(self, classifier: D) -> CircuitBreakerLayer<D, O> {
        CircuitBreakerLayer {
            breaker: self.breaker,
            classifier,
            keys: self.keys,
        }
    }

    /// A circuit for each key. Default: one for all. See [`Keys`].
    #[must_use]
    pub fn with_keys(mut self, keys: Keys) -> Self {
        self.keys = keys;
        self
    }

    /// The breaker, to look at and to operate.
    #[must_use]
    pub const fn handle(&self) -> &Breaker<O> {
        &self.breaker
    }
}

impl<S, C: Clone, O: Observer> Layer<S> for CircuitBreakerLayer<C, O> {
    type Service = CircuitBreaker<S, C, O>;

    fn layer(&self, inner: S) -> Self::Service {
        CircuitBreaker::new(
            inner,
            self.breaker.clone(),
            self.classifier.clone(),
            self.keys.clone(),
        )
    }
}

// Not derived, which would ask for observers that can be cloned.
impl<C: Clone, O: Observer> Clone for CircuitBreakerLayer<C, O> {
    fn clone(&self) -> Self {
        Self {
            breaker: self.breaker.clone(),
            classifier: self.classifier.clone(),
            keys: self.keys.clone(),
        }
    }
}

impl<C: fmt::Debug, O: Observer> fmt::Debug for CircuitBreakerLayer<C, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CircuitBreakerLayer")
            .field("breaker", &self.breaker)
            .field("classifier", &self.classifier)
            .finish_non_exhaustive()
    }
}

// === impl Keys ===

impl Keys {
    /// One circuit for all requests.
    #[must_use]
    pub const fn none() -> Self {
        Self(Key::None)
    }

    /// A circuit for each host and port, as the URI names them, or else the `host` header, in lower
    /// case.
    #[must_use]
    pub const fn by_host() -> Self {
        Self(Key::Host)
    }

    /// A circuit for each key that `key` finds; requests without one share a circuit.
    #[must_use]
    pub fn by(
        key: impl for<'a> Fn(&'a Parts) -> Option<Cow<'a, str>> + Send + Sync + 'static,
    ) -> Self {
        Self(Key::By(Arc::new(key)))
    }

    /// Asks `breaker` for the call that `request` is to be, which stays as it is.
    ///
    /// # Errors
    ///
    /// When the circuit does not let it through.
    pub fn acquire<B, O: Observer>(
        &self,
        breaker: &Breaker<O>,
        request: &mut Request<B>,
    ) -> Result<Permit<O>, Rejected> {
        match &self.0 {
            Key::None => breaker.try_acquire(),
            Key::Host => acquire_by(breaker, host(request).as_deref()),
            Key::By(key) => {
                let (mut parts, ()) = Request::new(()).into_parts();
                swap_heads(request, &mut parts);
                let permit = acquire_by(breaker, key(&parts).as_deref());
                swap_heads(request, &mut parts);
                permit
            }
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Key::None => "Keys::None",
            Key::Host => "Keys::Host",
            Key::By(_) => "Keys::By",
        })
    }
}

fn acquire_by<O: Observer>(breaker: &Breaker<O>, key: Option<&str>) -> Result<Permit<O>, Rejected> {
    match key {
        Some(key) => breaker.try_acquire_for(key),
        None => breaker.try_acquire(),
    }
}

fn host<B>(request: &Request<B>) -> Option<Cow<'_, str>> {
    let of_uri = request.uri().authority().map(|it| it.as_str());
    let of_header = || request.headers().get(http::header::HOST)?.to_str().ok();
    // What is before it are credentials, which are nobody's business.
    let host = of_uri.or_else(of_header)?.rsplit('@').next()?;
    Some(if host.bytes().any(|byte| byte.is_ascii_uppercase()) {
        host.to_ascii_lowercase().into()
    } else {
        host.into()
    })
}

/// A request gives no reference to its parts, and moving it to have them costs more than all else.
fn swap_heads<B>(request: &mut Request<B>, parts: &mut Parts) {
    swap(request.method_mut(), &mut parts.method);
    swap(request.uri_mut(), &mut parts.uri);
    swap(request.version_mut(), &mut parts.version);
    swap(request.headers_mut(), &mut parts.headers);
    swap(request.extensions_mut(), &mut parts.extensions);
}
