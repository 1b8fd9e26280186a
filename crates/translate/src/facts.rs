//! What a provider's models can do, where a translation, a limit or a price hangs on it.

use std::collections::BTreeMap;

use bartizan_core::Prices;

use crate::catalogue::{ModelName, table};

/// How a model is told to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Thinking {
    /// It does not.
    None,
    /// By a budget of tokens.
    Budget,
    /// By an effort, and decides itself.
    Adaptive,
}

impl Thinking {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "budget" => Self::Budget,
            "adaptive" => Self::Adaptive,
            _ => return None,
        })
    }
}

/// How hard a model is asked to think.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Effort {
    /// As little as it can.
    Minimal,
    /// Little.
    Low,
    /// The middle.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// All it can.
    Max,
}

impl Effort {
    /// The effort that `word` names.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// The tokens that it may take, for models that think by a budget; `None` for all there are.
    pub(crate) const fn budget(self) -> Option<u64> {
        Some(match self {
            Self::Minimal => 1_024,
            Self::Low => 2_048,
            Self::Medium => 8_192,
            Self::High => 16_384,
            Self::XHigh => 32_768,
            Self::Max => return None,
        })
    }

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }
}

/// What a model is called for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Purpose {
    /// Conversations.
    #[default]
    Chat,
    /// Conversations, by the responses API alone.
    Responses,
    /// Going on from a prompt.
    Completion,
    /// Embeddings.
    Embedding,
    /// Moderation.
    Moderation,
    /// Rerank.
    Rerank,
}

impl Purpose {
    pub(crate) fn named(word: &str) -> Option<Self> {
        Some(match word {
            "chat" => Self::Chat,
            "responses" => Self::Responses,
            "completion" => Self::Completion,
            "embedding" => Self::Embedding,
            "moderation" => Self::Moderation,
            "rerank" => Self::Rerank,
            _ => return None,
        })
    }
}

/// What one model can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// What it is called for.
    pub purpose: Purpose,
    /// The most tokens of a request, where that is known.
    pub context: Option<u64>,
    /// The most tokens that an answer may have, thinking included; the context where no one says, and 0 where that is not known either.
    pub max_output: u64,
    /// How it is told to think.
    pub thinking: Thinking,
    /// The efforts that it takes, where it thinks by effort.
    pub efforts: Vec<Effort>,
    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub sampling: bool,
    /// Whether it keeps to a JSON schema by itself, in answers and in tool arguments.
    pub json_schema: bool,
    /// Whether it calls tools.
    pub tools: bool,
    /// Whether it calls several at a time.
    pub parallel_tools: bool,
    /// Whether it sees images.
    pub vision: bool,
    /// Whether it reads PDF.
    pub pdf: bool,
    /// Whether it hears.
    pub audio_input: bool,
    /// Whether it speaks.
    pub audio_output: bool,
    /// Whether its provider caches beginnings of prompts.
    pub caching: bool,
    /// What it costs.
    pub prices: Prices,
    /// The day on which the provider takes it away, as `2027-01-31`.
    pub retires: Option<Box<str>>,
}

impl Model {
    /// Creates a model that does nothing beyond answering with at most `max_output` tokens.
    #[must_use]
    pub fn new(max_output: u64) -> Self {
        Self {
            purpose: Purpose::Chat,
            context: None,
            max_output,
            thinking: Thinking::None,
            efforts: Vec::new(),
            sampling: true,
            json_schema: false,
            tools: false,
            parallel_tools: false,
            vision: false,
            pdf: false,
            audio_input: false,
            audio_output: false,
            caching: false,
            prices: Prices::default(),
            retires: None,
        }
    }
}

impl Model {
    /// The most tokens that an answer may have, where that is known.
    pub(crate) fn output_limit(&self) -> Option<u64> {
        Some(self.max_output).filter(|most| *most > 0)
    }
}

/// What is known of models: the crate's table, as it stood on the day that `data/models.csv` names, and the user's own words, which go
/// before it.
///
/// ```
/// use bartizan_translate::{Model, ModelFacts};
///
/// let facts = ModelFacts::default().with("house-model", Model::new(8_192));
/// assert_eq!(facts.of("claude-haiku-4-5-20251001").unwrap().max_output, 64_000);
/// assert_eq!(facts.of("us.anthropic.claude-haiku-4-5-20251001-v1:0").unwrap().max_output, 64_000);
/// assert_eq!(facts.of("house-model").unwrap().max_output, 8_192);
/// assert!(facts.of("claude-haiku-4-9").is_none());
/// ```
#[derive(Clone, Debug)]
pub struct ModelFacts {
    own: BTreeMap<Box<str>, Model>,
    table: bool,
}

