//! An answer, whole or as it comes.

use bartizan_core::{Finish, Refusal, Usage};

use super::{Block, Citation, Signature, Str};
use crate::losses::Losses;

#[derive(Debug, Default)]
pub(crate) struct Answer<'a> {
    pub(crate) id: Str<'a>,
    pub(crate) model: Str<'a>,
    pub(crate) blocks: Vec<Block<'a>>,
    pub(crate) finish: Option<Finish>,
    /// The sequence that stopped it, where the provider says which.
    pub(crate) stop_sequence: Option<Str<'a>>,
    pub(crate) usage: Usage,
    /// What of the provider's answer is left out.
    pub(crate) losses: Losses,
    /// The provider says that this is no answer, such as where its model called a function in no way that can be read.
    pub(crate) failed: Option<Refusal>,
}

/// One thing that happens in a streamed answer.
///
/// Thinking and tool calls are numbered, each from 0, since their pieces may interleave.
#[derive(Debug)]
pub(crate) enum Moment<'a> {
    Start {
        id: Str<'a>,
        model: Str<'a>,
        /// What the provider says at once, as Anthropic does of the input.
        usage: Usage,
    },
    Text(Str<'a>),
    /// A piece of why the model will not answer.
    Refusal(Str<'a>),
    /// Belongs to the text before it.
    Citation(Citation<'a>),
    Thinking {
        block: u32,
        text: Str<'a>,
    },
    Signature {
        block: u32,
        signature: Signature<'a>,
    },
    Redacted {
        block: u32,
        /// OpenAI's name of the thought.
        id: Option<Str<'a>>,
        data: Signature<'a>,
    },
    Call {
        call: u32,
        id: Str<'a>,
        name: Str<'a>,
        custom: bool,
        signature: Option<Signature<'a>>,
    },
    /// A piece of the JSON text of a call's arguments, or of a custom call's input. Together they are one JSON object.
    Arguments {
        call: u32,
        piece: Str<'a>,
    },
    Finish {
        finish: Option<Finish>,
        stop_sequence: Option<Str<'a>>,
        losses: Losses,
    },
    /// The connection is alive.
    Alive,
    /// The provider said that it failed. Nothing comes after it.
    Failed(Refusal),
    /// The provider said that the answer is whole.
    End {
        usage: Usage,
    },
}

impl Moment<'_> {
    /// What was left out, once all is known.
    pub(crate) fn losses(&self) -> Option<&Losses> {
        match self {
            Self::Finish { losses, .. } => Some(losses),
            _ => None,
        }
    }
}
