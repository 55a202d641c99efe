//! UCUM units in Prometheus' words.

/// The unit as it is put behind a metric's name; `None` when there is nothing to put.
///
/// What is in braces is an annotation and no unit. A unit that is not in the table is taken as it
/// is. `1` is none here: what it stands for depends on the instrument.
pub(super) fn words(ucum: &str) -> Option<String> {
    let plain = without_annotations(ucum);
    let mut parts = plain.split('/').map(str::trim);
    let whole = parts.next().map_or("", |unit| lookup(WHOLE, unit));
    let mut words = match whole {
        "1" => String::new(),
        whole => whole.to_owned(),
    };
    for part in parts.map(|unit| lookup(PER, unit)) {
        if !part.is_empty() {
            words.push_str("_per_");
            words.push_str(part);
        }
    }
    let words = super::name::sanitised(&words, super::name::is_label_char);
    let words = words.trim_matches('_');
    (!words.is_empty()).then(|| words.to_owned())
}

fn without_annotations(unit: &str) -> String {
    let mut depth = 0_u32;
    unit.chars()
        .filter(|next| match next {
            '{' => {
                depth += 1;
                false
            }
            '}' => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
        .collect()
}

fn lookup<'a>(table: &[(&str, &'a str)], unit: &'a str) -> &'a str {
    table
        .iter()
        .find(|(ucum, _)| *ucum == unit)
        .map_or(unit, |(_, word)| word)
}

/// As the collector's and the Go SDK's exporters have it.
const WHOLE: &[(&str, &str)] = &[
    ("d", "days"),
    ("h", "hours"),
    ("min", "minutes"),
    ("s", "seconds"),
    ("ms", "milliseconds"),
    ("us", "microseconds"),
    ("ns", "nanoseconds"),
    ("By", "bytes"),
    ("KiBy", "kibibytes"),
    ("MiBy", "mebibytes"),
    ("GiBy", "gibibytes"),
    ("TiBy", "tebibytes"),
    ("KBy", "kilobytes"),
    ("kBy", "kilobytes"),
    ("MBy", "megabytes"),
    ("GBy", "gigabytes"),
    ("TBy", "terabytes"),
    ("m", "meters"),
    ("V", "volts"),
    ("A", "amperes"),
    ("J", "joules"),
    ("W", "watts"),
    ("g", "grams"),
    ("Cel", "celsius"),
    ("Hz", "hertz"),
    ("%", "percent"),
];

const PER: &[(&str, &str)] = &[
    ("s", "second"),
    ("m", "minute"),
    ("min", "minute"),
    ("h", "hour"),
    ("d", "day"),
    ("w", "week"),
    ("wk", "week"),
    ("mo", "month"),
    ("y", "year"),
    ("a", "year"),
    ("By", "byte"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_become_words() {
        let cases = [
            ("s", Some("seconds")),
            ("ms", Some("milliseconds")),
            ("By", Some("bytes")),
            ("KiBy", Some("kibibytes")),
            ("%", Some("percent")),
            ("By/s", Some("bytes_per_second")),
            ("{request}/s", Some("per_second")),
            ("1/s", Some("per_second")),
            ("{request}", None),
            ("By{payload}", Some("bytes")),
            ("{a}{b}", None),
            ("{broken", None),
            ("lx", Some("lx")),
            ("m/s2", Some("meters_per_s2")),
            ("°", None),
            ("/", None),
            ("1", None),
            ("", None),
        ];
        for (ucum, expected) in cases {
            assert_eq!(words(ucum).as_deref(), expected, "{ucum}");
        }
    }
}
