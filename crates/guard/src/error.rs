//! What can be wrong with a check's configuration.

use std::borrow::Cow;

/// A check could not be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file of rules can't be read.
    #[error("line {line} of the rules: {problem}")]
    Rules {
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: Cow<'static, str>,
    },
    /// A denied word is empty, or nothing of it is seen by a reader.
    #[error("word {0} of the deny-list shows nothing: remove it")]
    EmptyWord(usize),
    /// A denied word is too long to be followed through a stream.
    #[error("word {0} of the deny-list has over 256 bytes: shorten it")]
    LongWord(usize),
    /// The words don't fit one automaton.
    #[error("there are too many words for one check: split it")]
    TooManyWords,
}
