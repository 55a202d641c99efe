//! The fields of spans and events.

use std::error::Error;
use std::fmt::{self, Write};

use tracing::field::{Field, Visit};

use super::text::{Escaped, Quotes, push_json, push_word};

/// The fields of one span, kept in its extensions in no format at all, so that layers of different
/// formats can share them.
#[derive(Default)]
pub(super) struct SpanFields(Vec<(&'static str, Value)>);

enum Value {
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
    Text(String),
}

/// Writes an event's message, or else nothing.
pub(super) struct Message<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) quotes: Quotes,
    /// Written in front of the message.
    pub(super) before: &'static [u8],
    pub(super) found: bool,
}

/// Writes all fields but the message.
pub(super) struct Fields<'a> {
    out: &'a mut Vec<u8>,
    style: Style,
    started: bool,
}

/// How fields are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// `"fields":{"a":1,"b":"x"}`, preceded by a comma; nothing when there are none.
    Json,
    /// ` a=1 b=x`.
    Words,
}

const MESSAGE: &str = "message";

// === impl SpanFields ===

impl SpanFields {
    /// Takes over what is in `newer`, which replaces values of the same name.
    pub(super) fn merge(&mut self, newer: Self) {
        for (name, value) in newer.0 {
            self.set(name, value);
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, style: Style) {
        let mut fields = Fields::new(out, style);
        for (name, value) in &self.0 {
            fields.name(name);
            match value {
                Value::Signed(value) => fields.bare(value),
                Value::Unsigned(value) => fields.bare(value),
                Value::Float(value) => fields.float(*value),
                Value::Bool(value) => fields.bare(value),
                Value::Text(value) => fields.text(value),
            }
        }
        fields.end();
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn set(&mut self, name: &'static str, value: Value) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }
}

impl Visit for SpanFields {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), Value::Signed(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), Value::Unsigned(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), Value::Float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), Value::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), Value::Text(value.to_owned()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.set(field.name(), Value::Text(Chain(value).to_string()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        // A value that fails to print is kept as far as it came.
        let _ = write!(text, "{value:?}");
        self.set(field.name(), Value::Text(text));
    }
}

// === impl Message ===

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == MESSAGE && !self.found {
            self.found = true;
            self.out.extend_from_slice(self.before);
            print(self.out, self.quotes, format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(super) const fn new(out: &'a mut Vec<u8>, style: Style) -> Self {
        Self {
            out,
            style,
            started: false,
        }
    }

    /// Closes what was opened.
    pub(super) fn end(self) {
        if self.started && self.style == Style::Json {
            self.out.push(b'}');
        }
    }

    fn name(&mut self, name: &str) {
        // A raw identifier is called by its plain name.
        let name = name.strip_prefix("r#").unwrap_or(name);
        match self.style {
            Style::Json => {
                self.out
                    .extend_from_slice(if self.started { b"," } else { b",\"fields\":{" });
                push_json(self.out, name);
                self.out.push(b':');
            }
            Style::Words => {
                self.out.push(b' ');
                push_word(self.out, name);
                self.out.push(b'=');
            }
        }
        self.started = true;
    }

    /// A value that needs no escaping and no quotation marks in either style.
    fn bare(&mut self, value: &dyn fmt::Display) {
        print(self.out, Quotes::Escape, format_args!("{value}"));
    }

    fn float(&mut self, value: f64) {
        // JSON has no infinities and no NaN.
        if self.style == Style::Json && !value.is_finite() {
            self.text(if value.is_nan() {
                "NaN"
            } else if value > 0.0 {
                "inf"
            } else {
                "-inf"
            });
        } else {
            self.bare(&format_args!("{value:?}"));
        }
    }

    fn text(&mut self, value: &str) {
        match self.style {
            Style::Json => push_json(self.out, value),
            Style::Words => push_word(self.out, value),
        }
    }

    /// Text that is printed straight into the line.
    fn printed(&mut self, value: &dyn fmt::Debug) {
        match self.style {
            Style::Json => {
                self.out.push(b'"');
                print(self.out, Quotes::Escape, format_args!("{value:?}"));
                self.out.push(b'"');
            }
            Style::Words => {
                let start = self.out.len();
                print(self.out, Quotes::Keep, format_args!("{value:?}"));
                self.quote_from(start);
            }
        }
    }

    /// Puts what was printed in quotation marks unless it is one word or has them already.
    fn quote_from(&mut self, start: usize) {
        let value = &self.out[start..];
        let quoted = matches!(value, [b'"', inner @ .., b'"'] if !inner.contains(&b'"'));
        let one_word = !value.is_empty() && !value.iter().any(|byte| b" =\"".contains(byte));
        if quoted || one_word {
            return;
        }
        // Escaped already but for the quotation marks.
        let value = self.out.split_off(start);
        self.out.push(b'"');
        for byte in value {
            if byte == b'"' {
                self.out.push(b'\\');
            }
            self.out.push(byte);
        }
        self.out.push(b'"');
    }

    fn put(&mut self, field: &Field, write: impl FnOnce(&mut Self)) {
        if field.name() != MESSAGE {
            self.name(field.name());
            write(self);
        }
    }
}

impl Visit for Fields<'_> {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, |fields| fields.bare(&value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, |fields| fields.bare(&value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, |fields| fields.float(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, |fields| fields.bare(&value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, |fields| fields.text(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, |fields| {
            fields.printed(&format_args!("{}", Chain(value)))
        });
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, |fields| fields.printed(value));
    }
}

/// An error and what caused it, in one line.
struct Chain<'a>(&'a (dyn Error + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// Prints a value straight into the line. One that fails to print is kept as far as it came, as a
/// line is not to be lost for it.
fn print(out: &mut Vec<u8>, quotes: Quotes, value: fmt::Arguments<'_>) {
    let _ = Escaped::new(out, quotes).write_fmt(value);
}
