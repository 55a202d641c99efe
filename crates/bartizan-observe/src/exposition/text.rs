//! Families as text.

use super::Format;
use super::family::{Family, Kind, Value};
use super::labels::{Labels, Quotes, push_escaped};
use super::number::{push_float, push_integer, push_timestamp};
use super::view::{Distribution, Exemplar};

/// The whole page.
pub(super) fn write(families: &[Family], format: Format) -> String {
    let mut page = Writer {
        out: String::new(),
        format,
    };
    for family in families.iter().filter(|family| !family.series.is_empty()) {
        page.family(family);
    }
    if format == Format::OpenMetrics {
        page.out.push_str("# EOF\n");
    }
    page.out
}

struct Writer {
    out: String,
    format: Format,
}

// === impl Writer ===

impl Writer {
    fn family(&mut self, family: &Family) {
        // In Prometheus' text a family is called as its samples are.
        let suffix = match (family.kind, self.format) {
            (Kind::Counter, Format::Prometheus) => "_total",
            (Kind::Info, Format::Prometheus) => "_info",
            _ => "",
        };
        let name = format!("{}{suffix}", family.name);
        match self.format {
            Format::Prometheus => {
                self.help(&name, &family.help, Quotes::Plain);
                self.metadata("TYPE", &name, family.kind.as_str(self.format));
            }
            Format::OpenMetrics => {
                self.metadata("TYPE", &name, family.kind.as_str(self.format));
                if let Some(unit) = &family.unit {
                    self.metadata("UNIT", &name, unit);
                }
                self.help(&name, &family.help, Quotes::Escaped);
            }
        }
        let suffix = match family.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        for (labels, value) in &family.series {
            match value {
                Value::Number(number) => {
                    self.name(&family.name, suffix, labels, None);
                    number.push(&mut self.out, self.format);
                    self.out.push('\n');
                }
                Value::Distribution(distribution) => {
                    self.histogram(&family.name, labels, distribution);
                }
            }
        }
    }

    fn histogram(&mut self, name: &str, labels: &Labels, distribution: &Distribution) {
        let mut count: u64 = 0;
        let bounds = distribution.bounds.iter().copied();
        let bounds = bounds.chain([f64::INFINITY]);
        for (at, (bound, own)) in bounds.zip(&distribution.counts).enumerate() {
            count = count.saturating_add(*own);
            // An infinite bound that was given would make two lines of one.
            if bound == f64::INFINITY && at < distribution.bounds.len() {
                continue;
            }
            self.name(name, "_bucket", labels, Some(bound));
            push_integer(&mut self.out, count);
            if self.format == Format::OpenMetrics
                && *own > 0
                && let Some(exemplar) = distribution.latest_in(at)
            {
                self.exemplar(exemplar);
            }
            self.out.push('\n');
        }
        if let Some(sum) = distribution.sum {
            self.name(name, "_sum", labels, None);
            sum.push(&mut self.out, self.format);
            self.out.push('\n');
        }
        // OpenMetrics has both or neither.
        if distribution.sum.is_some() || self.format == Format::Prometheus {
            self.name(name, "_count", labels, None);
            push_integer(&mut self.out, count);
            self.out.push('\n');
        }
    }

    /// At most 128 characters of names and values are allowed: these are always 63.
    fn exemplar(&mut self, exemplar: &Exemplar) {
        let Exemplar {
            trace_id,
            span_id,
            value,
            at,
        } = exemplar;
        let labels = format!(" # {{trace_id=\"{trace_id}\",span_id=\"{span_id}\"}} ");
        self.out.push_str(&labels);
        push_float(&mut self.out, *value, self.format);
        self.out.push(' ');
        push_timestamp(&mut self.out, *at);
    }

    /// What comes before the value of a sample.
    fn name(&mut self, name: &str, suffix: &str, labels: &Labels, le: Option<f64>) {
        self.out.push_str(name);
        self.out.push_str(suffix);
        let labels = labels.as_str();
        if !labels.is_empty() || le.is_some() {
            self.out.push('{');
            self.out.push_str(labels);
            if let Some(le) = le {
                let comma = if labels.is_empty() { "" } else { "," };
                self.out.push_str(comma);
                self.out.push_str("le=\"");
                push_float(&mut self.out, le, self.format);
                self.out.push('"');
            }
            self.out.push('}');
        }
        self.out.push(' ');
    }

    fn help(&mut self, name: &str, help: &str, quotes: Quotes) {
        if !help.is_empty() {
            let mut escaped = String::with_capacity(help.len());
            push_escaped(&mut escaped, help, quotes);
            self.metadata("HELP", name, &escaped);
        }
    }

    fn metadata(&mut self, what: &str, name: &str, value: &str) {
        for part in ["# ", what, " ", name, " ", value, "\n"] {
            self.out.push_str(part);
        }
    }
}

// === impl Kind ===

impl Kind {
    const fn as_str(self, format: Format) -> &'static str {
        match (self, format) {
            (Self::Counter, _) => "counter",
            (Self::Histogram, _) => "histogram",
            (Self::Info, Format::OpenMetrics) => "info",
            (Self::Gauge, _) | (Self::Info, Format::Prometheus) => "gauge",
        }
    }
}

// === impl Distribution ===

impl Distribution {
    fn latest_in(&self, bucket: usize) -> Option<&Exemplar> {
        self.exemplars
            .iter()
            .filter(|one| self.bounds.partition_point(|bound| *bound < one.value) == bucket)
            .max_by_key(|one| one.at)
    }
}
