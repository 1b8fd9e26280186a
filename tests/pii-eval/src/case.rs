use std::ops::Range;

/// Kinds that are in most texts and that no data set here marks throughout, so what is found of them is no false alarm.
const UNMARKED: &[&str] = &[
    "DATE_TIME",
    "LOCATION",
    "NRP",
    "ORGANIZATION",
    "PERSON",
    "URL",
];

/// Personal data that a text holds, as whoever wrote it says.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Span {
    /// Presidio's name of its kind.
    pub entity: String,
    /// Where, in bytes.
    pub range: Range<usize>,
    /// How it is written, `usual` or one of the altered ways: `no-break`, `native` … Empty where the data set doesn't say.
    pub form: &'static str,
}

/// What looks like personal data and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Trap {
    /// What it is: `order_id12`, `gstin_bad` …
    pub kind: String,
    /// Where, in bytes.
    pub range: Range<usize>,
}

/// A text and what it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Case {
    /// Where it comes from: a template's name, a row's number.
    pub name: String,
    /// The text.
    pub text: String,
    /// The personal data in it, in order.
    pub spans: Vec<Span>,
    /// What must not be found in it, in order.
    pub traps: Vec<Trap>,
}

impl Case {
    /// Creates a case with nothing in it.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Marks a range of bytes.
    #[must_use]
    pub fn span(mut self, entity: &str, range: Range<usize>) -> Self {
        self.spans.push(Span {
            entity: entity.to_owned(),
            range,
            form: "",
        });
        self
    }
}

/// Cases that are measured together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dataset {
    /// Its name: `synth`, `india` …
    pub name: String,
    /// Its texts.
    pub cases: Vec<Case>,
}

impl Dataset {
    /// Creates a data set.
    #[must_use]
    pub fn new(name: &str, cases: Vec<Case>) -> Self {
        Self {
            name: name.to_owned(),
            cases,
        }
    }

    /// Bytes of all texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cases.iter().map(|case| case.text.len()).sum()
    }

    /// Whether there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a finding of `entity` that isn't marked is a false alarm: all are, but those of kinds that texts are full of
    /// and that this data set doesn't mark.
    #[must_use]
    pub fn marks(&self, entity: &str) -> bool {
        // The synthetic set marks some dates, and not others.
        entity != "DATE_TIME"
            && (!UNMARKED.contains(&entity)
                || self
                    .cases
                    .iter()
                    .any(|case| case.spans.iter().any(|span| span.entity == entity)))
    }
}

/// Personal data that an analyzer says a text holds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Found {
    /// Presidio's name of its kind.
    pub entity: String,
    /// Where, in bytes.
    pub range: Range<usize>,
    /// How sure, from 0 to 1.
    pub score: f32,
}

impl Found {
    /// Creates a finding.
    #[must_use]
    pub fn new(entity: &str, range: Range<usize>, score: f32) -> Self {
        Self {
            entity: entity.to_owned(),
            range,
            score,
        }
    }
}

/// How many bytes both ranges share, of those that either has.
pub(crate) fn overlap(a: &Range<usize>, b: &Range<usize>) -> f64 {
    let shared = a.end.min(b.end).saturating_sub(a.start.max(b.start));
    let either = a.len() + b.len() - shared;
    shared as f64 / either.max(1) as f64
}

/// Whether they share a byte.
pub(crate) fn touch(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// The bytes of a range of characters, as Python counts them.
pub(crate) fn bytes(text: &str, start: usize, end: usize) -> Range<usize> {
    let at = |place| {
        text.char_indices()
            .nth(place)
            .map_or(text.len(), |(index, _)| index)
    };
    at(start)..at(end)
}
