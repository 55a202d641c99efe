//! A trace from top to bottom.

use std::collections::{HashMap, HashSet};

use opentelemetry::trace::SpanId;

use super::{
    canvas::Canvas,
    label::{self, Scale},
    rows::{Row, stem},
    text,
};
use crate::{
    store::Trace,
    view::{LogView, SpanView},
};

pub(super) struct Drawing<'a> {
    trace: &'a Trace,
    scale: Scale,
    children: HashMap<Option<SpanId>, Vec<usize>>,
    logs: HashMap<SpanId, Vec<&'a LogView>>,
    /// Spans that have their line, each of which has only one.
    drawn: HashSet<usize>,
    canvas: Canvas,
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
            scale: Scale {
                width,
                start: trace.start_unix_nanos(),
                total: length(trace).max(1),
            },
            children: trace.children(),
            logs,
            drawn: HashSet::new(),
            canvas: Canvas::default(),
        }
    }

    pub(super) fn header(&mut self) {
        let (trace, Scale { width, start, .. }) = (self.trace, self.scale);
        self.canvas
            .line(&format!("trace {}  {}", trace.id, text::date(start)));
        let summary = format!(
            "{} · {} · {} · {}",
            trace.services().join(", "),
            text::count(trace.spans.len(), "span"),
            text::count(trace.logs.len(), "log line"),
            text::duration(length(trace)),
        );
        self.canvas.line(&text::clean(&summary, width));
        self.canvas.line(&"─".repeat(width));
    }

    /// Roots first, then spans whose parent is not here, then what is left: spans that claim to be
    /// each other's parents.
    pub(super) fn spans(&mut self) {
        let known = self.known();
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

    /// Log lines of the trace whose span is not here.
    pub(super) fn loose_logs(&mut self) {
        let known = self.known();
        let mut title = Some("outside these spans:");
        for log in &self.trace.logs {
            if log.span_id.is_none_or(|id| !known.contains(&id)) {
                if let Some(title) = title.take() {
                    self.canvas.line(title);
                }
                self.canvas.line(&label::log(log, "  ", self.scale));
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.canvas.finish()
    }

    /// The log lines of a span.
    pub(super) fn logs_of(&self, span: &SpanView) -> impl Iterator<Item = &'a LogView> {
        self.logs.get(&span.span_id).into_iter().flatten().copied()
    }

    /// The children of a span that have no line yet.
    pub(super) fn children_of(
        &self,
        span: &SpanView,
    ) -> impl Iterator<Item = (usize, &'a SpanView)> {
        let children = self.children.get(&Some(span.span_id)).into_iter().flatten();
        children
            .filter(|index| !self.drawn.contains(index))
            .map(|index| (*index, self.at(*index)))
    }

    /// Draws a span and all below it. A stack of our own, as a chain can be deeper than the call
    /// stack is.
    fn tree(&mut self, root: usize) {
        let mut stack = vec![Row::root(root)];
        while let Some(row) = stack.pop() {
            match row {
                Row::Log { log, head } => self.canvas.line(&label::log(log, &head, self.scale)),
                Row::Event { event, head } => {
                    self.canvas.line(&label::event(event, &head, self.scale));
                }
                Row::Span {
                    index,
                    head,
                    below,
                    depth,
                } => {
                    // It may have been put on the stack twice, where ids are repeated.
                    if !self.drawn.insert(index) {
                        continue;
                    }
                    let span = self.at(index);
                    let rows = Row::below(self, span, &below, depth);
                    let has_child = rows.iter().any(|row| matches!(row, Row::Span { .. }));
                    let head_of_details = format!("{below}{}", stem(has_child));
                    self.canvas.line(&label::span(span, &head, self.scale));
                    if let Some(line) = label::details(span, &head_of_details, self.scale) {
                        self.canvas.line(&line);
                    }
                    stack.extend(rows.into_iter().rev());
                }
            }
        }
    }

    fn at(&self, index: usize) -> &'a SpanView {
        &self.trace.spans[index]
    }

    fn known(&self) -> HashSet<SpanId> {
        self.trace.spans.iter().map(|span| span.span_id).collect()
    }
}

fn length(trace: &Trace) -> u64 {
    u64::try_from(trace.duration().as_nanos()).unwrap_or(u64::MAX)
}
