//! Names of families and labels, by OpenTelemetry's "Prometheus and OpenMetrics Compatibility".

use super::unit;
use super::view::Data;

/// What a family is called in OpenMetrics: with its unit, and without a suffix of its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FamilyName {
    pub(super) text: String,
    /// Set when it is the name's suffix, as OpenMetrics demands of a unit.
    pub(super) unit: Option<String>,
}

impl FamilyName {
    pub(super) fn of(name: &str, ucum: &str, data: &Data<'_>) -> Self {
        let mut text = sanitised(name, is_name_char);
        // What follows brings its own underscore.
        if text.len() > 1 && text.ends_with('_') {
            text.pop();
        }
        if matches!(data, Data::Counter(_))
            && let Some(shorter) = text.strip_suffix("_total")
            && !shorter.is_empty()
        {
            text.truncate(shorter.len());
        }
        // A ratio is what a gauge of the unit `1` shows; elsewhere it is a mere count.
        let ratio = (ucum == "1" && matches!(data, Data::Gauge(_))).then(|| "ratio".to_owned());
        let Some(unit) = ratio.or_else(|| unit::words(ucum)) else {
            return Self { text, unit: None };
        };
        if has_words(&text, &unit) {
            let unit = text.ends_with(&format!("_{unit}")).then_some(unit);
            return Self { text, unit };
        }
        if text != "_" {
            text.push('_');
        }
        text.push_str(&unit);
        Self {
            text,
            unit: Some(unit),
        }
    }
}

/// Replaces what may not be in a name by an underscore, several of them by one. An underscore is
/// put before a leading digit, and is all there is of a name without a letter.
pub(super) fn sanitised(text: &str, is_allowed: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len() + 1);
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        out.push('_');
    }
    for next in text.chars() {
        let next = if is_allowed(next) { next } else { '_' };
        if next != '_' || !out.ends_with('_') {
            out.push(next);
        }
    }
    if out.is_empty() {
        out.push('_');
    }
    out
}

pub(super) fn is_name_char(next: char) -> bool {
    is_label_char(next) || next == ':'
}

pub(super) fn is_label_char(next: char) -> bool {
    next.is_ascii_alphanumeric() || next == '_'
}

/// Whether the words of `unit` are in `name`, one after the other.
fn has_words(name: &str, unit: &str) -> bool {
    name.match_indices(unit).any(|(at, _)| {
        let (before, after) = (&name[..at], &name[at + unit.len()..]);
        (before.is_empty() || before.ends_with('_')) && (after.is_empty() || after.starts_with('_'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTER: Data<'static> = Data::Counter(Vec::new());
    const GAUGE: Data<'static> = Data::Gauge(Vec::new());
    const UP_DOWN: Data<'static> = Data::UpDown(Vec::new());
    const HISTOGRAM: Data<'static> = Data::Histogram(Vec::new());

    #[track_caller]
    fn assert_name(name: &str, ucum: &str, data: &Data<'_>, text: &str, unit: Option<&str>) {
        let expected = FamilyName {
            text: text.to_owned(),
            unit: unit.map(str::to_owned),
        };
        let of = FamilyName::of(name, ucum, data);
        assert_eq!(of, expected, "{name:?} {ucum}");
    }

    #[test]
    fn a_unit_is_put_behind_the_name_once() {
        let cases = [
            (
                "request.duration",
                "s",
                "request_duration_seconds",
                "seconds",
            ),
            ("body.size", "By", "body_size_bytes", "bytes"),
            ("milliseconds", "s", "milliseconds_seconds", "seconds"),
            ("seconds_of_seconds", "s", "seconds_of_seconds", "seconds"),
            ("io.", "By/s", "io_bytes_per_second", "bytes_per_second"),
        ];
        for (name, ucum, text, unit) in cases {
            assert_name(name, ucum, &HISTOGRAM, text, Some(unit));
        }
        let ratio = Some("ratio");
        assert_name("cpu.use", "1", &GAUGE, "cpu_use_ratio", ratio);
        assert_name(
            "cpu.time",
            "s",
            &COUNTER,
            "cpu_time_seconds",
            Some("seconds"),
        );
    }

    #[test]
    fn where_the_unit_is_no_suffix_it_is_not_told() {
        for name in ["seconds_spent", "seconds", "seconds_of_milliseconds"] {
            assert_name(name, "s", &GAUGE, name, None);
        }
        assert_name("active", "{request}", &UP_DOWN, "active", None);
        for data in [COUNTER, UP_DOWN, HISTOGRAM] {
            assert_name("retries", "1", &data, "retries", None);
        }
    }

    #[test]
    fn what_a_counter_is_known_by_is_left_to_the_writer() {
        let cases = [
            ("requests.total", "requests"),
            ("total", "total"),
            ("_total", "_total"),
        ];
        for (name, text) in cases {
            assert_name(name, "", &COUNTER, text, None);
        }
        let seconds = Some("seconds");
        assert_name("cpu_seconds_total", "s", &COUNTER, "cpu_seconds", seconds);
        assert_name("x_total", "", &GAUGE, "x_total", None);
    }

    #[test]
    fn what_may_not_be_in_a_name_becomes_one_underscore() {
        let cases = [
            ("a-b//c  d", "a_b_c_d"),
            ("a:b", "a:b"),
            ("9lives", "_9lives"),
            ("größe", "gr_e"),
            ("a.", "a"),
            ("", "_"),
        ];
        for (name, text) in cases {
            assert_name(name, "", &GAUGE, text, None);
        }
    }
}
