//! What a call will cost, before anybody knows.
//!
//! The estimate is what is reserved; the call is settled to what the provider says it used.

use bartizan_core::{Document, TokenEstimate};

/// The tokens that a call is expected to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) input: u64,
    pub(crate) output: u64,
}

impl Estimate {
    pub(crate) fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }

    /// Reads the input's texts and the most output that the caller wants. Where it doesn't say, `default_output` an answer, but no more than
    /// half of what the limit of `least` tokens leaves: a guess of ours must not keep a call from ever passing.
    pub(crate) fn of(
        document: Option<&Document>,
        bytes: Option<u64>,
        default_output: u64,
        least: u64,
    ) -> Self {
        let (input, wanted, choices) = match document {
            Some(document) => {
                let input = document
                    .texts()
                    .map(|text| {
                        let mut estimate = TokenEstimate::default();
                        estimate.add(text.as_str());
                        estimate.tokens()
                    })
                    .sum::<u64>()
                    .max(1);
                let facts = document.facts();
                let wanted = if document.dialect().generates() {
                    facts.max_output_tokens
                } else {
                    Some(0)
                };
                (input, wanted, facts.choices.unwrap_or(1).max(1))
            }
            None => (bytes.unwrap_or_default().div_ceil(4).max(1), None, 1),
        };
        let output = match wanted {
            Some(wanted) => wanted.saturating_mul(choices),
            None => default_output
                .saturating_mul(choices)
                .min(least.saturating_sub(input) / 2),
        };
        Self { input, output }
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Dialect, Direction};

    use super::*;

    fn estimate(body: &str, dialect: Dialect, least: u64) -> Estimate {
        let document = Document::read(body, dialect, Direction::Request).unwrap();
        Estimate::of(Some(&document), None, 512, least)
    }

    #[test]
    fn input_and_wanted_output_are_added_up() {
        let least = u64::from(u32::MAX);
        let chat = |rest: &str| {
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":"{}"}}]{rest}}}"#,
                "a".repeat(400)
            )
        };
        let cases = [
            (chat(""), 100, 512),
            (chat(r#","n":3"#), 100, 1_536),
            (chat(r#","max_tokens":7"#), 100, 7),
            (chat(r#","max_completion_tokens":7,"n":2"#), 100, 14),
        ];
        for (body, input, output) in cases {
            assert_eq!(
                estimate(&body, Dialect::OpenAiChat, least),
                Estimate { input, output },
                "{}",
                &body[450..]
            );
        }
        let messages =
            r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"abcdefgh"}]}"#;
        assert_eq!(
            estimate(messages, Dialect::AnthropicMessages, least),
            Estimate {
                input: 2,
                output: 9
            }
        );
        for (body, dialect) in [
            (
                r#"{"model":"m","input":["abcd","efgh"]}"#,
                Dialect::OpenAiEmbeddings,
            ),
            (
                r#"{"model":"m","input":["abcd","efgh"]}"#,
                Dialect::OpenAiModerations,
            ),
            (
                r#"{"model":"m","query":"abcd","documents":["efgh"]}"#,
                Dialect::CohereRerank,
            ),
            (
                r#"{"requests":[{"content":{"parts":[{"text":"abcd"},{"text":"efgh"}]}}]}"#,
                Dialect::GeminiEmbeddings,
            ),
            (
                r#"{"system":"abcd","messages":[{"role":"user","content":"efgh"}],"max_tokens":9}"#,
                Dialect::AnthropicCountTokens,
            ),
        ] {
            assert_eq!(
                estimate(body, dialect, least),
                Estimate {
                    input: 2,
                    output: 0
                },
                "{dialect:?}"
            );
        }
    }

    #[test]
    fn a_guess_of_ours_leaves_room() {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"{}"}}]}}"#,
            "a".repeat(40)
        );
        assert_eq!(
            estimate(&body, Dialect::OpenAiChat, 110),
            Estimate {
                input: 10,
                output: 50
            }
        );
        assert_eq!(
            estimate(&body, Dialect::OpenAiChat, 5),
            Estimate {
                input: 10,
                output: 0
            }
        );
        assert_eq!(
            Estimate::of(None, Some(4_000), 512, 10_000),
            Estimate {
                input: 1_000,
                output: 512
            }
        );
        assert_eq!(
            Estimate::of(None, None, 512, 10_000),
            Estimate {
                input: 1,
                output: 512
            }
        );
    }

    #[test]
    fn absurd_wishes_do_not_wrap_around() {
        let body = format!(
            r#"{{"model":"m","messages":[],"max_tokens":{},"n":{}}}"#,
            u64::MAX,
            u64::MAX
        );
        assert_eq!(estimate(&body, Dialect::OpenAiChat, 100).total(), u64::MAX);
    }
}
