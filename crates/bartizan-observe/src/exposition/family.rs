//! From instruments to families: one name, one type, one set of series.

use std::collections::HashMap;

use super::labels::{Labels, Of, ScopeLabels};
use super::name::FamilyName;
use super::omitted::{Omitted, OmittedReason};
use super::view::{Attribute, Data, Distribution, Instrument, Number, Point, Snapshot};

#[derive(Debug)]
pub(super) struct Family {
    /// Without a type's suffix, as OpenMetrics has it.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) unit: Option<String>,
    /// Empty when there is none.
    pub(super) help: String,
    /// Sorted by labels, which no two have in common.
    pub(super) series: Vec<(Labels, Value)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
    Info,
}

#[derive(Debug)]
pub(super) enum Value {
    Number(Number),
    Distribution(Distribution),
}

/// An instrument on its way into a family.
struct Candidate<'a> {
    name: FamilyName,
    scope: usize,
    instrument: Instrument<'a>,
}

/// Families so far, and which names are taken by which.
#[derive(Default)]
struct Families {
    all: Vec<Family>,
    taken: HashMap<String, usize>,
    omitted: Vec<Omitted>,
}

/// Puts instruments of one name together, whatever scope they are from, sorted by name; the
/// resource comes first. What does not fit is said.
///
/// The result does not depend on the order of the scopes and instruments.
pub(super) fn families(snapshot: Snapshot<'_>) -> (Vec<Family>, Vec<Omitted>) {
    let mut families = Families::default();
    families.add_target(&snapshot.resource);

    let mut scopes = snapshot.scopes;
    scopes.sort_by(|one, other| {
        (one.name, one.version, &one.attributes).cmp(&(
            other.name,
            other.version,
            &other.attributes,
        ))
    });
    let labels: Vec<_> = scopes.iter().map(ScopeLabels::of).collect();
    let mut candidates: Vec<_> = scopes
        .into_iter()
        .enumerate()
        .flat_map(|(scope, of)| of.instruments.into_iter().map(move |i| (scope, i)))
        .map(|(scope, instrument)| Candidate {
            name: FamilyName::of(instrument.name, instrument.unit, &instrument.data),
            scope,
            instrument,
        })
        .collect();
    candidates.sort_by(|one, other| {
        (&one.name.text, one.scope, one.instrument.name).cmp(&(
            &other.name.text,
            other.scope,
            other.instrument.name,
        ))
    });
    for candidate in candidates {
        let scope = &labels[candidate.scope];
        families.add(candidate, scope);
    }
    for family in &mut families.all {
        families.omitted.extend(family.sort());
    }
    (families.all, families.omitted)
}

// === impl Families ===

impl Families {
    fn add_target(&mut self, resource: &[Attribute<'_>]) {
        let labels = Labels::new(resource, Of::Resource, None);
        if labels.as_str().is_empty() {
            return;
        }
        let name = FamilyName {
            text: TARGET.to_owned(),
            unit: None,
        };
        if let Some(family) = self.family(name, Kind::Info) {
            "Target metadata".clone_into(&mut family.help);
            let one = Value::Number(Number::Unsigned(1));
            family.series.push((labels, one));
        }
    }

    fn add(&mut self, candidate: Candidate<'_>, scope: &ScopeLabels) {
        let Candidate {
            name, instrument, ..
        } = candidate;
        let omitted = |reason| Omitted {
            metric: instrument.name.to_owned(),
            reason,
            series: instrument.data.series(),
        };
        let Some(kind) = Kind::of(&instrument.data) else {
            self.omitted.push(omitted(OmittedReason::Unsupported));
            return;
        };
        let Some(family) = self.family(name, kind) else {
            self.omitted.push(omitted(OmittedReason::Conflict));
            return;
        };
        if family.help.is_empty() {
            instrument.help.clone_into(&mut family.help);
        }
        let scope = Some(scope);
        match instrument.data {
            Data::Gauge(points) | Data::UpDown(points) | Data::Counter(points) => {
                family.take(points, Of::Series, scope, Value::Number);
            }
            Data::Histogram(points) => {
                family.take(points, Of::Histogram, scope, Value::Distribution);
            }
            Data::Unsupported { .. } => {}
        }
    }

    /// The family of this name and type; `None` when one of its names is another's.
    fn family(&mut self, name: FamilyName, kind: Kind) -> Option<&mut Family> {
        let known = self.taken.get(&name.text).copied();
        if let Some(at) = known
            && self.all[at].name == name.text
        {
            let family = &mut self.all[at];
            family.unit = family.unit.take().or(name.unit);
            return (family.kind == kind).then_some(family);
        }
        let names: Vec<_> = kind
            .suffixes()
            .iter()
            .map(|suffix| format!("{}{suffix}", name.text))
            .collect();
        if names.iter().any(|name| self.taken.contains_key(name)) {
            return None;
        }
        let at = self.all.len();
        self.taken.extend(names.into_iter().map(|name| (name, at)));
        self.all.push(Family {
            name: name.text,
            kind,
            unit: name.unit,
            help: String::new(),
            series: Vec::new(),
        });
        self.all.last_mut()
    }
}

const TARGET: &str = "target";

// === impl Family ===

impl Family {
    fn take<V>(
        &mut self,
        points: Vec<Point<'_, V>>,
        of: Of,
        scope: Option<&ScopeLabels>,
        value: impl Fn(V) -> Value,
    ) {
        self.series.extend(points.into_iter().map(|point| {
            let labels = Labels::new(&point.attributes, of, scope);
            (labels, value(point.value))
        }));
    }

    /// Sorts the series and leaves only the first of those that look the same.
    fn sort(&mut self) -> Option<Omitted> {
        self.series.sort_by(|one, other| one.0.cmp(&other.0));
        let before = self.series.len();
        self.series.dedup_by(|one, other| one.0 == other.0);
        let series = before - self.series.len();
        (series > 0).then(|| Omitted {
            metric: self.name.clone(),
            reason: OmittedReason::Duplicate,
            series,
        })
    }
}

// === impl Kind ===

impl Kind {
    fn of(data: &Data<'_>) -> Option<Self> {
        match data {
            Data::Gauge(_) | Data::UpDown(_) => Some(Self::Gauge),
            Data::Counter(_) => Some(Self::Counter),
            Data::Histogram(_) => Some(Self::Histogram),
            Data::Unsupported { .. } => None,
        }
    }

    /// What a family's samples add to its name, or could add in the words of OpenMetrics; the bare
    /// name comes first.
    const fn suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter => &["", "_total", "_created"],
            Self::Gauge => &[""],
            Self::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
            Self::Info => &["", "_info"],
        }
    }
}
