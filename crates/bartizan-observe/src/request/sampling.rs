use crate::telemetry::Sampler;

/// What the configuration says about single routes.
///
/// A handful of entries, so a linear look is the fastest.
#[derive(Debug, Clone, Default)]
pub(crate) struct RouteRules(Vec<(Box<str>, RouteRule)>);

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum RouteRule {
    /// Neither span nor access line.
    Exclude,
    /// This sampler in place of the telemetry's.
    Sample(Sampler),
}

impl RouteRules {
    pub(super) fn exclude(&mut self, route: Box<str>) {
        self.0.push((route, RouteRule::Exclude));
    }

    pub(super) fn sample(&mut self, route: Box<str>, sampler: Sampler) {
        self.0.push((route, RouteRule::Sample(sampler)));
    }

    /// The rule for a request: by its route template, or by its path where no route matched.
    pub(super) fn find(&self, route: Option<&str>, path: &str) -> Option<RouteRule> {
        if self.0.is_empty() {
            return None;
        }
        let wanted = route.unwrap_or(path);
        self.0
            .iter()
            .find(|(name, _)| **name == *wanted)
            .map(|(_, rule)| *rule)
    }
}
