//! Families of tokenizers.

/// A family of tokenizers, which a text is estimated for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tokenizer {
    /// OpenAI's since GPT-4o (`o200k_base`).
    O200k,
    /// OpenAI's of GPT-4, GPT-3.5 and the embeddings (`cl100k_base`).
    Cl100k,
    /// Any other: estimated as the dearer of the two with a tenth more, and digits dearer still, since many take each alone.
    #[default]
    Other,
}

/// Names begin with these; the longest counts.
const MODELS: &[(&str, Tokenizer)] = &[
    ("chatgpt-4o", Tokenizer::O200k),
    ("codex-", Tokenizer::O200k),
    ("computer-use", Tokenizer::O200k),
    ("gpt-3.5", Tokenizer::Cl100k),
    ("gpt-35", Tokenizer::Cl100k),
    ("gpt-4", Tokenizer::Cl100k),
    ("gpt-4.1", Tokenizer::O200k),
    ("gpt-4.5", Tokenizer::O200k),
    ("gpt-4o", Tokenizer::O200k),
    ("gpt-5", Tokenizer::O200k),
    ("gpt-audio", Tokenizer::O200k),
    ("gpt-image", Tokenizer::O200k),
    ("gpt-oss", Tokenizer::O200k),
    ("gpt-realtime", Tokenizer::O200k),
    ("o1", Tokenizer::O200k),
    ("o3", Tokenizer::O200k),
    ("o4", Tokenizer::O200k),
    ("text-embedding-3", Tokenizer::Cl100k),
    ("text-embedding-ada-002", Tokenizer::Cl100k),
];

impl Tokenizer {
    /// The family that a model of that name uses, by how the name begins. What stands before a slash is a provider's name
    /// (`openai/gpt-4o`), and what stands between colons a fine-tuned model's (`ft:gpt-4o:acme`).
    ///
    /// ```
    /// use bartizan_core::Tokenizer;
    ///
    /// assert_eq!(Tokenizer::of_model("gpt-4o-mini"), Tokenizer::O200k);
    /// assert_eq!(Tokenizer::of_model("azure/gpt-4-32k"), Tokenizer::Cl100k);
    /// assert_eq!(Tokenizer::of_model("claude-sonnet-4-5"), Tokenizer::Other);
    /// ```
    #[must_use]
    pub fn of_model(name: &str) -> Self {
        let name = name.rsplit_once('/').map_or(name, |(_, name)| name);
        let name = name.strip_prefix("ft:").unwrap_or(name);
        MODELS
            .iter()
            .filter(|(start, _)| begins(name, start))
            .max_by_key(|(start, _)| start.len())
            .map_or(Self::Other, |(_, tokenizer)| *tokenizer)
    }

    /// `sum` with what is added for not knowing the tokenizer.
    pub(super) const fn margin(self, sum: u64, digits: u64) -> u64 {
        match self {
            Self::O200k | Self::Cl100k => sum,
            Self::Other => {
                let tenth = sum / 10;
                let alone = digits.saturating_mul(super::TOKEN / 4);
                sum.saturating_add(tenth).saturating_add(alone)
            }
        }
    }
}

/// Whether `name` begins with `start`, and the start isn't a part of a longer word: `o1-mini` is of `o1`, `o10` is not.
fn begins(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| {
        start.ends_with('-') || !rest.starts_with(|next: char| next.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_beginning_counts() {
        for (name, tokenizer) in [
            ("gpt-4", Tokenizer::Cl100k),
            ("gpt-4-turbo-2024-04-09", Tokenizer::Cl100k),
            ("gpt-4o", Tokenizer::O200k),
            ("gpt-4.1-nano", Tokenizer::O200k),
            ("gpt-5.2", Tokenizer::O200k),
            ("gpt-35-turbo", Tokenizer::Cl100k),
            ("ft:gpt-3.5-turbo-0125:acme::id", Tokenizer::Cl100k),
            ("openai/o3-mini", Tokenizer::O200k),
            ("openrouter/openai/gpt-oss-120b", Tokenizer::O200k),
            ("text-embedding-3-large", Tokenizer::Cl100k),
            ("o10", Tokenizer::Other),
            ("opus", Tokenizer::Other),
            ("gemini-2.5-pro", Tokenizer::Other),
            ("", Tokenizer::Other),
        ] {
            assert_eq!(Tokenizer::of_model(name), tokenizer, "{name}");
        }
    }
}
