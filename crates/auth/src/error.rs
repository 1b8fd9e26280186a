//! What can be wrong with a configuration, and with a wish about keys.

use crate::{AccountKind, StoreError};

/// Why a layer can't be built from what it was given. No variant holds the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// There is none.
    #[error("{what} is missing: set one, for example the output of `openssl rand -hex 32`")]
    Missing {
        /// Which secret.
        what: &'static str,
    },
    /// Too few characters.
    #[error(
        "{what} is too short: give at least {least} characters, for example the output of `openssl rand -hex 32`"
    )]
    Short {
        /// Which secret.
        what: &'static str,
        /// The fewest characters allowed.
        least: usize,
    },
    /// Too many characters.
    #[error("{what} is too long: give at most {most} characters")]
    Long {
        /// Which secret.
        what: &'static str,
        /// The most characters allowed.
        most: usize,
    },
    /// A space, a line end or a character outside of ASCII, which no header carries.
    #[error(
        "{what} holds a character that no header carries: give visible ASCII only, without spaces or a line end"
    )]
    Characters {
        /// Which secret.
        what: &'static str,
    },
    /// Stands in public documents.
    #[error(
        "{what} is published in documents that everyone can read: give a new one, for example the output of `openssl rand -hex 32`"
    )]
    Published {
        /// Which secret.
        what: &'static str,
    },
    /// A word, a sequence, a repetition.
    #[error(
        "{what} is easy to guess: give a random one, for example the output of `openssl rand -hex 32`"
    )]
    Predictable {
        /// Which secret.
        what: &'static str,
    },
    /// The address of a database or a server that can't be read as one.
    #[error("{what} is not valid: {problem}")]
    Url {
        /// Which address.
        what: &'static str,
        /// What is wrong, and the mend.
        problem: &'static str,
    },
    /// Something else than it must be.
    #[error("{what} is not valid: {mend}")]
    Invalid {
        /// What.
        what: &'static str,
        /// What it should be.
        mend: &'static str,
    },
    /// A master key in the format of virtual keys.
    #[error("{what} has the format of a virtual key: give one that doesn't start with `sk-bz-`")]
    VirtualKey {
        /// Which secret.
        what: &'static str,
    },
}

#[cfg(feature = "postgres")]
impl From<bartizan_database::UrlError> for ConfigError {
    fn from(error: bartizan_database::UrlError) -> Self {
        Self::Url {
            what: "the database's URL",
            problem: error.0,
        }
    }
}

/// Why a wish about keys was not granted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No such key, or none that the asker may see.
    #[error("no such key")]
    NotFound,
    /// No such account, or none that the asker may see.
    #[error("no such {}", .0.as_str())]
    NoAccount(AccountKind),
    /// The asker may not do this.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// A field is out of range.
    #[error("{field} is not valid: {mend}")]
    Invalid {
        /// The field, in LiteLLM's words.
        field: &'static str,
        /// What it should be.
        mend: &'static str,
    },
    /// Somebody else has changed it since the asker saw it.
    #[error("it was changed meanwhile: read it again, and send the `version` that it has now")]
    Conflict,
    /// The operating system gives no randomness.
    #[error("the operating system gives no randomness")]
    Randomness,
    /// The store could not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}
