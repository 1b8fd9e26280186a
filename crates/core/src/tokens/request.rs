//! How many tokens a request is to its provider, with all that stands around its texts.

use super::media::{self, Images};
use super::{TokenEstimate, Tokenizer};
use crate::json::{Kind, Value};
use crate::{Dialect, Document, TextRole};

/// The tokens of a request's prompt by estimate: its texts, and what a provider adds for messages, tools, images, sound and files.
///
/// ```
/// use bartizan_core::{Dialect, Direction, Document, RequestEstimate};
///
/// let text = r#"{"model":"gpt-4o","messages":[{"role":"user","content":"What is the capital of France?"}]}"#;
/// let document = Document::read(text, Dialect::OpenAiChat, Direction::Request)?;
/// let estimate = RequestEstimate::of(&document);
/// assert_eq!(estimate.texts(), 8);
/// assert_eq!(estimate.tokens(), 15); // the provider counts 14
/// # Ok::<(), bartizan_core::json::Fault>(())
/// ```
///
/// # What is not in the request
///
/// A conversation that the provider keeps (`previous_response_id`, cached contents) costs tokens that nobody can see here: such a request isn't
/// [whole](Self::is_whole). Where something's size isn't told, such as an image behind a link, the most that it usually costs is taken;
/// `docs/tokens.md` lists the numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestEstimate {
    texts: u64,
    overhead: u64,
    media: u64,
    elsewhere: bool,
}

/// A message's role and limits, in OpenAI's format.
const MESSAGE: u64 = 4;
/// What an answer is primed with.
const PRIMED: u64 = 3;
/// A call of a tool or its result, around name and arguments.
const TOOL_CALL: u64 = 12;
/// Marks around each leaf of arguments.
const LEAF: u64 = 2;
/// Anthropic puts a text of its own before tools; in its table the largest for a current model.
const TOOL_PROMPT: u64 = 346;
/// What stands around a conversation of Anthropic's.
const FRAMED: u64 = 8;

/// Members of the root that hold messages and what they are made of.
const PROMPTS: [&str; 9] = [
    "messages",
    "input",
    "contents",
    "system",
    "systemInstruction",
    "system_instruction",
    "prompt",
    "content",
    "images",
];
/// Members that describe tools and the form of an answer.
const DEFINITIONS: [&str; 7] = [
    "tools",
    "functions",
    "response_format",
    "text",
    "toolConfig",
    "output_format",
    "output_config",
];
/// Members that stand for what the provider keeps.
const ELSEWHERE: [&str; 5] = [
    "previous_response_id",
    "conversation",
    "cachedContent",
    "cached_content",
    "container",
];

impl RequestEstimate {
    /// Estimates a request, for the tokenizer of the model that it names.
    #[must_use]
    pub fn of(document: &Document) -> Self {
        let model = document.facts().model.as_deref().unwrap_or_default();
        let tokenizer = Tokenizer::of_model(model);
        let mut texts = TokenEstimate::new(tokenizer);
        let mut defined = TokenEstimate::new(tokenizer);
        let mut leaves = 0;
        for text in document.texts() {
            let estimate = match text.role() {
                // Kept with a call, and not shown to the model.
                TextRole::Metadata => continue,
                TextRole::ToolDefinition => &mut defined,
                TextRole::ToolArguments => {
                    leaves += 1;
                    &mut texts
                }
                _ => &mut texts,
            };
            estimate.add(text.as_str());
            estimate.end_text();
        }

        let mut found = Found {
            images: Images::of(document.dialect(), model),
            ..Found::default()
        };
        let mut schemas = TokenEstimate::new(tokenizer);
        let mut estimate = Self::default();
        let mut tools = false;
        for (key, value) in document.json().root().members() {
            let among = |names: &[&str]| names.iter().any(|name| key.is(name));
            if among(&PROMPTS) {
                found.messages += if value.kind() == Kind::Array {
                    value.items().count() as u64
                } else {
                    1
                };
                found.walk(value);
            } else if among(&DEFINITIONS) {
                tools |= key.is("tools") || key.is("toolConfig");
                // As JSON, which is somewhat longer than what providers make of it.
                schemas.add(value.raw());
                schemas.end_text();
            } else if among(&ELSEWHERE) {
                estimate.elsewhere |= value.kind() != Kind::Null;
            }
        }

        estimate.texts = texts.tokens().saturating_add(found.numbers);
        estimate.media = found.media;
        estimate.overhead = schemas.tokens().max(defined.tokens()) + leaves * LEAF;
        if document.dialect().generates() || counts(document.dialect()) {
            let framed = anthropic(document.dialect(), model);
            estimate.overhead += found.messages * MESSAGE + found.calls * TOOL_CALL + PRIMED;
            estimate.overhead += if framed { FRAMED } else { 0 };
            estimate.overhead += if framed && tools { TOOL_PROMPT } else { 0 };
        }
        estimate
    }

    /// Estimates a body that can't be read, by its length: four bytes a token.
    #[must_use]
    pub const fn of_bytes(bytes: u64) -> Self {
        Self {
            texts: bytes.div_ceil(4),
            overhead: 0,
            media: 0,
            elsewhere: false,
        }
    }

    /// All of them; one at least.
    #[must_use]
    pub const fn tokens(&self) -> u64 {
        let sum = self.texts.saturating_add(self.overhead);
        let sum = sum.saturating_add(self.media);
        if sum == 0 { 1 } else { sum }
    }

