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
    /// A name that a kind of one's own can't have.
    #[error(
        "`{0}` can't name a kind of one's own: use 2 to 64 letters in upper case, digits and `_`, a letter first, and 1,000 such names at most"
    )]
    CustomEntity(String),
    /// A kind that only a model finds, and no model.
    #[error("{0} is only found by a model: leave it out, or name a model that finds it")]
    NeedsModel(&'static str),
    /// A pattern that can't be used.
    #[error("pattern of {entity}: {says}")]
    Pattern {
        /// What it was to find.
        entity: &'static str,
        /// What is wrong, and how to mend it.
        says: String,
    },
    /// Patterns that together make too large an automaton.
    #[error("the patterns are too large together: name fewer, or narrower ones")]
    PatternsTooLarge,
    /// A word of a deny list that can't be looked for.
    #[error(
        "a word of the deny list for {entity} is empty, or longer than 256 bytes: leave it out"
    )]
    DenyListWord {
        /// Whose list.
        entity: &'static str,
    },
    /// A threshold outside 0 to 1.
    #[error("threshold of {entity} is {given}: use a number from 0 to 1")]
    Threshold {
        /// Whose threshold.
        entity: &'static str,
        /// What was given.
        given: String,
    },
    /// A region whose phone numbers aren't known.
    #[error(
        "no phone numbers are known of `{given}`: use two letters of ISO 3166; did you mean `{nearest}`?"
    )]
    PhoneRegion {
        /// What was given.
        given: String,
        /// What was probably meant.
        nearest: &'static str,
    },
    /// No kind of personal data is looked for, so the layer would do nothing.
    #[error("no entity is switched on: name at least one")]
    NothingToFind,
    /// A layer that looks at answers, streamed ones too, and has a model, which can't look at a stream.
    #[error(
        "a model can't look at streamed answers: switch `output` off, or call `allow_unmodelled_streams`, by which only patterns look at them"
    )]
    UnmodelledStreams,
    /// A model's address that can't be asked.
    #[error(
        "a model's address is http:// or https://, a host, perhaps a port and a path, and nothing behind it"
    )]
    ModelUrl,
    /// A model's key that can't stand in a header.
    #[error("a model's key holds characters that no header takes")]
    ModelKey,
    /// A model that can't be loaded.
    #[error("{place}: {says}")]
    Model {
        /// The file or folder at fault.
        place: String,
        /// What is wrong, and how to mend it.
        says: String,
    },
    /// A context word that can't be looked for.
    #[error("context word for {entity} is empty: leave it out")]
    EmptyContextWord {
        /// Whose word.
        entity: &'static str,
    },
    /// More context words than one automaton can hold.
    #[error("too many context words: name fewer")]
    TooManyContextWords,
    /// An operator that this crate doesn't know, or that needs more than its word.
    #[error(
        "unknown operator `{0}`: use MASK, REPLACE, REDACT, PARTIAL, FAKE, BLOCK, KEEP or OBSERVE; HASH and ENCRYPT need a key"
    )]
    UnknownOperator(String),
    /// A secret too short to derive keys from.
    #[error("the key is shorter than {least} characters: use 32 random hex digits or more")]
    ShortKey {
        /// How long it must be.
        least: usize,
    },
    /// What is wrong with a policy.
    #[error("policy `{0}`: {1}")]
    InPolicy(String, #[source] Box<ConfigError>),
    /// Two policies of one name could not be told apart in records.
    #[error("two policies are called `{0}`: give each a name of its own")]
    SameName(String),
}
