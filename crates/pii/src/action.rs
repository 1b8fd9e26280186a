//! What is done with what was found.

use std::str::FromStr;

use crate::ConfigError;

/// What is done with personal data of one kind, in LiteLLM's and Presidio's words.
///
/// ```
/// use bartizan_pii::Action;
///
/// assert_eq!("BLOCK".parse(), Ok(Action::Block));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// `MASK`: a numbered placeholder such as `<EMAIL_ADDRESS_1>` takes its place on the way to the model, and it comes
    /// back in the answer.
    Mask,
    /// `REPLACE`: the kind's name, such as `<EMAIL_ADDRESS>`, takes its place for good.
    Replace,
    /// `BLOCK`: the request is refused.
    Block,
}

impl Action {
    /// LiteLLM's or Presidio's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mask => "MASK",
            Self::Replace => "REPLACE",
            Self::Block => "BLOCK",
        }
    }
}

impl FromStr for Action {
    type Err = ConfigError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        [Self::Mask, Self::Replace, Self::Block]
            .into_iter()
            .find(|action| action.as_str().eq_ignore_ascii_case(word))
            .ok_or_else(|| ConfigError::UnknownAction(word.to_owned()))
    }
}
