//! What the mock reads from a request. It reads on its own, with none of the code that it is there to test.

use http::Method;
use serde_json::Value;

/// The API that a path belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Api {
    Chat,
    Responses,
    Completions,
    Embeddings,
    Moderations,
    Rerank,
    Messages,
    CountTokens,
    Models,
    Unknown,
}

impl Api {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let path = path.trim_end_matches('/');
        if method == Method::GET {
            return if path.ends_with("/models") {
                Self::Models
            } else {
                Self::Unknown
            };
        }
        let ends = |tail: &str| path.ends_with(tail);
        if ends("/chat/completions") {
            Self::Chat
        } else if ends("/completions") {
            Self::Completions
        } else if ends("/moderations") {
            Self::Moderations
        } else if ends("/rerank") {
            Self::Rerank
        } else if ends("/responses") {
            Self::Responses
        } else if ends("/embeddings") {
            Self::Embeddings
        } else if ends("/messages") {
            Self::Messages
        } else if ends("/messages/count_tokens") {
            Self::CountTokens
        } else {
            Self::Unknown
        }
    }

    pub(super) fn is_anthropic(self) -> bool {
        matches!(self, Self::Messages | Self::CountTokens)
    }
}

/// One request as the mock understood it.
#[derive(Clone, Debug)]
pub(super) struct Prompt {
    pub(super) number: u64,
    pub(super) api: Api,
    pub(super) model: String,
    pub(super) stream: bool,
    pub(super) include_usage: bool,
    /// The text of the last user turn, or the tool's result where that came last.
    pub(super) text: String,
    /// The last turn is a tool's result, so that calling it again would loop.
    pub(super) answers_tool: bool,
    pub(super) tools: Vec<String>,
    pub(super) inputs: Vec<String>,
    pub(super) base64: bool,
    pub(super) dimensions: usize,
    pub(super) tokens: u64,
}

impl Prompt {
    pub(super) fn read(number: u64, api: Api, body: &[u8]) -> Option<Self> {
        Some(Self::of(number, api, &serde_json::from_slice(body).ok()?))
    }

    pub(super) fn of(number: u64, api: Api, value: &Value) -> Self {
        let turns = value
            .get("messages")
            .or_else(|| value.get("input"))
            .or_else(|| value.get("prompt"))
            .or_else(|| value.get("documents"))
            .unwrap_or(&Value::Null);
        let (text, answers_tool) = last_turn(turns);
        Self {
            number,
            api,
            model: string(value, "model").unwrap_or_else(|| "mock-echo".to_owned()),
            stream: value
                .get("stream")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            include_usage: value
                .pointer("/stream_options/include_usage")
                .and_then(Value::as_bool)
                .unwrap_or(false),
            text,
            answers_tool,
            tools: tools(value),
            inputs: inputs(turns),
            base64: value.get("encoding_format").and_then(Value::as_str) == Some("base64"),
            dimensions: value
                .get("dimensions")
                .and_then(Value::as_u64)
                .and_then(|count| usize::try_from(count).ok())
                .map_or(8, |count| count.clamp(1, 4096)),
            tokens: count(&body_text(value)),
        }
    }
}

/// A stand-in for a tokeniser: four bytes a token, rounded up.
pub(super) fn count(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX).div_ceil(4)
}

fn string(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).map(str::to_owned)
}

fn body_text(value: &Value) -> String {
    [
        "system",
        "instructions",
        "messages",
        "input",
        "prompt",
        "query",
        "documents",
    ]
    .iter()
    .filter_map(|key| value.get(key))
    .map(content)
    .collect()
}

/// Every text under a content value: a string, a list of parts, a message, a tool's result.
fn content(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(content).collect(),
        Value::Object(part) => ["text", "content", "output"]
            .iter()
            .filter_map(|key| part.get(*key))
            .map(content)
            .collect(),
        _ => String::new(),
    }
}

fn last_turn(turns: &Value) -> (String, bool) {
    let Value::Array(turns) = turns else {
        return (content(turns), false);
    };
    let Some(last) = turns.iter().rev().find(|turn| speaks(turn)) else {
        return (turns.last().map(content).unwrap_or_default(), false);
    };
    let kind = |value: &Value, key| string(value, key).unwrap_or_default();
    let results = match last.get("content") {
        Some(Value::Array(parts)) => parts.iter().any(|part| kind(part, "type") == "tool_result"),
        _ => false,
    };
    let tool = kind(last, "role") == "tool" || kind(last, "type") == "function_call_output";
    (content(last), results || tool)
}

fn speaks(turn: &Value) -> bool {
    let role = turn.get("role").and_then(Value::as_str);
    let kind = turn.get("type").and_then(Value::as_str);
    matches!(role, Some("user" | "tool")) || kind == Some("function_call_output")
}

fn tools(value: &Value) -> Vec<String> {
    let Some(Value::Array(tools)) = value.get("tools") else {
        return Vec::new();
    };
    tools
        .iter()
        .filter_map(|tool| string(tool.get("function").unwrap_or(tool), "name"))
        .collect()
}

fn inputs(input: &Value) -> Vec<String> {
    match input {
        Value::Array(items) if items.iter().all(Value::is_number) => vec![String::new()],
        Value::Array(items) => items.iter().map(content).collect(),
        other => vec![content(other)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(api: Api, body: &str) -> Prompt {
        Prompt::read(1, api, body.as_bytes()).unwrap()
    }

    #[test]
    fn the_last_user_turn_is_found_in_each_dialect() {
        let cases = [
            (
                Api::Chat,
                r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#,
                "a",
                false,
            ),
            (
                Api::Chat,
                r#"{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}]}"#,
                "ab",
                false,
            ),
            (
                Api::Chat,
                r#"{"messages":[{"role":"user","content":"a"},{"role":"tool","content":"r"}]}"#,
                "r",
                true,
            ),
            (Api::Responses, r#"{"input":"a"}"#, "a", false),
            (
                Api::Responses,
                r#"{"input":[{"role":"user","content":[{"type":"input_text","text":"a"}]}]}"#,
                "a",
                false,
            ),
            (
                Api::Responses,
                r#"{"input":[{"role":"user","content":"a"},{"type":"function_call_output","output":"r"}]}"#,
                "r",
                true,
            ),
            (
                Api::Messages,
                r#"{"messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"text","text":"r"}]}]}]}"#,
                "r",
                true,
            ),
            (Api::Embeddings, r#"{"input":["a","b"]}"#, "b", false),
            (Api::Completions, r#"{"prompt":"a"}"#, "a", false),
            (
                Api::Moderations,
                r#"{"input":[{"type":"text","text":"a"}]}"#,
                "a",
                false,
            ),
            (
                Api::Rerank,
                r#"{"query":"q","documents":["a",{"text":"b"}]}"#,
                "b",
                false,
            ),
        ];
        for (api, body, text, tool) in cases {
            let prompt = read(api, body);
            assert_eq!(
                (prompt.text.as_str(), prompt.answers_tool),
                (text, tool),
                "{body}"
            );
        }
    }

    #[test]
    fn tools_of_each_shape_give_their_names() {
        let body = r#"{"tools":[{"type":"function","function":{"name":"a"}},{"type":"function","name":"b"},{"name":"c"}]}"#;
        assert_eq!(read(Api::Chat, body).tools, ["a", "b", "c"]);
    }
}
