//! Texts: what a person or a model wrote.

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use crate::json::{Bounds, Json, Kind, NodeId, Value};

/// Who wrote a text, or what it is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum TextRole {
    /// Instructions of the application (`system`, `developer`).
    System,
    /// What the user wrote.
    User,
    /// What the model answered.
    Assistant,
    /// What the model thought.
    Reasoning,
    /// The model's words of refusal.
    Refusal,
    /// Arguments of a tool call; inside JSON, one leaf of it.
    ToolArguments,
    /// What a tool answered.
    ToolResult,
    /// The description of a tool or of a wanted output.
    ToolDefinition,
    /// The name of a file.
    FileName,
    /// The name or id of the end user.
    EndUser,
    /// Free-form pairs kept with a call.
    Metadata,
    /// Input of an embedding.
    Input,
    /// Anything else, such as a member that no dialect knows.
    Other,
}

impl TextRole {
    /// The role's name in records and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Reasoning => "reasoning",
            Self::Refusal => "refusal",
            Self::ToolArguments => "tool_arguments",
            Self::ToolResult => "tool_result",
            Self::ToolDefinition => "tool_definition",
            Self::FileName => "file_name",
            Self::EndUser => "end_user",
            Self::Metadata => "metadata",
            Self::Input => "input",
            Self::Other => "other",
        }
    }
}

/// The text flow of a stream that a piece belongs to: one role's words in one choice or item, and one block, part or tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel {
    pub(crate) group: u32,
    pub(crate) part: u32,
    pub(crate) role: TextRole,
}

/// One text of a message.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    pub(crate) entry: &'a TextEntry,
    pub(crate) text: &'a str,
    pub(crate) json: &'a Json,
    /// The leaf that it is, where its string holds JSON.
    pub(crate) leaf: Option<Value<'a>>,
}

impl<'a> Text<'a> {
    /// Who wrote it.
    #[must_use]
    pub fn role(&self) -> TextRole {
        self.entry.channel.role
    }

    /// The flow that it belongs to.
    #[must_use]
    pub fn channel(&self) -> Channel {
        self.entry.channel
    }

    /// Whether it is a piece of a text that arrives over several events.
    #[must_use]
    pub fn is_delta(&self) -> bool {
        self.entry.delta
    }

    /// Whether it is a piece of JSON text, such as streamed arguments of a tool.
    #[must_use]
    pub fn is_json_piece(&self) -> bool {
        self.entry.delta && self.entry.json
    }

    /// Where it stands in the document, such as `messages[2].content`; of a leaf of JSON in a string, where the string does. Keys that no
    /// dialect knows show as `*`: they may be content.
    #[must_use]
    pub fn place(&self) -> String {
        self.json.at(self.entry.node).path()
    }

    /// The key of the object's member that it is the value of, in the JSON inside a string too. It is content like the text itself.
    #[must_use]
    pub fn name(&self) -> Option<Cow<'a, str>> {
        self.leaf
            .unwrap_or_else(|| self.json.at(self.entry.node))
            .name()
    }

    /// Whether it is a JSON number, not a string; where it is rewritten, a string takes its place, unless it is a whole number again.
    #[must_use]
    pub fn is_number(&self) -> bool {
        let value = self.leaf.unwrap_or_else(|| self.json.at(self.entry.node));
        value.kind() == Kind::Number
    }

    /// What it says, decoded.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        self.text
    }
}

/// Shows role and length only.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text")
            .field("channel", &self.channel())
            .field("bytes", &self.text.len())
            .finish()
    }
}

/// A part that the dialect does not know, or whose text can't be seen.
///
/// Its strings are walked as [`TextRole::Other`] all the same; a check that blocks should refuse it, since it may hold text in a
/// form that a walk over strings can't see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unseen {
    pub(crate) node: NodeId,
    pub(crate) place: &'static str,
}

impl Unseen {
    /// What kind of place it stands in: the member that holds it.
    #[must_use]
    pub fn place(&self) -> &'static str {
        self.place
    }

    /// The part itself, in the document that reported it.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }
}

/// Where a text lies in its document.
#[derive(Clone, Debug)]
pub(crate) struct TextEntry {
    pub(crate) node: NodeId,
    pub(crate) channel: Channel,
    pub(crate) delta: bool,
    /// The string holds JSON: its leaves are the texts.
    pub(crate) json: bool,
    decoded: OnceLock<Decoded>,
}

#[derive(Clone, Debug)]
enum Decoded {
    Text(Box<str>),
    Json(Box<Inside>),
}

/// JSON that lies in a string.
#[derive(Clone, Debug)]
pub(crate) struct Inside {
    pub(crate) json: Json,
    pub(crate) leaves: Vec<(NodeId, Box<str>)>,
}

impl Inside {
    fn text<'a>(&'a self, index: usize, entry: &'a TextEntry, json: &'a Json) -> Option<Text<'a>> {
        let (leaf, text) = self.leaves.get(index)?;
        Some(Text {
            entry,
            text,
            json,
            leaf: Some(self.json.at(*leaf)),
        })
    }
}

impl TextEntry {
    pub(crate) fn new(node: NodeId, channel: Channel, delta: bool, json: bool) -> Self {
        Self {
            node,
            channel,
            delta,
            json,
            decoded: OnceLock::new(),
        }
    }

    pub(crate) fn forget(&mut self) {
        self.decoded = OnceLock::new();
    }

    /// The `index`th text of this entry: a plain string has one, JSON in a string one a leaf.
    pub(crate) fn piece<'a>(&'a self, json: &'a Json, index: usize) -> Option<Text<'a>> {
        if let Some(inside) = self.inside(json) {
            return inside.text(index, self, json);
        }
        (index == 0).then(|| Text {
            entry: self,
            text: self.whole(json),
            json,
            leaf: None,
        })
    }

    /// The JSON in the string, if the string is whole and holds some.
    pub(crate) fn inside<'a>(&'a self, json: &'a Json) -> Option<&'a Inside> {
        if !self.json || self.delta {
            return None;
        }
        match self.decoded.get_or_init(|| self.decode(json)) {
            Decoded::Json(inside) => Some(inside),
            Decoded::Text(_) => None,
        }
    }

    fn whole<'a>(&'a self, json: &'a Json) -> &'a str {
        let value = json.at(self.node);
        if value.kind() == Kind::Number {
            return value.raw();
        }
        if let Some(plain) = value.plain_text() {
            return plain;
        }
        match self.decoded.get_or_init(|| self.decode(json)) {
            Decoded::Text(text) => text,
            Decoded::Json(_) => "",
        }
    }

    fn decode(&self, json: &Json) -> Decoded {
        let text = json.at(self.node).text().unwrap_or_default();
        if self.json && !self.delta {
            // What a model wrote may repeat a key, or be no JSON at all: then the string as a whole is the text.
            let bounds = Bounds {
                duplicate_keys: true,
                ..Bounds::default()
            };
            if let Ok(inner) = Json::read_within(text.as_ref(), bounds) {
                let told = |leaf: Value<'_>| match leaf.text() {
                    Some(text) => (leaf.id(), text.into()),
                    None => (leaf.id(), leaf.raw().into()),
                };
                let root = inner.root();
                let leaves = root.strings_and_ids().map(told).collect();
                return Decoded::Json(Box::new(Inside {
                    json: inner,
                    leaves,
                }));
            }
        }
        Decoded::Text(text.into())
    }
}
