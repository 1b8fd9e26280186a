//! Walking a scanned document.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::{Json, text};

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `null`
    Null,
    /// `false`
    False,
    /// `true`
    True,
    /// A number, spelled as it came.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
    /// The key of an object's member.
    Key,
}

impl Kind {
    pub(super) fn of(number: u32) -> Self {
        match number {
            1 => Self::False,
            2 => Self::True,
            3 => Self::Number,
            4 => Self::String,
            5 => Self::Array,
            6 => Self::Object,
            7 => Self::Key,
            _ => Self::Null,
        }
    }
}

/// Names a value of one document; holds until the document is spliced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

/// A value inside a [`Json`].
#[derive(Clone, Copy)]
pub struct Value<'a> {
    json: &'a Json,
    at: usize,
}

impl<'a> Value<'a> {
    pub(super) fn new(json: &'a Json, at: usize) -> Self {
        Self { json, at }
    }

    fn node(self) -> super::Node {
        self.json
            .nodes
            .get(self.at)
            .copied()
            .unwrap_or(super::Node {
                start: 0,
                end: 0,
                meta: 0,
            })
    }

    /// Its name, for an edit.
    #[must_use]
    pub fn id(self) -> NodeId {
        NodeId(u32::try_from(self.at).unwrap_or(u32::MAX))
    }

    /// What it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        self.node().kind()
    }

    /// Where it lies, in bytes; strings include their quotes.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        let node = self.node();
        node.start()..node.end()
    }

    /// The way to it from the root, such as `messages[2].content`. Keys that no dialect knows show as `*`: they may be content.
    #[must_use]
    pub fn path(self) -> String {
        let start = self.range().start;
        super::path::path_to(self.json.text.as_bytes(), &self.json.nodes, start)
    }

    /// The key of the object's member whose value it is; `None` for what stands in an array.
    #[must_use]
    pub fn name(self) -> Option<Cow<'a, str>> {
        let before = Value {
            json: self.json,
            at: self.at.checked_sub(1)?,
        };
        // What follows a key is its value.
        (before.kind() == Kind::Key).then(|| before.text())?
    }

    /// Its text as it came.
    #[must_use]
    pub fn raw(self) -> &'a str {
        self.json.text.get(self.range()).unwrap_or_default()
    }

    /// What a string or key says.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        let node = self.node();
        if !matches!(node.kind(), Kind::String | Kind::Key) {
            return None;
        }
        let inside = self
            .json
            .text
            .get(node.start() + 1..node.end().saturating_sub(1))
            .unwrap_or_default();
        Some(if node.escaped() {
            text::unescape(inside)
        } else {
            Cow::Borrowed(inside)
        })
    }

    /// What a string or key says, where it says it without escapes.
    pub(crate) fn plain_text(self) -> Option<&'a str> {
        let node = self.node();
        (matches!(node.kind(), Kind::String | Kind::Key) && !node.escaped()).then(|| {
            self.json
                .text
                .get(node.start() + 1..node.end().saturating_sub(1))
                .unwrap_or_default()
        })
    }

    /// Whether this is the string `text`.
    #[must_use]
    pub fn is(self, text: &str) -> bool {
        let node = self.node();
        if node.escaped() {
            return self.text().is_some_and(|decoded| decoded == text);
        }
        // The length first: most are told apart by it.
        node.end().wrapping_sub(node.start()) == text.len() + 2 && self.plain_text() == Some(text)
    }

    /// A whole number that fits. `1.0` and `1e3` are not whole numbers here: no API writes them so.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        (self.kind() == Kind::Number)
            .then(|| self.raw().parse().ok())
            .flatten()
    }

    /// A boolean.
    #[must_use]
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The value of an object's member `key`.
    #[must_use]
    pub fn get(self, key: &str) -> Option<Value<'a>> {
        self.members()
            .find(|(name, _)| name.is(key))
            .map(|(_, value)| value)
    }

    /// An object's members, keys first; nothing for what is no object.
    pub fn members(self) -> impl Iterator<Item = (Value<'a>, Value<'a>)> {
        let Value { json, at } = self;
        let node = self.node();
        let end = if node.kind() == Kind::Object {
            node.next()
        } else {
            0
        };
        let mut at = at + 1;
        std::iter::from_fn(move || {
            // A key is one node, and its value the next.
            let (key, value) = (Value { json, at }, Value { json, at: at + 1 });
            (at < end).then(|| {
                at = value.node().next();
                (key, value)
            })
        })
    }

    /// An array's strings, arrays and objects; nothing for what is no array.
    ///
    /// Booleans, nulls and numbers that stand in an array are checked but not noted, and so not yielded, but for numbers of eight
    /// digits and more and nothing else: an embedding holds thousands. [`raw`](Self::raw) has them.
    pub fn items(self) -> impl Iterator<Item = Value<'a>> {
        let Value { json, at } = self;
        let node = self.node();
        let end = if node.kind() == Kind::Array {
            node.next()
        } else {
            0
        };
        let mut at = at + 1;
        std::iter::from_fn(move || {
            let item = Value { json, at };
            (at < end).then(|| {
                at = item.node().next();
                item
            })
        })
    }

    /// Every string and key inside this value, itself included, in document order.
    pub fn strings(self) -> impl Iterator<Item = Value<'a>> {
        self.inside()
            .filter(|value| matches!(value.kind(), Kind::String | Kind::Key))
    }

    /// The same with every number that may be somebody's: eight digits and more, and nothing else.
    pub(crate) fn strings_and_ids(self) -> impl Iterator<Item = Value<'a>> {
        self.inside().filter(|value| match value.kind() {
            Kind::String | Kind::Key => true,
            Kind::Number => is_id(value.raw().as_bytes()),
            _ => false,
        })
    }

    fn inside(self) -> impl Iterator<Item = Value<'a>> {
        let end = self.node().next().max(self.at + 1);
        (self.at..end).map(move |at| Value {
            json: self.json,
            at,
        })
    }
}

/// Whether `text` is a whole number as JSON writes one, without a sign.
pub(crate) fn is_whole_number(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (text.len() == 1 || !text.starts_with('0'))
}

/// Shorter numbers are amounts and counts.
const SHORTEST_ID: usize = 8;

/// Whether a number may be somebody's: of eight digits and more, and nothing else.
pub(crate) fn is_id(number: &[u8]) -> bool {
    number.len() >= SHORTEST_ID && number.iter().all(u8::is_ascii_digit)
}

/// Shows kind and place only: the text is somebody's.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Value")
            .field("kind", &self.kind())
            .field("range", &self.range())
            .finish()
    }
}
