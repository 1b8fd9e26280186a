//! What a message says, whichever API says it.
//!
//! A dialect decodes its JSON into these types and encodes them into its JSON; two dialects need two of each and not one for every
//! pair. Everything borrows from the document that was read. What a dialect has and these types have no word for is refused or
//! reported by the one who decodes; what a target can't say, by the one who encodes.

mod answer;
mod ask;

pub(crate) use answer::{Answer, Moment};
pub(crate) use ask::{Ask, Block, Choice, Format, Number, Reasoning, Role, Source, Tool, Turn};

use std::borrow::Cow;

/// A string of a message, decoded.
pub(crate) type Str<'a> = Cow<'a, str>;
