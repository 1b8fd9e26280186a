//! Strict JSON, read once and edited in place.
//!
//! Two parsers that read one body differently are a way past every check, so what RFC 8259 leaves open is closed here:
//! duplicate keys, lone surrogates, invalid UTF-8 and depth over 128 are refused, with the place. What passes is kept as the
//! text it came as, beside a flat list of where each value lies; reading walks the list, an edit splices the text, and
//! whatever was not edited leaves byte for byte.
//!
//! ```
//! use bartizan_core::json::Json;
//!
//! let json = Json::read(r#"{"model":"demo","messages":[{"role":"user","content":"hi"}]}"#)?;
//! let first = json.root().get("messages").and_then(|messages| messages.items().next());
//! assert_eq!(first.and_then(|message| message.get("content")?.text()).as_deref(), Some("hi"));
//!
//! let twice = Json::read(r#"{"model":"a","model":"b"}"#).unwrap_err();
//! assert_eq!(twice.to_string(), "a key stands twice in one object at byte 13 (model)");
//! # Ok::<(), bartizan_core::json::Fault>(())
//! ```

mod fault;
mod path;
mod scan;
mod text;
mod value;

use std::ops::Range;

pub use fault::{Fault, FaultKind};
pub use scan::{Bounds, scans};
pub use text::{escape_into, quote};
pub use value::{Kind, NodeId, Value};

pub(crate) use text::unescape;
pub(crate) use value::{is_id, is_whole_number};

/// One noted value: 12 bytes, in the order in which values open.
#[derive(Clone, Copy, Debug)]
struct Node {
    start: u32,
    end: u32,
    /// Kind (4 bits), whether the string has escapes (1 bit), index of the first node past this subtree (27 bits).
    meta: u32,
}

const NEXT_BITS: u32 = 27;
const ESCAPED: u32 = 1 << NEXT_BITS;

#[expect(
    clippy::cast_possible_truncation,
    reason = "a scanned text is under 4 GiB and has under 2^27 nodes"
)]
impl Node {
    fn new(kind: Kind, start: usize, end: usize, escaped: bool, next: usize) -> Self {
        let meta =
            (kind as u32) << (NEXT_BITS + 1) | if escaped { ESCAPED } else { 0 } | next as u32;
        Self {
            start: start as u32,
            end: end as u32,
            meta,
        }
    }

    fn close(&mut self, end: usize, next: usize) {
        self.end = end as u32;
        self.meta = self.meta & !(ESCAPED - 1) | next as u32;
    }

    fn moved(self, start: usize, end: usize) -> Self {
        Self {
            start: start as u32,
            end: end as u32,
            meta: self.meta,
        }
    }

    fn set_kind(&mut self, kind: Kind) {
        let rest = (1 << (NEXT_BITS + 1)) - 1;
        self.meta = self.meta & rest | (kind as u32) << (NEXT_BITS + 1);
    }

    fn set_escaped(&mut self, escaped: bool) {
        self.meta = self.meta & !ESCAPED | if escaped { ESCAPED } else { 0 };
    }

    fn start(self) -> usize {
        self.start as usize
    }

    fn end(self) -> usize {
        self.end as usize
    }

    fn next(self) -> usize {
        (self.meta & (ESCAPED - 1)) as usize
    }

    fn escaped(self) -> bool {
        self.meta & ESCAPED != 0
    }

    fn kind(self) -> Kind {
        Kind::of(self.meta >> (NEXT_BITS + 1))
    }
}

/// One JSON document: its text, and where each value lies in it.
#[derive(Clone)]
pub struct Json {
    text: String,
    nodes: Vec<Node>,
}

impl Json {
    /// Scans `text` within the default [`Bounds`].
    ///
    /// # Errors
    ///
    /// A [`Fault`] with the place, for anything that is not one strict JSON document.
    pub fn read(text: impl Into<String>) -> Result<Self, Fault> {
        Self::read_within(text, Bounds::default())
    }

