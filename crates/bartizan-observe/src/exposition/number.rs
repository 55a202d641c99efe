//! Numbers as text.

use std::fmt::Write;
use std::time::{Duration, SystemTime};

use super::Format;
use super::view::Number;

impl Number {
    pub(super) fn push(self, out: &mut String, format: Format) {
        match self {
            Self::Float(value) => push_float(out, value, format),
            Self::Unsigned(value) => push_integer(out, value),
            Self::Signed(value) => push_integer(out, value),
        }
    }
}

pub(super) fn push_integer<T: Into<i128>>(out: &mut String, value: T) {
    let _ = write!(out, "{}", value.into());
}

/// Appends the shortest text that reads back as `value`, in the form of Go's `%g`, which is what
/// both formats' documents refer to; in OpenMetrics a float is also to look like one
/// ("Canonical Numbers").
pub(super) fn push_float(out: &mut String, value: f64, format: Format) {
    let magnitude = value.abs();
    if value.is_nan() {
        out.push_str("NaN");
    } else if magnitude.is_infinite() {
        out.push_str(if value > 0.0 { "+Inf" } else { "-Inf" });
    } else if magnitude == 0.0 || (1e-4..1e6).contains(&magnitude) {
        let _ = write!(out, "{value}");
        if format == Format::OpenMetrics && value.fract() == 0.0 {
            out.push_str(".0");
        }
    } else {
        // Rust's exponents have neither a plus nor a leading zero.
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, digits) = match exponent.strip_prefix('-') {
            Some(digits) => ('-', digits),
            None => ('+', exponent),
        };
        let _ = write!(out, "{mantissa}e{sign}{digits:0>2}");
    }
}

/// Appends seconds since 1970, to the millisecond, which is as fine as Prometheus stores it.
pub(super) fn push_timestamp(out: &mut String, at: SystemTime) {
    let since = at
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let _ = write!(out, "{}.{:03}", since.as_secs(), since.subsec_millis());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(value: f64, format: Format) -> String {
        let mut out = String::new();
        push_float(&mut out, value, format);
        out
    }

    #[test]
    fn floats_are_spelled_as_go_does_it() {
        let cases = [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.005, "0.005"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1e-10, "1e-10"),
            (1.89e-7, "1.89e-07"),
            (100_000.0, "100000"),
            (999_999.5, "999999.5"),
            (1e6, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (1e10, "1e+10"),
            (1e300, "1e+300"),
            (0.1 + 0.2, "0.30000000000000004"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
            (f64::NAN, "NaN"),
        ];
        for (value, expected) in cases {
            assert_eq!(text(value, Format::Prometheus), expected);
        }
    }

    #[test]
    fn a_float_looks_like_one_in_open_metrics() {
        // The examples of "Canonical Numbers".
        let canonical = [
            "0.0", "0.001", "0.002", "0.01", "0.1", "0.9", "0.95", "0.99", "0.999", "1.0", "1.7",
            "10.0", "1e-10", "1e-09", "1e-05", "0.0001", "100000.0", "1e+06", "1e+10", "+Inf",
        ];
        for expected in canonical {
            let value = expected.parse().unwrap();
            assert_eq!(text(value, Format::OpenMetrics), expected);
        }
    }

    #[test]
    fn integers_keep_all_their_digits() {
        let cases = [
            (Number::Unsigned(u64::MAX), "18446744073709551615"),
            (Number::Signed(i64::MIN), "-9223372036854775808"),
            (Number::Signed(0), "0"),
        ];
        for (number, expected) in cases {
            for format in [Format::Prometheus, Format::OpenMetrics] {
                let mut out = String::new();
                number.push(&mut out, format);
                assert_eq!(out, expected);
            }
        }
    }

    #[test]
    fn timestamps_have_milliseconds_and_no_exponent() {
        let mut out = String::new();
        let at = SystemTime::UNIX_EPOCH + Duration::new(1_604_676_851, 7_999_999);
        push_timestamp(&mut out, at);
        assert_eq!(out, "1604676851.007");
    }

    proptest! {
        #[test]
        fn floats_read_back_as_themselves(value in any::<f64>()) {
            for format in [Format::Prometheus, Format::OpenMetrics] {
                let text = text(value, format);
                let back: f64 = text.parse().unwrap();
                prop_assert!(back == value || (back.is_nan() && value.is_nan()), "{text}");
            }
        }
    }
}
