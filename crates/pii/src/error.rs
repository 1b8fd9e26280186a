//! What can be wrong with a configuration.

/// A configuration that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A kind of personal data that this crate doesn't know.
    #[error(
        "unknown entity `{0}`: use one of Presidio's names in `Entity::ALL`, such as IN_AADHAAR or EMAIL_ADDRESS"
    )]
    UnknownEntity(String),
    /// An action that this crate doesn't know.
    #[error("unknown action `{0}`: use MASK, REPLACE or BLOCK")]
    UnknownAction(String),
    /// A threshold outside 0 to 1.
    #[error("threshold of {entity} is {given}: use a number from 0 to 1")]
    Threshold {
        /// Whose threshold.
        entity: &'static str,
        /// What was given.
        given: String,
    },
    /// No kind of personal data is looked for, so the layer would do nothing.
    #[error("no entity is switched on: name at least one")]
    NothingToFind,
    /// A context word that can't be looked for.
    #[error("context word for {entity} is empty: leave it out")]
    EmptyContextWord {
        /// Whose word.
        entity: &'static str,
    },
    /// More context words than one automaton can hold.
    #[error("too many context words: name fewer")]
    TooManyContextWords,
}
