//! The lines of a drawing, top to bottom.

use std::collections::{HashMap, HashSet};

use opentelemetry::trace::SpanId;

use super::{MAX_LINES, bar, text};
use crate::{
    store::Trace,
    view::{EventView, LogView, SpanView, StatusCode, Value},
};

/// From this depth on, spans are no longer indented further: there would be no room for names.
const MAX_DEPTH: usize = 12;

/// The attributes worth a place, in this order.
const KEY_ATTRIBUTES: [&str; 10] = [
    "http.response.status_code",
    "error.type",
    "bartizan.outcome",
    "http.request.resend_count",
    "db.system.name",
    // Before what it says again, since the line is cut at its end.
    "db.query.text",
    "db.namespace",
    "db.operation.name",
    "db.collection.name",
    "db.query.summary",
];

/// Attributes of a log line that are not shown: the ids that it has in common with its span, and
/// what an access line tells about the request, which the span tells too.
const OF_THE_SPAN: [&str; 7] = [
    "bartizan.",
    "client.",
    "http.",
    "network.",
    "server.",
    "url.",
    "user_agent.",
];

pub(super) struct Drawing<'a> {
    trace: &'a Trace,
    width: usize,
    start: u64,
    total: u64,
    children: HashMap<Option<SpanId>, Vec<usize>>,
    logs: HashMap<SpanId, Vec<&'a LogView>>,
    drawn: HashSet<usize>,
    out: String,
    lines: usize,
}

/// What is still to be drawn; the next is the last of the stack.
enum Row<'a> {
    Span {
        index: usize,
        head: String,
        below: String,
        depth: usize,
    },
    Log {
        log: &'a LogView,
        head: String,
    },
    Event {
        event: &'a EventView,
        head: String,
    },
}

// === impl Drawing ===

impl<'a> Drawing<'a> {
    pub(super) fn new(trace: &'a Trace, width: usize) -> Self {
        let mut logs = HashMap::<_, Vec<_>>::new();
        for log in &trace.logs {
            if let Some(id) = log.span_id {
                logs.entry(id).or_default().push(log.as_ref());
            }
        }
        Self {
            trace,
            width,
            start: trace.start_unix_nanos(),
            total: u64::try_from(trace.duration().as_nanos())
                .unwrap_or(u64::MAX)
                .max(1),
            children: trace.children(),
            logs,
            drawn: HashSet::new(),
            out: String::new(),
            lines: 0,
        }
    }

    pub(super) fn header(&mut self) {
        let trace = self.trace;
        self.line(&format!("trace {}  {}", trace.id, text::date(self.start)));
        let summary = format!(
            "{} · {} · {} · {}",
            trace.services().join(", "),
            text::count(trace.spans.len(), "span"),
            text::count(trace.logs.len(), "log line"),
            text::duration(self.total_or_zero()),
        );
        self.line(&text::clean(&summary, self.width));
        self.line(&"─".repeat(self.width));
    }

    /// Roots first, then spans whose parent is not here, then what is left: spans that claim to be
    /// each other's parents.
    pub(super) fn spans(&mut self) {
        let known: HashSet<_> = self.trace.spans.iter().map(|span| span.span_id).collect();
        let is_root = |span: &SpanView| span.parent_span_id.is_none();
        let is_orphan = |span: &SpanView| {
            span.parent_span_id
                .is_some_and(|parent| !known.contains(&parent))
        };
        let passes: [&dyn Fn(&SpanView) -> bool; 3] = [&is_root, &is_orphan, &|_| true];
        for wanted in passes {
            for (index, span) in self.trace.spans.iter().enumerate() {
                if wanted(span) && !self.drawn.contains(&index) {
                    self.tree(index);
                }
            }
        }
    }

    /// Draws a span and all below it. A stack of our own, as a chain can be deeper than the call
    /// stack is.
    fn tree(&mut self, root: usize) {
        let mut stack = vec![Row::Span {
            index: root,
            head: String::new(),
            below: String::new(),
            depth: 0,
        }];
        while let Some(row) = stack.pop() {
            match row {
                Row::Log { log, head } => self.log(log, &head),
                Row::Event { event, head } => self.event(event, &head),
                Row::Span {
                    index,
                    head,
                    below,
                    depth,
                } => {
                    if !self.drawn.insert(index) {
                        continue;
                    }
                    let span: &'a SpanView = &self.trace.spans[index];
                    self.span(span, &head);
                    let rows = self.below(span, &below, depth);
                    let has_child = rows.iter().any(|row| matches!(row, Row::Span { .. }));
                    self.details(span, &below, has_child);
                    stack.extend(rows.into_iter().rev());
                }
            }
        }
    }

