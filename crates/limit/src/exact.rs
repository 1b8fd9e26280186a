//! Exact counts of tokens, by OpenAI's own vocabularies.
//!
//! They cost some fifty times what an [estimate](bartizan_core::TokenEstimate) does, and the two vocabularies are compiled into the binary: a choice for whoever
//! must not overshoot a budget at all. The counts equal those of OpenAI's `tiktoken`; a special token's name in a text is text.

use bartizan_core::{
    Dialect, Document, RequestEstimate, TextRole, Tokenizer, json::Kind, json::Value,
};

/// Counts tokens as a model of OpenAI's does.
///
/// ```
/// use bartizan_limit::ExactTokens;
///
/// let tokens = ExactTokens::for_model("gpt-4o").unwrap();
/// assert_eq!(tokens.count("What is the capital of France?"), 7);
/// assert!(ExactTokens::for_model("claude-sonnet-4-5").is_none());
/// ```
#[derive(Clone, Copy)]
pub struct ExactTokens {
    tokenizer: &'static bpe_openai::Tokenizer,
    family: Tokenizer,
}

/// How many tokens a request has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExactCount {
    /// All of its prompt.
    pub tokens: u64,
    /// Whether that is what the provider counts; `false` where it holds what is only estimated: tools, a schema for the answer, images, sound, files, or
    /// what the provider keeps.
    pub exact: bool,
}

/// What OpenAI's chat format puts around a message, and before the answer.
const MESSAGE: u64 = 3;
const NAME: u64 = 1;
const PRIMED: u64 = 3;

impl ExactTokens {
    /// The vocabulary of a model, by its name; nothing for models whose vocabulary isn't known.
    #[must_use]
    pub fn for_model(name: &str) -> Option<Self> {
        let family = Tokenizer::of_model(name);
        let tokenizer = match family {
            Tokenizer::O200k => bpe_openai::o200k_base(),
            Tokenizer::Cl100k => bpe_openai::cl100k_base(),
            _ => return None,
        };
        Some(Self { tokenizer, family })
    }

    /// The tokens of a text.
    #[must_use]
    pub fn count(&self, text: &str) -> u64 {
        self.tokenizer.count(text) as u64
    }

    /// The tokens of a request's prompt.
    ///
    /// A chat's messages are counted by the recipe that OpenAI publishes: three tokens and its role a message, one more for a name, three for the answer to
    /// begin with. Inputs of completions and embeddings are their texts.
    #[must_use]
    pub fn count_request(&self, document: &Document) -> ExactCount {
        let estimate = RequestEstimate::of(document);
        let chat = document.dialect() == Dialect::OpenAiChat;
        let mut tokens = 0_u64;
        let mut plain = true;
        for text in document.texts() {
            match text.role() {
                TextRole::Metadata => {}
                TextRole::EndUser if chat && !text.place().starts_with("messages") => {}
                // Their marks aren't among the texts.
                TextRole::ToolArguments | TextRole::ToolDefinition => plain = false,
                _ => tokens = tokens.saturating_add(self.count(text.as_str())),
            }
        }
        let root = document.json().root();
        let messages = root.get("messages");
        let format = match messages {
            Some(messages) if chat => {
                plain &= ["tools", "functions", "response_format"]
                    .iter()
                    .all(|name| {
                        root.get(name)
                            .is_none_or(|value| value.kind() == Kind::Null)
                    });
                messages
                    .items()
                    .map(|message| self.around(message, &mut plain))
                    .sum::<u64>()
                    + PRIMED
            }
            _ => {
                plain &= !document.dialect().generates()
                    || document.dialect() == Dialect::OpenAiCompletions;
                estimate.overhead()
            }
        };
        if !plain && chat {
            // What only an estimate knows: all that stands around texts, and arguments.
            let most = estimate.tokens().max(tokens.saturating_add(format));
            return ExactCount {
                tokens: most,
                exact: false,
            };
        }
        ExactCount {
            tokens: tokens
                .saturating_add(format)
                .saturating_add(estimate.media())
                .max(1),
            exact: plain && estimate.media() == 0 && estimate.is_whole(),
        }
    }

    fn around(&self, message: Value<'_>, plain: &mut bool) -> u64 {
        let mut sum = MESSAGE;
        for (key, value) in message.members() {
            if key.is("role") {
                sum += self.count(&value.text().unwrap_or_default());
            } else if key.is("name") {
                sum += NAME;
            } else if !key.is("content") {
                *plain &= value.kind() == Kind::Null;
            }
        }
        sum
    }
}

/// Shows the vocabulary's family.
impl std::fmt::Debug for ExactTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExactTokens")
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}
