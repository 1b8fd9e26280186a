//! One message: its JSON, read by its dialect, and edited in place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::dialect::{Dialect, Direction, Facts, Text, TextEntry, TextRole, Unseen, walk};
use crate::json::{Bounds, Fault, Json, NodeId};

/// One strictly scanned JSON message with what its dialect read in it.
///
/// Unedited, it leaves byte for byte as it came; edited, all but the edited strings does.
///
/// ```
/// use bartizan_core::{Dialect, Direction, Document, TextRole};
///
/// let text = r#"{"model":"demo", "messages":[{"role":"user","content":"call \u0041nn"}], "temperature": 1.0}"#;
/// let mut document = Document::read(text, Dialect::OpenAiChat, Direction::Request)?;
/// assert_eq!(document.facts().model.as_deref(), Some("demo"));
///
/// let edited = document.rewrite(|text| {
///     assert_eq!(text.role(), TextRole::User);
///     Some(text.as_str().replace("Ann", "<PERSON_1>"))
/// });
/// assert_eq!(edited, 1);
/// assert_eq!(
///     document.as_str(),
///     r#"{"model":"demo", "messages":[{"role":"user","content":"call <PERSON_1>"}], "temperature": 1.0}"#
/// );
/// # Ok::<(), bartizan_core::json::Fault>(())
/// ```
#[derive(Clone)]
pub struct Document {
    json: Json,
    dialect: Dialect,
    direction: Direction,
    facts: Facts,
    texts: Vec<TextEntry>,
    unseen: Vec<Unseen>,
}

impl Document {
    /// Scans `text` and reads it as a message of `dialect`.
    ///
    /// # Errors
    ///
    /// A [`Fault`] where the text is not strict JSON, spells a known key with other case, or (requests only) has a fact of the
    /// wrong type, such as `"stream": "yes"`.
    pub fn read(
        text: impl AsRef<[u8]>,
        dialect: Dialect,
        direction: Direction,
    ) -> Result<Self, Fault> {
        let json = Json::read_bytes(text.as_ref(), bounds(direction))?;
        Self::from_json(json, dialect, direction)
    }

    /// [`read`](Self::read) for what is known to be UTF-8.
    pub(crate) fn read_str(
        text: &str,
        dialect: Dialect,
        direction: Direction,
    ) -> Result<Self, Fault> {
        let json = Json::read_within(text, bounds(direction))?;
        Self::from_json(json, dialect, direction)
    }

    /// Takes in what the request's path says.
    pub(crate) fn say_by_path(&mut self, model: Cow<'_, str>, stream: bool) {
        if self.facts.model.as_deref() != Some(&*model) {
            self.facts.model = Some(model.into_owned());
        }
        self.facts.stream = stream;
    }

