//! What stands below a span, and the lines of the tree before each.

use super::drawing::Drawing;
use crate::view::{EventView, LogView, SpanView};

/// From this depth on, spans are no longer indented further: there would be no room for names.
const MAX_DEPTH: usize = 12;

/// What is still to be drawn, with what stands before it.
pub(super) enum Row<'a> {
    Span {
        index: usize,
        head: String,
        /// Before whatever is below the span.
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

enum Item<'a> {
    Event(&'a EventView),
    Log(&'a LogView),
    Child(usize),
}

// === impl Row ===

impl<'a> Row<'a> {
    /// The span at the top of a tree.
    pub(super) const fn root(index: usize) -> Self {
        Row::Span {
            index,
            head: String::new(),
            below: String::new(),
            depth: 0,
        }
    }

    /// Events, log lines and child spans of a span, by time.
    pub(super) fn below(
        drawing: &Drawing<'a>,
        span: &'a SpanView,
        below: &str,
        depth: usize,
    ) -> Vec<Self> {
        let items = items(drawing, span);
        let last_child = items
            .iter()
            .rposition(|item| matches!(item, Item::Child(_)));
        let rows = items.into_iter().enumerate().map(|(position, item)| {
            let open = last_child.is_some_and(|last| position < last);
            let note = || format!("{below}{}", stem(open));
            match item {
                Item::Event(event) => Row::Event {
                    event,
                    head: note(),
                },
                Item::Log(log) => Row::Log { log, head: note() },
                Item::Child(index) => Self::child(index, below, depth, open),
            }
        });
        rows.collect()
    }

    fn child(index: usize, below: &str, depth: usize, open: bool) -> Self {
        let below = if depth >= MAX_DEPTH {
            below.to_owned()
        } else {
            format!("{below}{}", if open { "│  " } else { "   " })
        };
        let kept = below.chars().count().saturating_sub(3);
        let head: String = below.chars().take(kept).collect();
        let head = format!("{head}{}", if open { "├─ " } else { "└─ " });
        Row::Span {
            index,
            head,
            below,
            depth: depth + 1,
        }
    }
}

/// What stands before a note, by whether a child span is still to come below it.
pub(super) const fn stem(open: bool) -> &'static str {
    if open { "│ " } else { "  " }
}

fn items<'a>(drawing: &Drawing<'a>, span: &'a SpanView) -> Vec<Item<'a>> {
    let events = span
        .events
        .iter()
        .map(|event| (event.unix_nanos, Item::Event(event)));
    let logs = drawing
        .logs_of(span)
        .map(|log| (log.unix_nanos, Item::Log(log)));
    let children = drawing
        .children_of(span)
        .map(|(index, child)| (child.start_unix_nanos, Item::Child(index)));
    let mut items: Vec<_> = events.chain(logs).chain(children).collect();
    items.sort_by_key(|(time, _)| *time);
    items.into_iter().map(|(_, item)| item).collect()
}