    /// Scans `text` within `bounds`.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_within(text: impl Into<String>, bounds: Bounds) -> Result<Self, Fault> {
        let text = text.into();
        let nodes = scan::scan(&text, bounds)?;
        Ok(Self { text, nodes })
    }

    /// Scans bytes that may not even be UTF-8.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn read_bytes(bytes: &[u8], bounds: Bounds) -> Result<Self, Fault> {
        // Validated by SIMD and copied: the copy costs less than the standard library's validation of a moved vector,
        // and lets the network buffer go.
        match simdutf8::compat::from_utf8(bytes) {
            Ok(text) => Self::read_within(text, bounds),
            Err(error) => Err(Fault {
                kind: FaultKind::InvalidUtf8,
                offset: error.valid_up_to(),
                path: String::new(),
            }),
        }
    }

    /// The text as it stands.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Gives up the text.
    #[must_use]
    pub fn into_string(self) -> String {
        self.text
    }

    /// The outermost value.
    #[must_use]
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The value at `id`, which came from this document.
    #[must_use]
    pub fn at(&self, id: NodeId) -> Value<'_> {
        Value::new(self, id.index())
    }

    /// A fault of `kind` at `value`.
    pub(crate) fn fault(&self, kind: FaultKind, value: Value<'_>) -> Fault {
        let offset = value.range().start;
        Fault {
            kind,
            offset,
            path: path::path_to(self.text.as_bytes(), &self.nodes, offset),
        }
    }

    /// Replaces whole strings or keys, named in document order; all else keeps its bytes and its [`NodeId`]. A number becomes a
    /// string, unless a whole number takes its place.
    pub(crate) fn replace_strings(&mut self, edits: &[(NodeId, String)]) {
        let mut quoted: Vec<(NodeId, String)> = Vec::with_capacity(edits.len());
        for (id, text) in edits {
            let number = self.at(*id).kind() == Kind::Number;
            if number && is_whole_number(text) {
                quoted.push((*id, text.clone()));
                continue;
            }
            if number && let Some(node) = self.nodes.get_mut(id.index()) {
                node.set_kind(Kind::String);
            }
            quoted.push((*id, quote(text)));
        }
        self.replace_scalars(&quoted);
    }

    /// Replaces strings, keys or numbers, named in document order, by raw JSON of the same kind.
    pub(crate) fn replace_scalars(&mut self, edits: &[(NodeId, String)]) {
        // (end of the old value, how far everything behind it moves)
        let mut shifts: Vec<(usize, isize)> = Vec::with_capacity(edits.len());
        let mut text = String::with_capacity(
            self.text.len() + edits.iter().map(|(_, new)| new.len()).sum::<usize>(),
        );
        let mut from = 0;
        for (id, new) in edits {
            let Some(node) = self.nodes.get_mut(id.index()) else {
                continue;
            };
            text.push_str(self.text.get(from..node.start()).unwrap_or_default());
            text.push_str(new);
            node.set_escaped(memchr::memchr(b'\\', new.as_bytes()).is_some());
            from = node.end();
            shifts.push((from, text.len().cast_signed() - from.cast_signed()));
        }
        text.push_str(self.text.get(from..).unwrap_or_default());
        let shift = |place: usize| {
            let passed = shifts.partition_point(|(end, _)| *end <= place);
            let by = passed
                .checked_sub(1)
                .and_then(|last| shifts.get(last))
                .map_or(0, |(_, by)| *by);
            place.saturating_add_signed(by)
        };
        for node in &mut self.nodes {
            *node = node.moved(shift(node.start()), shift(node.end()));
        }
        self.text = text;
    }

    /// Replaces byte ranges of the text, in order and disjoint, by raw JSON, and scans the result.
    ///
    /// # Errors
    ///
    /// A [`Fault`] if the result is not a strict JSON document; `self` is then unchanged.
    pub fn splice(&mut self, edits: &[(Range<usize>, String)]) -> Result<(), Fault> {
        let mut text = String::with_capacity(
            self.text.len() + edits.iter().map(|(_, new)| new.len()).sum::<usize>(),
        );
        let mut from = 0;
        for (range, new) in edits {
            text.push_str(self.text.get(from..range.start).unwrap_or_default());
            text.push_str(new);
            from = range.end;
        }
        text.push_str(self.text.get(from..).unwrap_or_default());
        *self = Self::read(text)?;
        Ok(())
    }
}

/// Shows the size only: the text is somebody's.
impl std::fmt::Debug for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Json")
            .field("bytes", &self.text.len())
            .field("values", &self.nodes.len())
            .finish()
    }
}
