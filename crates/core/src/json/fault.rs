//! What is wrong with a document, and where.

use std::fmt;

/// Why a document was refused by the strict scan, and the place.
///
/// The place is a byte offset and a path. A path names only keys that some dialect knows; any other key may itself be
/// content and shows as `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) offset: usize,
    pub(crate) path: String,
}

/// What kind of wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// Not JSON by RFC 8259.
    Syntax,
    /// The bytes are not UTF-8.
    InvalidUtf8,
    /// An object has a key twice.
    DuplicateKey,
    /// A key differs from a known one only by case, so that two parsers would read it differently.
    KeyCase,
    /// A `\u` escape holds half a surrogate pair.
    LoneSurrogate,
    /// Deeper than the limit.
    TooDeep,
    /// More values than the limit, or over 4 GiB.
    TooLarge,
    /// A value of another type than the API has there.
    WrongType,
}

impl Fault {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> FaultKind {
        self.kind
    }

    /// Where, in bytes from the start.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Where, as a path such as `messages[0].content`; empty for the document itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl FaultKind {
    const fn says(self) -> &'static str {
        match self {
            Self::Syntax => "not valid JSON",
            Self::InvalidUtf8 => "not valid UTF-8",
            Self::DuplicateKey => "a key stands twice in one object",
            Self::KeyCase => {
                "a key differs from a known one only by case: spell it as the API does"
            }
            Self::LoneSurrogate => "a \\u escape is half of a surrogate pair",
            Self::TooDeep => "nested too deep",
            Self::TooLarge => "too many values",
            Self::WrongType => "a value has the wrong type",
        }
    }

    /// A stable code for the refusal.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Syntax => "invalid_json",
            Self::InvalidUtf8 => "invalid_utf8",
            Self::DuplicateKey => "duplicate_key",
            Self::KeyCase => "ambiguous_key",
            Self::LoneSurrogate => "lone_surrogate",
            Self::TooDeep => "nested_too_deep",
            Self::TooLarge => "too_many_values",
            Self::WrongType => "invalid_type",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind.says(), self.offset)?;
        if !self.path.is_empty() {
            write!(f, " ({})", self.path)?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
