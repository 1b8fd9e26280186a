//! What a provider's models can do, where a translation hangs on it.

use std::collections::BTreeMap;

use crate::error::Error;

const ANTHROPIC: &str = include_str!("../data/anthropic.csv");

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

/// What one model can do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Model {
    /// The most tokens that an answer may have, thinking included.
    pub max_output: u64,
    /// How it is told to think.
    pub thinking: Thinking,
    /// The efforts that it takes, where it thinks by effort.
    pub efforts: Vec<Effort>,
    /// Whether it takes `temperature`, `top_p` and `top_k`.
    pub sampling: bool,
    /// Whether it keeps to a JSON schema by itself, in answers and in tool arguments.
    pub json_schema: bool,
}

impl Model {
    /// Creates a model that does nothing beyond answering with at most `max_output` tokens.
    #[must_use]
    pub fn new(max_output: u64) -> Self {
        Self {
            max_output,
            thinking: Thinking::None,
            efforts: Vec::new(),
            sampling: true,
            json_schema: false,
        }
    }
}

/// A table of models. The default knows Anthropic's.
///
/// ```
/// use bartizan_translate::{Model, ModelFacts};
///
/// let facts = ModelFacts::default().with("house-model", Model::new(8_192));
/// assert_eq!(facts.of("claude-haiku-4-5-20251001").unwrap().max_output, 64_000);
/// assert_eq!(facts.of("house-model").unwrap().max_output, 8_192);
/// assert!(facts.of("claude-haiku-4-9").is_none());
/// ```
#[derive(Clone, Debug)]
pub struct ModelFacts(BTreeMap<String, Model>);

impl Default for ModelFacts {
    fn default() -> Self {
        // The table in the crate is held to its form by a test.
        Self::empty()
            .read(ANTHROPIC)
            .unwrap_or_else(|_| Self::empty())
    }
}

impl ModelFacts {
    /// Creates a table that knows nothing.
    #[must_use]
    pub fn empty() -> Self {
        Self(BTreeMap::new())
    }

    /// Adds a model, or replaces what is known of it.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, model: Model) -> Self {
        self.0.insert(name.into(), model);
        self
    }

    /// Adds the models of a CSV table: a head line, then `model,max_output,thinking,efforts,sampling,json_schema`. `#` starts a comment.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] with the first line that can't be read.
    pub fn read(mut self, table: &str) -> Result<Self, Error> {
        let lines = table.lines().enumerate();
        let rows = lines.filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
        for (at, line) in rows.skip(1) {
            let (name, model) = row(line.trim()).map_err(|fault| Error::Model {
                line: at + 1,
                fault,
            })?;
            self.0.insert(name.to_owned(), model);
        }
        Ok(self)
    }

    /// What is known of `model`; a date (`-20251001`, `@20251001`) or `-latest` behind a known name is the same model.
    #[must_use]
    pub fn of(&self, model: &str) -> Option<&Model> {
        self.0.get(model).or_else(|| {
            let (name, version) = model.rsplit_once(['-', '@'])?;
            let dated = version.len() == 8 && version.bytes().all(|byte| byte.is_ascii_digit());
            (dated || version == "latest")
                .then(|| self.0.get(name))
                .flatten()
        })
    }
}

fn row(line: &str) -> Result<(&str, Model), &'static str> {
    let mut fields = line.split(',').map(str::trim);
    let mut next = || {
        fields
            .next()
            .ok_or("six fields: model,max_output,thinking,efforts,sampling,json_schema")
    };
    let name = next()?;
    let max_output = next()?
        .parse()
        .map_err(|_| "max_output: a whole number of tokens")?;
    let thinking = match next()? {
        "none" => Thinking::None,
        "budget" => Thinking::Budget,
        "adaptive" => Thinking::Adaptive,
        _ => return Err("thinking: none, budget or adaptive"),
    };
    let efforts = next()?
        .split(';')
        .filter(|word| !word.is_empty())
        .map(|word| Effort::named(word).ok_or("efforts: low, medium, high, xhigh, max"))
        .collect::<Result<Vec<_>, _>>()?;
    if (thinking == Thinking::Adaptive) == efforts.is_empty() {
        return Err("efforts: at least one where thinking is adaptive, else none");
    }
    let mut flag = || match next()? {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err("sampling and json_schema: yes or no"),
    };
    let sampling = flag()?;
    let json_schema = flag()?;
    let model = Model {
        max_output,
        thinking,
        efforts,
        sampling,
        json_schema,
    };
    Ok((name, model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_in_the_crate_is_whole() {
        let facts = ModelFacts::empty().read(ANTHROPIC).unwrap();
        assert_eq!(facts.0.len(), 20);
        assert!(facts.0.values().all(|model| model.max_output >= 32_000));
    }

    #[test]
    fn a_newer_model_is_not_taken_for_an_older_one() {
        let facts = ModelFacts::default();
        for (name, known) in [
            ("claude-opus-4-1-20250805", true),
            ("claude-opus-4-20250514", true),
            ("claude-sonnet-4-5@20250929", true),
            ("claude-haiku-4-5-latest", true),
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
    }

    #[test]
    fn a_bad_line_is_named() {
        let head = "model,max_output,thinking,efforts,sampling,json_schema\n";
        for bad in [
            "a",
            "a,b,none,,yes,no",
            "a,1,some,,yes,no",
            "a,1,none,low,yes,no",
            "a,1,adaptive,,yes,no",
            "a,1,adaptive,lots,yes,no",
            "a,1,none,,maybe,no",
            "a,1,none,,yes",
        ] {
            let error = ModelFacts::empty()
                .read(&format!("{head}\n{bad}"))
                .unwrap_err();
            assert!(error.to_string().starts_with("line 3 of"), "{bad}: {error}");
        }
    }
}
