//! JSON that passes as it is.

use bartizan_core::json::{Json, Value};

/// One JSON value: as it was read, or made anew.
#[derive(Debug)]
pub(crate) enum Raw<'a> {
    Read(Value<'a>),
    /// The text of one JSON value.
    Made(String),
}

impl Raw<'_> {
    pub(crate) fn raw(&self) -> &str {
        match self {
            Self::Read(value) => value.raw(),
            Self::Made(text) => text,
        }
    }

    /// Lets `look` see the value; `None` where what was made is no JSON.
    pub(crate) fn look<R>(&self, look: impl FnOnce(Value<'_>) -> R) -> Option<R> {
        match self {
            Self::Read(value) => Some(look(*value)),
            Self::Made(text) => Json::read(text).ok().map(|json| look(json.root())),
        }
    }
}
