use std::fmt;
use std::sync::Arc;

use http::request::Parts;
use http::{Extensions, Request};

/// How much a call matters, as an extension of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum Priority {
    /// Shed first: what can be done later, or need not be done.
    Sheddable,
    /// Shed when calls have to wait, and all that is sheddable has gone.
    #[default]
    Default,
    /// Never shed: health probes, and whatever must get through. How many of them there can be at a
    /// time, the bulkhead says.
    Critical,
}

/// How the priority of a request is found.
#[derive(Clone)]
pub struct Priorities(Option<Arc<PriorityFn>>);

type PriorityFn = dyn Fn(&Parts) -> Priority + Send + Sync;

/// Where orchestrators and load balancers ask whether a service is well.
pub const HEALTH_PATHS: [&str; 5] = ["/health", "/healthz", "/livez", "/ping", "/readyz"];

// === impl Priority ===

impl Priority {
    /// All of them, by how much they matter.
    pub const ALL: [Self; 3] = [Self::Sheddable, Self::Default, Self::Critical];

    /// Its name, for labels: `sheddable`, `default` or `critical`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sheddable => "sheddable",
            Self::Default => "default",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Priorities ===

impl Priorities {
    /// By the [`Priority`] among the request's extensions, and without one by its path: critical for
    /// the [health probes](HEALTH_PATHS).
    #[must_use]
    pub const fn by_path() -> Self {
        Self(None)
    }

    /// As `priority` says of requests that have no [`Priority`] among their extensions.
    ///
    /// Health probes are requests as any other to it: see [`is_health_probe`].
    #[must_use]
    pub fn by(priority: impl Fn(&Parts) -> Priority + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(priority)))
    }

    /// How much `request` matters.
    pub fn of<B>(&self, request: Request<B>) -> (Priority, Request<B>) {
        if let Some(priority) = said(request.extensions()) {
            return (priority, request);
        }
        let Some(priority) = &self.0 else {
            let priority = if is_health_probe(request.uri().path()) {
                Priority::Critical
            } else {
                Priority::Default
            };
            return (priority, request);
        };
        let (parts, body) = request.into_parts();
        (priority(&parts), Request::from_parts(parts, body))
    }
}

impl Default for Priorities {
    fn default() -> Self {
        Self::by_path()
    }
}

impl fmt::Debug for Priorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Priorities::By"
        } else {
            "Priorities::ByPath"
        })
    }
}

/// Whether `path` is one of [`HEALTH_PATHS`].
#[must_use]
pub fn is_health_probe(path: &str) -> bool {
    HEALTH_PATHS.contains(&path)
}

fn said(extensions: &Extensions) -> Option<Priority> {
    extensions.get().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, said: Option<Priority>) -> Request<&'static str> {
        let mut request = Request::new("body");
        *request.uri_mut() = path.parse().unwrap();
        if let Some(priority) = said {
            request.extensions_mut().insert(priority);
        }
        request
    }

    #[test]
    fn what_is_said_counts_then_the_path() {
        use Priority::{Critical, Default, Sheddable};
        for (path, said, expected) in [
            ("/orders", None, Default),
            ("/livez", None, Critical),
            ("/readyz?verbose", None, Critical),
            ("/readyz/db", None, Default),
            ("/livez", Some(Sheddable), Sheddable),
            ("/orders", Some(Critical), Critical),
        ] {
            let (priority, request) = Priorities::default().of(request(path, said));
            assert_eq!(priority, expected, "{path}, said {said:?}");
            assert_eq!(*request.body(), "body");
        }
    }

    #[test]
    fn a_function_is_asked_where_nothing_is_said() {
        let priorities = Priorities::by(|parts| match parts.uri.path() {
            "/export" => Priority::Sheddable,
            path if is_health_probe(path) => Priority::Critical,
            _ => Priority::Default,
        });
        let of = |path, said| priorities.of(request(path, said)).0;
        assert_eq!(of("/export", None), Priority::Sheddable);
        assert_eq!(of("/export", Some(Priority::Critical)), Priority::Critical);
        assert_eq!(of("/healthz", None), Priority::Critical);
    }
}
