//! The variables that are read, and what was probably meant by another name.

const SIGNALS: [&str; 3] = ["TRACES", "METRICS", "LOGS"];

const OTLP: [&str; 9] = [
    "CERTIFICATE",
    "CLIENT_CERTIFICATE",
    "CLIENT_KEY",
    "COMPRESSION",
    "ENDPOINT",
    "HEADERS",
    "INSECURE",
    "PROTOCOL",
    "TIMEOUT",
];

const BATCH: [&str; 4] = [
    "EXPORT_TIMEOUT",
    "MAX_EXPORT_BATCH_SIZE",
    "MAX_QUEUE_SIZE",
    "SCHEDULE_DELAY",
];

const OTHERS: [&str; 24] = [
    "BARTIZAN_LOG_FORMAT",
    "BARTIZAN_TELEMETRY_QUEUE_MAX_BYTES",
    "BARTIZAN_TELEMETRY_SPOOL_DIR",
    "BARTIZAN_TELEMETRY_SPOOL_MAX_BYTES",
    "OTEL_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS",
    "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_METRIC_EXPORT_INTERVAL",
    "OTEL_METRIC_EXPORT_TIMEOUT",
    "OTEL_PROPAGATORS",
    "OTEL_RESOURCE_ATTRIBUTES",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
];

/// How many letters a slip of the fingers changes: two, as when two of them change places.
const SLIP: usize = 2;

/// What the set-up from the environment reads, and how lines look.
fn known() -> impl Iterator<Item = String> {
    let otlp = ["".to_owned()]
        .into_iter()
        .chain(SIGNALS.map(|signal| format!("{signal}_")))
        .flat_map(|signal| OTLP.map(|name| format!("OTEL_EXPORTER_OTLP_{signal}{name}")));
    let batches = ["BSP", "BLRP"]
        .into_iter()
        .flat_map(|of| BATCH.map(|name| format!("OTEL_{of}_{name}")));
    otlp.chain(batches)
        .chain(SIGNALS.map(|signal| format!("OTEL_{signal}_EXPORTER")))
        .chain(OTHERS.map(str::to_owned))
}

/// Of a name that starts like ours or OpenTelemetry's.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Known,
    /// It looks like this one.
    Slip(String),
    /// Nothing here reads it; others may.
    Unread,
}

pub(super) fn verdict(name: &str) -> Verdict {
    let closest = known()
        .map(|known| (distance(name, &known), known))
        .min_by_key(|(distance, _)| *distance);
    match closest {
        Some((0, _)) => Verdict::Known,
        Some((distance, known)) if distance <= SLIP => Verdict::Slip(known),
        _ => Verdict::Unread,
    }
}

/// Levenshtein's: how many bytes have to be put in, left out or changed.
fn distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (line, from) in left.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, to) in right.bytes().enumerate() {
            let changed = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_slip_is_told_from_what_others_read() {
        for (name, meant) in [
            ("OTEL_SERVICE_NAME", Verdict::Known),
            ("OTEL_EXPORTER_OTLP_LOGS_HEADERS", Verdict::Known),
            (
                "OTEL_EXPORTER_OLTP_ENDPOINT",
                Verdict::Slip("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned()),
            ),
            (
                "OTEL_SERVICENAME",
                Verdict::Slip("OTEL_SERVICE_NAME".to_owned()),
            ),
            (
                "BARTIZAN_LOGFORMAT",
                Verdict::Slip("BARTIZAN_LOG_FORMAT".to_owned()),
            ),
            ("OTEL_LOG_LEVEL", Verdict::Unread),
            ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", Verdict::Unread),
        ] {
            assert_eq!(verdict(name), meant, "{name}");
        }
    }

    /// `A_{B,C}_[{D,E}_]F` as the names that it stands for.
    fn expand(pattern: &str) -> Vec<String> {
        let Some(at) = pattern.find(['{', '[']) else {
            return vec![pattern.to_owned()];
        };
        let (close, choices) = match &pattern[at..=at] {
            "{" => {
                let close = at + pattern[at..].find('}').unwrap();
                let choices = pattern[at + 1..close]
                    .split(',')
                    .map(str::to_owned)
                    .collect();
                (close, choices)
            }
            _ => {
                let close = at + pattern[at..].find(']').unwrap();
                (
                    close,
                    vec![String::new(), pattern[at + 1..close].to_owned()],
                )
            }
        };
        choices
            .iter()
            .flat_map(|choice| {
                expand(&format!(
                    "{}{choice}{}",
                    &pattern[..at],
                    &pattern[close + 1..]
                ))
            })
            .collect()
    }

    #[test]
    fn the_names_are_those_of_the_readers_documentation() {
        let table = include_str!("../../../bartizan-observe/src/telemetry/from_env/mod.rs");
        let rows = table.lines().filter_map(|line| {
            let cell = line.trim().strip_prefix("/// | `")?;
            cell.split(" | ").next()
        });
        let documented: BTreeSet<String> = rows
            .flat_map(|cell| cell.split("`, `").map(|name| name.trim_matches('`')))
            .flat_map(expand)
            .chain([bartizan::telemetry::LOG_FORMAT_VARIABLE.to_owned()])
            .collect();
        assert_eq!(documented, known().collect());
    }
}
