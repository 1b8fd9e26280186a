//! What layers need to know of a message besides its texts.

use crate::Usage;

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Finish {
    /// It was done.
    Stop,
    /// It reached a limit of tokens.
    Length,
    /// It waits for the results of tools.
    ToolCalls,
    /// A filter stopped it, or it refused.
    ContentFilter,
    /// Another reason, or a failure.
    Other,
}

/// Which text flows of a stream an event ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Closes {
    /// None.
    #[default]
    Nothing,
    /// Those of this group (a choice, an output item) and part (a block, a content part).
    Part(u32, u32),
    /// Those of this group.
    Group(u32),
    /// All.
    All,
}

/// What a dialect reads from a message besides its texts.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Facts {
    /// The model asked for, or that answered.
    pub model: Option<String>,
    /// Request: whether the answer is to be streamed.
    pub stream: bool,
    /// Request: whether a streamed answer is to say its usage, where that must be asked for.
    pub include_usage: bool,
    /// Request: the most tokens that the answer may have.
    pub max_output_tokens: Option<u64>,
    /// Request: how many answers are wanted, where more than one may be.
    pub choices: Option<u64>,
    /// Request: the end user, as the caller calls them.
    pub end_user: Option<String>,
    /// Reply, event: tokens used so far.
    pub usage: Option<Usage>,
    /// Reply, event: why the model stopped, once it has.
    pub finish: Option<Finish>,
    /// Event: the one after which nothing comes.
    pub terminal: bool,
    /// Reply, event: the provider says that it failed.
    pub error: bool,
    /// Event: the text flows that end here.
    pub closes: Closes,
}
