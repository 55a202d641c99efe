use std::borrow::Cow;
use std::sync::LazyLock;

use crate::intern;
use crate::method::KnownMethod;
use crate::table::Table;

/// The matched route template, as a request or response extension.
///
/// For routers other than axum's (whose `MatchedPath` the facade reads): put the *template* here,
/// never the path, because it becomes the span's name and a metric label. On a response it counts
/// only when the request had none, which is how a router inside a plain tower stack reports it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route(pub Cow<'static, str>);

/// How many different routes get series and span names of their own; the rest share one series.
const MAX_ROUTES: usize = 1024;

/// A route template, resolved once in the life of the process.
#[derive(Debug)]
pub(crate) struct KnownRoute {
    pub(crate) template: &'static str,
    /// 1 and up; 0 stands for "no route".
    pub(crate) index: u32,
    /// `{method} {route}` for each method.
    span_names: Box<[&'static str]>,
}

/// What is known of a request's route.
#[derive(Debug, Clone)]
pub(crate) enum MatchedRoute {
    Known(&'static KnownRoute),
    /// Past [`MAX_ROUTES`]: named right, but without a series of its own.
    Overflow(Box<str>),
}

// Shared by all layers, so that layers stacked one by one mean the same by an index.
static ROUTES: LazyLock<Table<&'static str, &'static KnownRoute>> =
    LazyLock::new(|| Table::new(MAX_ROUTES));

impl MatchedRoute {
    pub(crate) fn resolve(template: &str) -> Self {
        let known = ROUTES.get_or_insert(
            &template,
            |key| *key == template,
            |number| {
                let known = KnownRoute::leak(template, number);
                (known.template, known)
            },
        );
        known.map_or_else(
            || Self::Overflow(template.into()),
            |known| Self::Known(known),
        )
    }

    pub(crate) fn template(&self) -> &str {
        match self {
            Self::Known(known) => known.template,
            Self::Overflow(template) => template,
        }
    }

    pub(crate) fn text(&self) -> Cow<'static, str> {
        match self {
            Self::Known(known) => Cow::Borrowed(known.template),
            Self::Overflow(template) => Cow::Owned(template.to_string()),
        }
    }

    pub(crate) fn span_name(&self, method: KnownMethod) -> Cow<'static, str> {
        match self {
            Self::Known(known) => Cow::Borrowed(known.span_names[method.index()]),
            Self::Overflow(template) => format!("{} {template}", method.in_span_name()).into(),
        }
    }
}

impl KnownRoute {
    /// Leaked, because the table it goes into is never dropped either; the table bounds it.
    fn leak(template: &str, number: usize) -> &'static Self {
        let template: &'static str =
            intern::leaked(template).unwrap_or_else(|| Box::leak(template.into()));
        let span_names = KnownMethod::all()
            .map(|method| &*Box::leak(format!("{} {template}", method.in_span_name()).into()))
            .collect();
        // The table is far too small for the number not to fit.
        let index = u32::try_from(number + 1).unwrap_or(u32::MAX);
        Box::leak(Box::new(Self {
            template,
            index,
            span_names,
        }))
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    #[test]
    fn a_route_is_resolved_once_and_names_its_spans() {
        let (MatchedRoute::Known(a), MatchedRoute::Known(b)) = (
            MatchedRoute::resolve("/a/{id}"),
            MatchedRoute::resolve("/a/{id}"),
        ) else {
            panic!("there is room for the first routes")
        };
        assert!(std::ptr::eq(a, b));
        let route = MatchedRoute::Known(a);
        assert_eq!(
            route.span_name(KnownMethod::of(&Method::GET)),
            "GET /a/{id}"
        );
        let other = Method::from_bytes(b"X0").unwrap();
        assert_eq!(route.span_name(KnownMethod::of(&other)), "HTTP /a/{id}");
    }
}
