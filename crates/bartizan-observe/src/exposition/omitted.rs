use std::fmt;

/// Something that was measured and is not on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Omitted {
    /// The instrument's name; of [`OmittedReason::Duplicate`], the family's.
    pub metric: String,
    /// Why it is missing.
    pub reason: OmittedReason,
    /// How many series are missing.
    pub series: usize,
}

/// Why something is not on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OmittedReason {
    /// Another instrument has the same name in Prometheus' terms, or one that a histogram or
    /// counter makes of it, and is of another type. The first one by scope and name stays.
    Conflict,
    /// Another series has the same name and labels. The first one by scope and name stays.
    Duplicate,
    /// An exponential histogram, which neither text format can express, or a value that is not
    /// cumulative.
    Unsupported,
}

impl fmt::Display for OmittedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conflict => "its name is taken by a metric of another type",
            Self::Duplicate => "another series has the same name and labels",
            Self::Unsupported => "there is no text form for its type",
        })
    }
}