    /// Events, log lines and child spans of a span, by time.
    fn below(&self, span: &'a SpanView, below: &str, depth: usize) -> Vec<Row<'a>> {
        enum Item<'a> {
            Event(&'a EventView),
            Log(&'a LogView),
            Child(usize),
        }
        let events = span
            .events
            .iter()
            .map(|event| (event.unix_nanos, Item::Event(event)));
        let logs = self.logs.get(&span.span_id).into_iter().flatten();
        let logs = logs.map(|log| (log.unix_nanos, Item::Log(log)));
        let children = self.children.get(&Some(span.span_id)).into_iter().flatten();
        let children = children
            .filter(|index| !self.drawn.contains(index))
            .map(|index| {
                (
                    self.trace.spans[*index].start_unix_nanos,
                    Item::Child(*index),
                )
            });
        let mut items: Vec<_> = events.chain(logs).chain(children).collect();
        items.sort_by_key(|(time, _)| *time);

        let last_child = items
            .iter()
            .rposition(|(_, item)| matches!(item, Item::Child(_)));
        let rows = items.into_iter().enumerate().map(|(position, (_, item))| {
            let open = last_child.is_some_and(|last| position < last);
            let note = || format!("{below}{}", if open { "│ " } else { "  " });
            match item {
                Item::Event(event) => Row::Event {
                    event,
                    head: note(),
                },
                Item::Log(log) => Row::Log { log, head: note() },
                Item::Child(index) => {
                    let below = if depth >= MAX_DEPTH {
                        below.to_owned()
                    } else {
                        format!("{below}{}", if open { "│  " } else { "   " })
                    };
                    let stem = below.chars().count().saturating_sub(3);
                    let head: String = below.chars().take(stem).collect();
                    let head = format!("{head}{}", if open { "├─ " } else { "└─ " });
                    Row::Span {
                        index,
                        head,
                        below,
                        depth: depth + 1,
                    }
                }
            }
        });
        rows.collect()
    }

    fn span(&mut self, span: &SpanView, head: &str) {
        let offset = span.start_unix_nanos.saturating_sub(self.start);
        let length = span.end_unix_nanos.saturating_sub(span.start_unix_nanos);
        let duration = match span.end_unix_nanos {
            0 => "open".to_owned(),
            _ => text::duration(length),
        };
        let bar_width = self.width / 4;
        let label_width = self.width - bar_width - 20;
        let mark = if span.status == StatusCode::Error {
            "✗ "
        } else {
            ""
        };
        let label = format!("{head}{mark}{}  {}", span.service(), span.name);
        let label = text::pad(&text::clean(&label, label_width), label_width);
        let bar = bar::draw(offset, length, self.total, bar_width);
        let line = format!(
            "{label} {:>9} {duration:>8} {bar}",
            format!("+{}", text::duration(offset))
        );
        self.line(&text::clean(line.trim_end(), self.width));
    }

    /// Why it failed, and the attributes worth a place.
    fn details(&mut self, span: &SpanView, below: &str, has_child: bool) {
        let mut parts = Vec::new();
        if !span.status_message.is_empty() {
            parts.push(format!("status={}", span.status_message));
        }
        for key in KEY_ATTRIBUTES {
            if let Some(value) = span.attributes.get(key) {
                parts.push(format!("{key}={value}"));
            }
        }
        if !parts.is_empty() {
            let stem = if has_child { "│ " } else { "  " };
            let line = text::clean(&format!("{below}{stem}{}", parts.join(" ")), self.width);
            self.line(&line);
        }
    }

    fn event(&mut self, event: &EventView, head: &str) {
        let attributes: Vec<_> = event
            .attributes
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let at = text::signed(event.unix_nanos, self.start);
        let line = format!("{head}{at} EVENT {} {}", event.name, attributes.join(" "));
        self.line(text::clean(&line, self.width).trim_end());
    }

    fn log(&mut self, log: &LogView, head: &str) {
        let at = text::signed(log.unix_nanos, self.start);
        let body = match &log.body {
            Value::Null => log.event_name.clone(),
            body => body.to_string(),
        };
        let mut line = format!("{head}{at} {:<5} {body}", log.level());
        for (key, value) in log.attributes.iter() {
            if !OF_THE_SPAN.iter().any(|prefix| key.starts_with(prefix)) {
                line.push_str(&format!(" {key}={value}"));
            }
        }
        self.line(text::clean(&line, self.width).trim_end());
    }

    /// Log lines of the trace whose span is not here.
    pub(super) fn loose_logs(&mut self) {
        let known: HashSet<_> = self.trace.spans.iter().map(|span| span.span_id).collect();
        let mut title = Some("outside these spans:");
        for log in &self.trace.logs {
            if log.span_id.is_none_or(|id| !known.contains(&id)) {
                if let Some(title) = title.take() {
                    self.line(title);
                }
                self.log(log, "  ");
            }
        }
    }

    fn total_or_zero(&self) -> u64 {
        u64::try_from(self.trace.duration().as_nanos()).unwrap_or(u64::MAX)
    }

    fn line(&mut self, line: &str) {
        self.lines += 1;
        if self.lines <= MAX_LINES {
            self.out.push_str(line);
            self.out.push('\n');
        }
    }

    pub(super) fn finish(mut self) -> String {
        let over = self.lines.saturating_sub(MAX_LINES);
        if over > 0 {
            self.out
                .push_str(&format!("… and {}\n", text::count(over, "more line")));
        }
        self.out
    }
}