    /// Those of the texts.
    #[must_use]
    pub const fn texts(&self) -> u64 {
        self.texts
    }

    /// Those that stand around the texts: messages, tools, the form of an answer.
    #[must_use]
    pub const fn overhead(&self) -> u64 {
        self.overhead
    }

    /// Those of images, sound and files.
    #[must_use]
    pub const fn media(&self) -> u64 {
        self.media
    }

    /// Whether the request holds all that its provider counts.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        !self.elsewhere
    }
}

const fn counts(dialect: Dialect) -> bool {
    matches!(
        dialect,
        Dialect::AnthropicCountTokens | Dialect::GeminiCountTokens
    )
}

fn anthropic(dialect: Dialect, model: &str) -> bool {
    let asked = matches!(
        dialect,
        Dialect::AnthropicMessages | Dialect::AnthropicCountTokens
    );
    asked || model.contains("claude")
}

/// What stands among the texts of a prompt.
#[derive(Default)]
struct Found {
    images: Images,
    messages: u64,
    calls: u64,
    media: u64,
    /// Tokens that came as numbers.
    numbers: u64,
}

impl Found {
    fn walk(&mut self, value: Value<'_>) {
        match value.kind() {
            Kind::Array => {
                let mut items = value.items().peekable();
                if items.peek().is_none() {
                    self.numbers += numbers(value.raw());
                }
                for item in items {
                    // Eight digits and more are noted, and are no token's number.
                    self.walk(item);
                }
            }
            Kind::Object => {
                if let Some(tokens) = media::of(value, self.images) {
                    self.media = self.media.saturating_add(tokens);
                    return;
                }
                self.calls += u64::from(is_call(value));
                for (_, member) in value.members() {
                    self.walk(member);
                }
            }
            _ => {}
        }
    }
}

/// How many numbers an array of nothing else holds.
fn numbers(raw: &str) -> u64 {
    if raw.bytes().any(|byte| byte.is_ascii_digit()) {
        memchr::memchr_iter(b',', raw.as_bytes()).count() as u64 + 1
    } else {
        0
    }
}

fn is_call(object: Value<'_>) -> bool {
    object.members().any(|(key, value)| {
        let word = |words: &[&str]| words.iter().any(|word| value.is(word));
        (key.is("type")
            && word(&[
                "function",
                "function_call",
                "function_call_output",
                "tool_use",
                "tool_result",
                "custom_tool_call",
                "custom_tool_call_output",
            ]))
            || (key.is("role") && word(&["tool", "function"]))
            || ["functionCall", "functionResponse", "toolUse", "toolResult"]
                .iter()
                .any(|name| key.is(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Direction;

    fn estimate(text: &str, dialect: Dialect) -> RequestEstimate {
        RequestEstimate::of(&Document::read(text, dialect, Direction::Request).unwrap())
    }

    #[test]
    fn what_stands_around_texts_counts() {
        let base = estimate(
            r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}]}"#,
            Dialect::OpenAiChat,
        );
        for (text, dialect) in [
            (
                r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"},{"role":"assistant","content":""}]}"#,
                Dialect::OpenAiChat,
            ),
            (
                r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"}],"tools":[{"type":"function","function":{"name":"look_up","parameters":{"type":"object","properties":{"place":{"type":"string"}}}}}]}"#,
                Dialect::OpenAiChat,
            ),
            (
                r#"{"model":"gpt-4o","messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}]}"#,
                Dialect::OpenAiChat,
            ),
            (
                r#"{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#,
                Dialect::AnthropicMessages,
            ),
        ] {
            let more = estimate(text, dialect);
            assert!(more.overhead() >= base.overhead() + MESSAGE, "{text}");
            assert_eq!(more.media(), 0, "{text}");
        }
        assert_eq!(base.overhead(), MESSAGE + PRIMED);
    }

    #[test]
    fn tokens_that_come_as_numbers_count_one_each() {
        for (text, tokens) in [
            (r#"{"model":"text-embedding-3-small","input":[1,2,3]}"#, 3),
            (
                r#"{"model":"text-embedding-3-small","input":[[1,2],[100257,4,5]]}"#,
                5,
            ),
            (r#"{"model":"text-embedding-3-small","input":[]}"#, 1),
        ] {
            assert_eq!(
                estimate(text, Dialect::OpenAiEmbeddings).tokens(),
                tokens,
                "{text}"
            );
        }
    }

    #[test]
    fn metadata_is_no_part_of_a_prompt() {
        let with = |metadata: &str| {
            let text = format!(
                r#"{{"model":"gpt-4o","messages":[{{"role":"user","content":"hi"}}],"metadata":{{"note":"{metadata}"}}}}"#
            );
            estimate(&text, Dialect::OpenAiChat)
        };
        assert_eq!(with("a"), with("a long note that no model ever sees"));
    }

    #[test]
    fn what_the_provider_keeps_is_told() {
        let whole = |text: &str| estimate(text, Dialect::OpenAiResponses).is_whole();
        assert!(whole(
            r#"{"model":"gpt-5","input":"hi","previous_response_id":null}"#
        ));
        assert!(!whole(
            r#"{"model":"gpt-5","input":"hi","previous_response_id":"resp_1"}"#
        ));
    }

    #[test]
    fn what_can_not_be_read_costs_by_its_length() {
        assert_eq!(RequestEstimate::of_bytes(4_001).tokens(), 1_001);
        assert_eq!(RequestEstimate::of_bytes(0).tokens(), 1);
    }
}
