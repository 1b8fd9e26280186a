//! What each layer found and did, for the record.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Principal, Usage};

/// One thing that a layer found or did.
///
/// Holds counts and words from a fixed vocabulary (entity types, rule names, model names), never content.
///
/// ```
/// use bartizan_core::Note;
///
/// let note = Note::new("pii", "masked").count("EMAIL_ADDRESS", 2).word("direction", "request");
/// assert_eq!(note.to_string(), "pii masked EMAIL_ADDRESS=2 direction=request");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    layer: &'static str,
    action: &'static str,
    details: Vec<(Cow<'static, str>, Detail)>,
}

/// The value of one detail of a [`Note`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// How many.
    Count(u64),
    /// Which, from a fixed vocabulary.
    Word(Cow<'static, str>),
}

impl Note {
    /// Creates a note that `layer` did `action` (a past participle: `masked`, `blocked`, `refused`).
    #[must_use]
    pub fn new(layer: &'static str, action: &'static str) -> Self {
        Self {
            layer,
            action,
            details: Vec::new(),
        }
    }

    /// Adds how many of `name`.
    #[must_use]
    pub fn count(mut self, name: impl Into<Cow<'static, str>>, count: u64) -> Self {
        self.details.push((name.into(), Detail::Count(count)));
        self
    }

    /// Adds which `name`. `word` comes from a fixed vocabulary or from configuration, never from content.
    #[must_use]
    pub fn word(
        mut self,
        name: impl Into<Cow<'static, str>>,
        word: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.details.push((name.into(), Detail::Word(word.into())));
        self
    }

    /// The layer that wrote this note.
    #[must_use]
    pub fn layer(&self) -> &'static str {
        self.layer
    }

    /// What it did.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action
    }

    /// The details, in the order in which they were added.
    #[must_use]
    pub fn details(&self) -> &[(Cow<'static, str>, Detail)] {
        &self.details
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.layer, self.action)?;
        for (name, detail) in &self.details {
            match detail {
                Detail::Count(count) => write!(f, " {name}={count}")?,
                Detail::Word(word) => write!(f, " {name}={word}")?,
            }
        }
        Ok(())
    }
}

/// An append-only list of what the layers of one call found and did.
///
/// The audit layer puts one into the request's extensions; where there is none, nobody pays. Clones share one list, so a
/// layer's tap keeps a clone and writes to it while the answer streams.
#[derive(Clone, Default)]
pub struct Trail(Arc<Mutex<Entries>>);

#[derive(Default)]
struct Entries {
    principal: Option<Principal>,
    model: Option<String>,
    usage: Option<Usage>,
    estimated: bool,
    notes: Vec<Note>,
}

/// Enough for every layer to speak a few times; past it notes are counted and dropped, so that no call can grow without bound.
const MOST_NOTES: usize = 256;

impl Trail {
    /// Creates an empty trail.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Says who calls.
    pub fn identify(&self, principal: &Principal) {
        self.entries().principal = Some(principal.clone());
    }

    /// Says which model was asked for.
    pub fn ask_model(&self, model: &str) {
        self.entries().model = Some(model.to_owned());
    }

    /// Appends a note. At most 256 are kept.
    pub fn note(&self, note: Note) {
        let mut entries = self.entries();
        if entries.notes.len() < MOST_NOTES {
            entries.notes.push(note);
        }
    }

    /// Says what the call used; `estimated` where the provider did not say.
    pub fn settle(&self, usage: Usage, estimated: bool) {
        let mut entries = self.entries();
        entries.usage = Some(usage);
        entries.estimated = estimated;
    }

    /// Who calls, if a layer said so.
    #[must_use]
    pub fn principal(&self) -> Option<Principal> {
        self.entries().principal.clone()
    }

    /// Which model was asked for.
    #[must_use]
    pub fn model(&self) -> Option<String> {
        self.entries().model.clone()
    }

    /// What the call used, and whether that is an estimate.
    #[must_use]
    pub fn usage(&self) -> Option<(Usage, bool)> {
        let entries = self.entries();
        entries.usage.map(|usage| (usage, entries.estimated))
    }

    /// The notes so far, in order.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        self.entries().notes.clone()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        // A panic elsewhere can't leave an entry half written: every write is one assignment or push.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries();
        f.debug_struct("Trail")
            .field("principal", &entries.principal)
            .field("notes", &entries.notes)
            .finish_non_exhaustive()
    }
}