    /// Reads scanned JSON as a message of `dialect`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn from_json(json: Json, dialect: Dialect, direction: Direction) -> Result<Self, Fault> {
        let mut found = walk(&json, dialect, direction).map_err(|fault| *fault)?;
        // What a model writes costs something: a dialect that must say a count says 0 where it has none.
        found.facts.usage = found
            .facts
            .usage
            .filter(|usage| usage.total() > 0 || !dialect.generates());
        Ok(Self {
            json,
            dialect,
            direction,
            facts: found.facts,
            texts: found.texts,
            unseen: found.unseen,
        })
    }

    /// The JSON text as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.json.as_str()
    }

    /// Gives up the JSON text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.json.into_string()
    }

    /// The tree of values.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// The API that it speaks.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Which way it goes.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// What the dialect read besides texts.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// Every string that a person or a model wrote, decoded, in document order. JSON inside a string (a tool call's arguments)
    /// is walked leaf by leaf, keys included. So are numbers of eight digits and more: an identity number may be one.
    pub fn texts(&self) -> impl Iterator<Item = Text<'_>> {
        self.texts.iter().flat_map(move |entry| {
            let mut piece = 0;
            std::iter::from_fn(move || {
                let text = entry.piece(&self.json, piece)?;
                piece += 1;
                Some(text)
            })
        })
    }

    /// The parts that the dialect does not know.
    #[must_use]
    pub fn unseen(&self) -> &[Unseen] {
        &self.unseen
    }

    /// Calls `edit` on every text in order; `Some` replaces it. Returns how many were replaced.
    pub fn rewrite(&mut self, mut edit: impl FnMut(&Text<'_>) -> Option<String>) -> usize {
        let mut replaced = 0;
        let mut edits: Vec<(NodeId, String)> = Vec::new();
        let mut renamed = false;
        for entry in &self.texts {
            if let Some(inside) = entry.inside(&self.json) {
                let leaves: Vec<(NodeId, String)> = inside
                    .leaves
                    .iter()
                    .enumerate()
                    .filter_map(|(index, (leaf, _))| {
                        let text = entry.piece(&self.json, index)?;
                        Some((*leaf, edit(&text)?))
                    })
                    .collect();
                if !leaves.is_empty() {
                    replaced += leaves.len();
                    let mut json = inside.json.clone();
                    json.replace_strings(&leaves);
                    edits.push((entry.node, json.into_string()));
                }
            } else if let Some(text) = entry.piece(&self.json, 0)
                && let Some(new) = edit(&text)
            {
                replaced += 1;
                renamed |= entry.channel.role == TextRole::EndUser;
                edits.push((entry.node, new));
            }
        }
        if !edits.is_empty() {
            self.replace(&edits);
            // Several members may hold the same name, and only one of them is the fact.
            if renamed && let Ok(found) = walk(&self.json, self.dialect, self.direction) {
                self.facts.end_user = found.facts.end_user;
            }
        }
        replaced
    }

    /// Names another model, and nothing else. `false` where the message names none.
    pub fn set_model(&mut self, model: &str) -> bool {
        let Some(node) = self
            .json
            .root()
            .get("model")
            .filter(|value| value.text().is_some())
            .map(|value| value.id())
        else {
            return false;
        };
        self.replace(&[(node, model.to_owned())]);
        self.facts.model = Some(model.to_owned());
        true
    }

    /// Replaces byte ranges of the JSON text, in order and disjoint, by raw JSON, and reads the result anew.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if the result is no message of the dialect; `self` is then unchanged.
    pub fn splice(&mut self, edits: &[(Range<usize>, String)]) -> Result<(), Fault> {
        let mut json = self.json.clone();
        json.splice(edits)?;
        *self = Self::from_json(json, self.dialect, self.direction)?;
        Ok(())
    }

    /// Replaces the number that the member `name` of the root holds.
    pub(crate) fn set_number(&mut self, name: &str, number: u64) {
        if let Some(node) = self
            .json
            .root()
            .get(name)
            .filter(|value| value.as_u64().is_some())
            .map(|value| value.id())
        {
            self.json.replace_scalars(&[(node, number.to_string())]);
        }
    }

    /// Replaces whole strings, named in document order.
    pub(crate) fn replace(&mut self, edits: &[(NodeId, String)]) {
        self.json.replace_strings(edits);
        let mut edited = edits.iter().map(|(node, _)| *node).peekable();
        for entry in &mut self.texts {
            while edited.next_if(|node| *node < entry.node).is_some() {}
            if edited.peek() == Some(&entry.node) {
                entry.forget();
            }
        }
    }

    pub(crate) fn entries(&self) -> &[TextEntry] {
        &self.texts
    }
}

fn bounds(direction: Direction) -> Bounds {
    match direction {
        Direction::Request => Bounds::default(),
        // Log probabilities of a long answer are half a million values.
        Direction::Reply | Direction::Event => Bounds {
            values: 655_360,
            ..Bounds::default()
        },
    }
}

/// Shows the kind and the size only.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document")
            .field("dialect", &self.dialect)
            .field("direction", &self.direction)
            .field("bytes", &self.json.as_str().len())
            .field("texts", &self.texts.len())
            .finish_non_exhaustive()
    }
}
