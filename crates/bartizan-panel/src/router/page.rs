//! The page: recent traces, each a line that opens to its drawing.

use std::fmt::Write;

use crate::{
    store::{Stats, Trace},
    waterfall,
};

/// How many traces are on the page, all of them drawn.
pub(super) const TRACES: usize = 20;

const STYLE: &str = "body{font:14px system-ui,sans-serif;margin:2em;max-width:110ch}\
    pre{font:12px/1.3 ui-monospace,monospace;overflow-x:auto;padding:1em;background:#f4f4f4}\
    summary{cursor:pointer;padding:.2em 0}\
    @media(prefers-color-scheme:dark){body{background:#111;color:#ddd}pre{background:#1c1c1c}}";

pub(super) fn render(traces: &[Trace], stats: &Stats) -> String {
    let mut page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <title>Bartizan traces</title><style>{STYLE}</style><h1>Traces</h1>\
         <p>{} spans in {} traces, {} log records, {} metric series; reload for more.</p>",
        stats.spans, stats.traces, stats.log_records, stats.kept_series
    );
    for trace in traces {
        // Writing into a string does not fail.
        let _written = write!(
            page,
            "<details><summary>{} · {} · {} spans{}{}</summary><pre>{}</pre></details>",
            escape(&trace.services().join(", ")),
            escape(trace.root().map_or("(no root)", |root| &root.name)),
            trace.spans.len(),
            if trace.has_error() { " · error" } else { "" },
            if trace.is_complete() {
                ""
            } else {
                " · incomplete"
            },
            escape(&waterfall(trace)),
        );
    }
    page.push_str("</html>");
    page
}

/// For text between tags.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
