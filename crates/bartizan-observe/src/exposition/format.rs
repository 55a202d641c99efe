//! Which of the two formats a client wants.

use http::HeaderValue;

use super::accept::{MediaRange, Quality};

/// A text format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Format {
    /// Prometheus' text format, version 0.0.4. It has no exemplars.
    #[default]
    Prometheus,
    /// The text format of OpenMetrics 1.0, with exemplars.
    OpenMetrics,
}

/// How closely a range names a format; a closer one counts in place of a wider one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Closeness {
    Anything,
    Type,
    Subtype,
    Version,
}

// === impl Format ===

impl Format {
    /// The format for a request with these `Accept` fields, by RFC 9110, section 12.5.1: the one of
    /// the higher weight, of equal weights the one that is named more closely, and else
    /// [`Format::Prometheus`].
    ///
    /// A range with another `version` or `charset` than ours is for another format; other
    /// parameters, such as `escaping`, don't matter. Where neither format is acceptable, or nothing
    /// can be understood, it is Prometheus' all the same, as the RFC allows: a person with a
    /// browser is better served by text than by an error.
    ///
    /// ```
    /// use bartizan_observe::exposition::Format;
    /// use http::header::{ACCEPT, HeaderMap, HeaderValue};
    ///
    /// let mut headers = HeaderMap::new();
    /// assert_eq!(Format::negotiate(headers.get_all(ACCEPT)), Format::Prometheus);
    ///
    /// let accept = "application/openmetrics-text; version=1.0.0, text/plain; q=0.5";
    /// headers.insert(ACCEPT, HeaderValue::from_static(accept));
    /// assert_eq!(Format::negotiate(headers.get_all(ACCEPT)), Format::OpenMetrics);
    /// ```
    #[must_use]
    pub fn negotiate<'a>(accept: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let ranges: Vec<_> = accept
            .into_iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(MediaRange::list)
            .collect();
        let wanted = |format: Self| {
            let (closeness, quality) = ranges
                .iter()
                .filter_map(|range| Some((format.closeness(range)?, range.quality)))
                .max()?;
            (quality > Quality::ZERO).then_some((quality, closeness))
        };
        if wanted(Self::OpenMetrics) > wanted(Self::Prometheus) {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The value of `Content-Type`. A response that was negotiated also needs `Vary: Accept`.
    #[must_use]
    pub fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        })
    }

    const fn parts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Prometheus => ("text", "plain", "0.0.4"),
            Self::OpenMetrics => ("application", "openmetrics-text", "1.0.0"),
        }
    }

    fn closeness(self, range: &MediaRange<'_>) -> Option<Closeness> {
        let (kind, subtype, version) = self.parts();
        if range.kind == "*" && range.subtype == "*" {
            return Some(Closeness::Anything);
        }
        if !range.kind.eq_ignore_ascii_case(kind) {
            return None;
        }
        if range.subtype == "*" {
            return Some(Closeness::Type);
        }
        if !range.subtype.eq_ignore_ascii_case(subtype)
            || range
                .charset
                .as_ref()
                .is_some_and(|charset| !charset.eq_ignore_ascii_case("utf-8"))
        {
            return None;
        }
        match &range.version {
            None => Some(Closeness::Subtype),
            Some(wanted) => (wanted == version).then_some(Closeness::Version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn negotiate(fields: &[&str]) -> Format {
        let fields: Vec<_> = fields
            .iter()
            .map(|field| HeaderValue::from_bytes(field.as_bytes()).unwrap())
            .collect();
        Format::negotiate(&fields)
    }

    #[test]
    fn the_format_is_the_one_that_is_wanted_most() {
        use Format::{OpenMetrics as O, Prometheus as P};
        let cases: [(&[&str], Format); 33] = [
            // Nothing said, or nothing that tells the two apart.
            (&[], P),
            (&[""], P),
            (&["*/*"], P),
            (&["text/html, application/xhtml+xml, */*;q=0.8"], P),
            (&["application/openmetrics-text, text/plain"], P),
            // One named.
            (&["application/openmetrics-text"], O),
            (&["application/openmetrics-text, */*"], O),
            (&["application/*"], O),
            (&["text/plain"], P),
            (&["text/*, application/openmetrics-text"], O),
            // Weights.
            (&["application/openmetrics-text;q=0.4, text/plain;q=0.5"], P),
            (&["application/openmetrics-text;q=0.5, text/plain;q=0.4"], O),
            (&["application/openmetrics-text;q=0.001, text/plain;q=0"], O),
            (&["application/openmetrics-text;q=0, */*"], P),
            (&["text/plain;q=0, */*;q=0.1"], O),
            (&["text/plain;q=0.1, */*;q=0.5"], O),
            (&["text/plain;q=0, application/openmetrics-text;q=0"], P),
            (&["application/openmetrics-text;q=0.3, */*;q=0.2"], O),
            (&["application/openmetrics-text;q=0.1, */*;q=0.2"], P),
            // A closer range counts, not the weightier one.
            (
                &[
                    "application/openmetrics-text;version=1.0.0;q=0.1, application/openmetrics-text, text/plain;q=0.5",
                ],
                P,
            ),
            // Versions and charsets.
            (&["application/openmetrics-text; version=1.0.0"], O),
            (&["application/openmetrics-text; version=0.0.1"], P),
            (&["application/openmetrics-text; version=2.0.0"], P),
            (&["application/openmetrics-text; charset=iso-8859-1"], P),
            (
                &["application/openmetrics-text; version=\"1.0.0\"; charset=\"UTF-8\""],
                O,
            ),
            // Spelling.
            (
                &["APPLICATION/OpenMetrics-Text ;\tVersion=1.0.0 ; Q=1.000"],
                O,
            ),
            (
                &["text/plain;q=0.5", "application/openmetrics-text;q=0.6"],
                O,
            ),
            (&[", ,application/openmetrics-text,,"], O),
            (
                &["application/openmetrics-text;q=high, text/plain;q=0.1"],
                P,
            ),
            (&["application/openmetrics-text;q=1.5"], P),
            (
                &[
                    "text/plain;note=\",\\\";application/openmetrics-text\";q=0.1, application/openmetrics-text;q=0.2",
                ],
                O,
            ),
            // What Prometheus 2 and 3 send.
            (
                &[
                    "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
                ],
                O,
            ),
            (
                &[
                    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
                ],
                O,
            ),
        ];
        for (fields, expected) in cases {
            assert_eq!(negotiate(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn fields_that_are_no_text_are_passed_over() {
        assert_eq!(
            negotiate(&["é", "application/openmetrics-text"]),
            Format::OpenMetrics
        );
    }

    #[test]
    fn content_types_are_those_that_prometheus_knows() {
        let types = [Format::Prometheus, Format::OpenMetrics].map(Format::content_type);
        assert_eq!(types[0], "text/plain; version=0.0.4; charset=utf-8");
        assert_eq!(
            types[1],
            "application/openmetrics-text; version=1.0.0; charset=utf-8"
        );
    }
}
