//! What a file and the environment say, before anyone knows what is expected.

use std::collections::BTreeMap;

/// A value of the file.
#[derive(Debug)]
pub(super) struct FileNode {
    pub(super) value: FileValue,
    /// Counted from 1.
    pub(super) line: usize,
    /// As it was written; empty for tables.
    pub(super) text: String,
}

#[derive(Debug)]
pub(super) enum FileValue {
    Table(Vec<FileEntry>),
    Array(Vec<FileNode>),
    Text(String),
    /// `None` where it is larger than any number has to be.
    Integer(Option<i128>),
    Float(f64),
    Bool(bool),
    /// Dates and times, which are read as the text they were written as.
    Time,
}

#[derive(Debug)]
pub(super) struct FileEntry {
    pub(super) key: String,
    /// Where the key stands, counted from 1.
    pub(super) line: usize,
    pub(super) node: FileNode,
}

/// A part of the environment: the variables whose names begin alike.
#[derive(Debug, Default)]
pub(super) struct EnvNode {
    /// The variable whose name ends here.
    pub(super) own: Option<EnvValue>,
    /// By the next part of the name, in lower case.
    pub(super) children: BTreeMap<String, Self>,
}

#[derive(Debug)]
pub(super) struct EnvValue {
    /// `None` is a default of the service's own.
    pub(super) name: Option<String>,
    pub(super) text: String,
}

/// A place in the configuration, as both see it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Node<'t> {
    /// At least one of the two is there.
    Merged(Option<&'t FileNode>, Option<&'t EnvNode>),
    /// A part of a variable's value, or a key.
    Text {
        name: Option<&'t str>,
        text: &'t str,
        line: usize,
    },
}

/// What a place holds; the environment is asked first.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind<'t> {
    Table(Option<&'t [FileEntry]>, Option<&'t EnvNode>),
    /// A value of the file that is no table.
    File(&'t FileNode),
    /// A text of the environment, of which any type is made that is wanted.
    Env {
        name: Option<&'t str>,
        text: &'t str,
    },
}

// === impl FileNode ===

impl FileNode {
    /// What a file that is not there says.
    pub(super) const fn empty() -> Self {
        Self {
            value: FileValue::Table(Vec::new()),
            line: 0,
            text: String::new(),
        }
    }

    /// Whether anything is set at the end of a way of parts, or on the way something that is no
    /// table.
    fn has(&self, parts: &[&str]) -> bool {
        let (FileValue::Table(entries), [part, rest @ ..]) = (&self.value, parts) else {
            return true;
        };
        let mut named = entries.iter().filter(|entry| part_of(&entry.key) == **part);
        named.any(|entry| entry.node.has(rest))
    }
}

// === impl EnvNode ===

impl EnvNode {
    /// Any variable below, to say where an unknown key was set.
    pub(super) fn first_name(&self) -> Option<&str> {
        let own = self.own.as_ref().and_then(|value| value.name.as_deref());
        own.or_else(|| self.children.values().find_map(Self::first_name))
    }

    /// Puts a value at the end of a way of parts.
    pub(super) fn insert<'p>(&mut self, parts: impl IntoIterator<Item = &'p str>, value: EnvValue) {
        let mut node = self;
        for part in parts {
            node = node.children.entry(part.to_ascii_lowercase()).or_default();
        }
        node.own = Some(value);
    }

    /// The same, unless it or something around it is set in either place.
    pub(super) fn insert_default(&mut self, parts: &[&str], file: &FileNode, text: String) {
        let mut found = Some(&*self);
        for part in parts {
            found = found.and_then(|node| node.children.get(*part));
            if found.is_some_and(|node| node.own.is_some()) {
                return;
            }
        }
        let has_children = found.is_some_and(|node| !node.children.is_empty());
        if !has_children && !file.has(parts) {
            self.insert(parts.iter().copied(), EnvValue { name: None, text });
        }
    }
}

// === impl Node ===

impl<'t> Node<'t> {
    pub(super) fn kind(self) -> Kind<'t> {
        match self {
            Self::Text { name, text, .. } => Kind::Env { name, text },
            Self::Merged(file, env) => {
                if let Some(EnvValue { name, text }) = env.and_then(|env| env.own.as_ref()) {
                    return Kind::Env {
                        name: name.as_deref(),
                        text,
                    };
                }
                let env = env.filter(|env| !env.children.is_empty());
                match file.map(|file| (&file.value, file)) {
                    Some((FileValue::Table(entries), _)) => Kind::Table(Some(entries), env),
                    Some((_, file)) if env.is_none() => Kind::File(file),
                    // A table of the environment's takes the place of another value in the file.
                    _ => Kind::Table(None, env),
                }
            }
        }
    }
}

/// How a key is written as a part of a variable's name, in lower case.
pub(super) fn part_of(key: &str) -> String {
    key.to_ascii_lowercase().replace('-', "_")
}