impl Default for ModelFacts {
    fn default() -> Self {
        Self {
            own: BTreeMap::new(),
            table: true,
        }
    }
}

impl ModelFacts {
    /// Creates a table that knows nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self {
            own: BTreeMap::new(),
            table: false,
        }
    }

    /// Adds a model, or replaces what is known of it: `model`, as a provider calls it, or `provider/model`.
    #[must_use]
    pub fn with(mut self, name: impl Into<Box<str>>, model: Model) -> Self {
        self.own.insert(name.into(), model);
        self
    }

    /// What is known of `model`, whoever serves it; prices are its maker's, where the maker serves it.
    ///
    /// What stands around a name at a cloud means the same model: a date (`-20251001`, `@20251001`, `-2024-08-06`), `-latest`, Bedrock's
    /// region, maker and version (`us.anthropic.…-v1:0`), an ARN.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<&Model> {
        table::variants(model).into_iter().find_map(|name| {
            let known = || self.table.then(|| table::of_any(name)).flatten();
            self.own.get(name).or_else(known)
        })
    }

    /// What is known of a model as one provider serves it, prices included. Where only the model is known, and not this provider's, that
    /// without prices is [`of`](Self::of)'s to tell.
    ///
    /// ```
    /// use bartizan_translate::ModelFacts;
    /// use bartizan_translate::catalogue::ModelName;
    ///
    /// let facts = ModelFacts::default();
    /// let served = facts.served(&ModelName::parse("vertex_ai/claude-haiku-4-5@20251001")?).unwrap();
    /// assert!(served.prices.input.is_some());
    /// assert!(facts.served(&ModelName::parse("hosted_vllm/claude-haiku-4-5")?).is_none());
    /// # Ok::<(), bartizan_translate::Error>(())
    /// ```
    #[must_use]
    pub fn served(&self, name: &ModelName) -> Option<&Model> {
        let provider = name.provider();
        let regional = name
            .region()
            .map(|region| format!("{region}/{}", name.model()));
        let mut names: Vec<&str> = regional.iter().map(String::as_str).collect();
        names.extend(table::variants(name.model()));
        names.into_iter().find_map(|model| {
            let own = self.own.get(format!("{provider}/{model}").as_str());
            let known = || {
                self.table
                    .then(|| table::of_provider(provider, model))
                    .flatten()
            };
            own.or_else(|| self.own.get(model)).or_else(known)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_model_is_not_taken_for_an_older_one() {
        let facts = ModelFacts::default();
        for (name, known) in [
            ("claude-opus-4-1-20250805", true),
            ("claude-opus-4-20250514", true),
            ("claude-sonnet-4-5@20250929", true),
            ("claude-haiku-4-5-latest", true),
            ("eu.anthropic.claude-sonnet-4-5-20250929-v1:0", true),
            ("gpt-4o-2024-08-06", true),
            ("claude-opus-4-9", false),
            ("claude-sonnet-5-5-5", false),
            ("claude-opus-4-2025", false),
            ("claude", false),
            ("", false),
        ] {
            assert_eq!(facts.of(name).is_some(), known, "{name}");
        }
        assert_eq!(
            facts.of("claude-opus-4-20250514").unwrap().max_output,
            32_000
        );
        assert!(ModelFacts::empty().of("gpt-4o").is_none());
    }

    #[test]
    fn the_users_word_goes_before_the_table() {
        let mut own = Model::new(1);
        own.context = Some(7);
        let facts = ModelFacts::default()
            .with("gpt-4o", own.clone())
            .with("azure/claude-opus-5", own);
        assert_eq!(
            facts.of("gpt-4o-2024-08-06").unwrap().context,
            Some(128_000),
            "it is in the table by itself"
        );
        assert_eq!(facts.of("gpt-4o").unwrap().context, Some(7));
        assert_ne!(facts.of("claude-opus-5").unwrap().context, Some(7));
        let served = facts.served(&ModelName::new("azure", "claude-opus-5"));
        assert_eq!(served.unwrap().context, Some(7));
    }
}
