//! What a call will cost, before anybody knows.
//!
//! The estimate is what is reserved; the call is settled to what the provider says it used.

use bartizan_core::{Document, Prices, RequestEstimate};

use crate::measure::worst_cost;

/// The tokens that a call is expected to use, and the money that it may cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Estimate {
    pub(crate) input: u64,
    pub(crate) output: u64,
    /// In 10⁻⁹ US dollars. At the longest answer there may be, where the tokens are a guess.
    pub(crate) cost: u64,
}

/// What an answer's length is guessed by, where the caller doesn't cap it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uncapped {
    /// Output tokens to reserve.
    pub(crate) default: u64,
    /// The most that the model answers, where that is known.
    pub(crate) most: Option<u64>,
    /// The least limit of tokens that binds the call.
    pub(crate) least: u64,
}

impl Estimate {
    pub(crate) fn total(self) -> u64 {
        self.input.saturating_add(self.output)
    }
}

/// What a request says of what it may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    input: u64,
    /// The most output of one answer, where it says so.
    output: Option<u64>,
    answers: u64,
}

impl Wanted {
    /// Reads the input and the most output that the caller wants.
    pub(crate) fn of(document: &Document) -> Self {
        let facts = document.facts();
        Self {
            input: RequestEstimate::of(document).tokens().max(1),
            output: if document.dialect().generates() {
                facts.max_output_tokens
            } else {
                Some(0)
            },
            answers: facts.choices.unwrap_or(1).max(1),
        }
    }

    /// Of a message that nobody can read, by its length.
    pub(crate) fn of_bytes(bytes: Option<u64>) -> Self {
        Self {
            input: RequestEstimate::of_bytes(bytes.unwrap_or_default())
                .tokens()
                .max(1),
            output: None,
            answers: 1,
        }
    }

    /// Where the caller doesn't cap the answer, the default for one, but no more than half of what the least limit leaves: a guess of ours
    /// must not keep a call from ever passing. Money is another matter: there the model's longest answer counts, since what is spent is
    /// not to be had again in a minute.
    pub(crate) fn estimate(self, uncapped: Uncapped, prices: Option<&Prices>) -> Estimate {
        // More than the model's longest answer is not had for asking.
        let capped = |wanted: u64| uncapped.most.map_or(wanted, |most| wanted.min(most));
        let all = |output: u64| output.saturating_mul(self.answers);
        let (output, longest) = match self.output {
            Some(wanted) => (all(capped(wanted)), all(capped(wanted))),
            None => {
                let default = capped(uncapped.default);
                let room = uncapped.least.saturating_sub(self.input) / 2;
                (
                    all(default).min(room),
                    all(uncapped.most.unwrap_or(default)),
                )
            }
        };
        Estimate {
            input: self.input,
            output,
            cost: prices.map_or(0, |prices| worst_cost(prices, self.input, longest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Dialect, Direction};

    use super::*;

    fn uncapped(least: u64) -> Uncapped {
        Uncapped {
            default: 512,
            most: None,
            least,
        }
    }

    fn of(input: u64, output: u64) -> Estimate {
        Estimate {
            input,
            output,
            cost: 0,
        }
    }

    fn estimate(body: &str, dialect: Dialect, least: u64) -> Estimate {
        let document = Document::read(body, dialect, Direction::Request).unwrap();
        Wanted::of(&document).estimate(uncapped(least), None)
    }

    fn read(body: &str, dialect: Dialect) -> Document {
        Document::read(body, dialect, Direction::Request).unwrap()
    }

    /// What the estimate of requests says of the input.
    fn input(body: &str, dialect: Dialect) -> u64 {
        RequestEstimate::of(&read(body, dialect)).tokens()
    }

    #[test]
    fn input_and_wanted_output_are_added_up() {
        let least = u64::from(u32::MAX);
        let chat = |rest: &str| {
            format!(
                r#"{{"model":"m","messages":[{{"role":"user","content":"{}"}}]{rest}}}"#,
                " word".repeat(100)
            )
        };
        let cases = [
            (chat(""), 512),
            (chat(r#","n":3"#), 1_536),
            (chat(r#","max_tokens":7"#), 7),
            (chat(r#","max_completion_tokens":7,"n":2"#), 14),
        ];
        for (body, output) in cases {
            let dialect = Dialect::OpenAiChat;
            let input = input(&body, dialect);
            assert!(input > 100);
            assert_eq!(estimate(&body, dialect, least), of(input, output), "{body}");
        }
        let messages =
            r#"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"abcdefgh"}]}"#;
        assert_eq!(
            estimate(messages, Dialect::AnthropicMessages, least),
            of(input(messages, Dialect::AnthropicMessages), 9)
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
            let input = input(body, dialect).max(1);
            assert_eq!(estimate(body, dialect, least), of(input, 0), "{dialect:?}");
        }
    }

    #[test]
    fn a_guess_of_ours_leaves_room() {
        let body = format!(
            r#"{{"model":"m","messages":[{{"role":"user","content":"{}"}}]}}"#,
            " word".repeat(10)
        );
        let input = input(&body, Dialect::OpenAiChat);
        let guess = |least| estimate(&body, Dialect::OpenAiChat, least);
        assert_eq!(guess(input + 100), of(input, 50));
        assert_eq!(guess(5), of(input, 0));
        assert_eq!(
            Wanted::of_bytes(Some(4_000)).estimate(uncapped(10_000), None),
            of(RequestEstimate::of_bytes(4_000).tokens(), 512)
        );
        assert_eq!(
            Wanted::of_bytes(None).estimate(uncapped(10_000), None),
            of(1, 512)
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

    #[test]
    fn money_is_reserved_for_the_longest_answer_that_may_come() {
        let price = |text: &str| Some(text.parse().unwrap());
        let prices = Prices {
            input: price("1e-6"),
            output: price("2e-6"),
            ..Prices::default()
        };
        let body = |rest: &str| {
            let text = " word".repeat(100);
            format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]{rest}}}"#)
        };
        // (the wish, the model's longest answer, output tokens, 10⁻⁹ dollars)
        for (rest, most, output, of_output) in [
            (r#","max_tokens":7"#, None, 7, 14_000),
            (r#","max_tokens":7,"n":3"#, None, 21, 42_000),
            (r#","max_tokens":900"#, Some(400), 400, 800_000),
            ("", Some(4_000), 512, 8_000_000),
            ("", Some(100), 100, 200_000),
            ("", None, 512, 1_024_000),
        ] {
            let document = read(&body(rest), Dialect::OpenAiChat);
            let input = RequestEstimate::of(&document).tokens();
            let uncapped = Uncapped {
                most,
                ..uncapped(u64::MAX)
            };
            assert_eq!(
                Wanted::of(&document).estimate(uncapped, Some(&prices)),
                Estimate {
                    input,
                    output,
                    cost: input * 1_000 + of_output
                },
                "{rest} {most:?}"
            );
        }
    }
}
