//! Whose model it is that Bedrock serves: what is not the same for all goes by that.

use crate::facts::{Model, Thinking};
use crate::neutral::Maker;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Claude,
    Nova,
    /// Those that think by `reasoning_effort`.
    Effort,
    Mistral,
    Cohere,
    Other,
    /// A name of the account's own, which tells nothing.
    Unknown,
}

impl Family {
    /// By the model's name: an id, a profile of several regions, or an ARN.
    pub(super) fn of(model: &str, facts: Option<&Model>) -> Self {
        const WORDS: [(&str, Family); 8] = [
            ("anthropic.", Family::Claude),
            ("claude", Family::Claude),
            ("amazon.nova", Family::Nova),
            ("openai.", Family::Effort),
            ("moonshot", Family::Effort),
            ("mistral.", Family::Mistral),
            ("cohere.", Family::Cohere),
            ("deepseek.", Family::Other),
        ];
        let named = WORDS.iter().find(|(word, _)| model.contains(word));
        match named {
            Some((_, family)) => *family,
            None if facts.is_some_and(|facts| facts.thinking != Thinking::None) => Self::Claude,
            None if model.starts_with("arn:") => Self::Unknown,
            None => Self::Other,
        }
    }

    /// Who can read its signatures. Anthropic's hold on every platform.
    pub(super) const fn maker(self) -> Maker {
        match self {
            Self::Claude | Self::Unknown => Maker::Anthropic,
            _ => Maker::Other,
        }
    }

    /// Whether it can be told where to cache the prompt.
    pub(super) const fn caches(self) -> bool {
        matches!(self, Self::Claude | Self::Nova | Self::Unknown)
    }

    /// The same, among its tools.
    pub(super) const fn caches_tools(self) -> bool {
        matches!(self, Self::Claude | Self::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_tells_whose_it_is() {
        let account = "arn:aws:bedrock:eu-west-1:123456789012";
        for (model, family) in [
            ("anthropic.claude-haiku-4-5-20251001-v1:0", Family::Claude),
            (
                "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                Family::Claude,
            ),
            (
                &format!("{account}:inference-profile/eu.amazon.nova-lite-v1:0"),
                Family::Nova,
            ),
            ("global.amazon.nova-2-lite-v1:0", Family::Nova),
            ("openai.gpt-oss-120b-1:0", Family::Effort),
            ("mistral.mistral-large-2407-v1:0", Family::Mistral),
            ("cohere.command-r-plus-v1:0", Family::Cohere),
            ("us.deepseek.r1-v1:0", Family::Other),
            ("us.meta.llama4-scout-17b-instruct-v1:0", Family::Other),
            (
                &format!("{account}:application-inference-profile/abc123"),
                Family::Unknown,
            ),
        ] {
            assert_eq!(Family::of(model, None), family, "{model}");
        }
        let mut thinks = Model::new(1);
        thinks.thinking = Thinking::Budget;
        assert_eq!(Family::of(account, Some(&thinks)), Family::Claude);
    }
}
