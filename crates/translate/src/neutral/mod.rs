//! What a message says, whichever API says it.
//!
//! A dialect decodes its JSON into these types and encodes them into its JSON; two dialects need two of each and not one for every
//! pair. Everything borrows from the document that was read. Decoding loses nothing that any dialect has a word for; what a target can't
//! say is refused or reported by the one who encodes, and only what these types have no word for by the one who decodes.

mod answer;
mod ask;
mod block;
mod raw;
mod signature;
mod wish;

pub(crate) use answer::{Answer, Moment};
pub(crate) use ask::{
    Ask, Choice, Format, Names, Number, Reasoning, Role, Tool, ToolKind, Turn, told,
};
pub(crate) use block::{Block, Citation, Source};
pub(crate) use raw::Raw;
pub(crate) use signature::{Maker, Signature};
pub(crate) use wish::{Wishes, is_empty, says_nothing};

use std::borrow::Cow;

/// A string of a message, decoded.
pub(crate) type Str<'a> = Cow<'a, str>;
