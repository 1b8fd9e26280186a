//! What is said to a model and by it, in the messages and events of every API.

#![allow(
    clippy::unwrap_used,
    dead_code,
    reason = "a helper outside a test function panics as the test would, and not every test uses each"
)]

use bartizan_core::{Dialect, Event};
use serde_json::{Value, json};

/// One kind of text in one API's streams.
#[derive(Debug)]
pub(crate) struct Speech {
    pub(crate) dialect: Dialect,
    /// The event that says the first piece, where it is another one than those that follow. `"§"` stands for the piece.
    first: Option<Value>,
    event: Value,
    end: Value,
    /// Where the piece stands in an event.
    pointer: &'static str,
    /// The pieces are parts of a JSON text.
    pub(crate) in_json: bool,
}

impl Speech {
    fn of(dialect: Dialect, event: Value, end: Value, pointer: &'static str) -> Self {
        Self {
            dialect,
            first: None,
            event,
            end,
            pointer,
            in_json: false,
        }
    }

    fn in_json(mut self) -> Self {
        self.in_json = true;
        self
    }

    fn begins(mut self, event: Value) -> Self {
        self.first = Some(event);
        self
    }

    /// The event that says `piece`, the `number`th of all.
    pub(crate) fn says(&self, number: usize, piece: &str) -> Event {
        let event = self.first.as_ref().filter(|_| number == 0);
        let event = event.unwrap_or(&self.event);
        let data = event
            .to_string()
            .replace("\"§\"", &serde_json::to_string(piece).unwrap());
        named(event, &numbered(&data, number))
    }

    /// The event after the last piece.
    pub(crate) fn ends(&self, number: usize) -> Event {
        named(&self.end, &numbered(&self.end.to_string(), number))
    }

    /// What a client puts together of the data of events.
    pub(crate) fn joined<'d>(&self, events: impl IntoIterator<Item = &'d str>) -> String {
        let piece = |data: &str| {
            let event: Value = serde_json::from_str(data).unwrap();
            Some(event.pointer(self.pointer)?.as_str()?.to_owned())
        };
        events.into_iter().filter_map(piece).collect()
    }
}

fn numbered(data: &str, number: usize) -> String {
    data.replace("\"№\"", &number.to_string())
}

fn named(event: &Value, data: &str) -> Event {
    let kind = event.get("type").and_then(Value::as_str);
    let member = || {
        event
            .as_object()?
            .keys()
            .find(|key| key.starts_with("contentBlock"))
    };
    Event::new(kind.or_else(|| Some(member()?.as_str())), data)
}

/// All of them.
pub(crate) fn streamed() -> Vec<Speech> {
    use Dialect::{
        AnthropicMessages, BedrockConverse, CohereChat, Gemini, OllamaChat, OpenAiChat,
        OpenAiCompletions, OpenAiResponses,
    };
    let chat = |delta: Value, pointer| {
        let event = |delta, finish: Value| json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        Speech::of(
            OpenAiChat,
            event(delta, Value::Null),
            event(json!({}), "stop".into()),
            pointer,
        )
    };
    let messages = |delta: Value, pointer| {
        let event = json!({"type": "content_block_delta", "index": 0, "delta": delta});
        Speech::of(
            AnthropicMessages,
            event,
            json!({"type": "content_block_stop", "index": 0}),
            pointer,
        )
    };
    let responses = |kind: &str| {
        let event = json!({"type": kind, "item_id": "i", "output_index": 0, "content_index": 0, "summary_index": 0, "sequence_number": "№", "delta": "§"});
        let end = json!({"type": "response.completed", "sequence_number": "№", "response": {"output": []}});
        Speech::of(OpenAiResponses, event, end, "/delta")
    };
    let gemini = |part: Value| {
        let event =
            json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}]});
        let end = json!({"candidates": [{"index": 0, "finishReason": "STOP"}]});
        Speech::of(Gemini, event, end, "/candidates/0/content/parts/0/text")
    };
    let converse = |delta: Value, pointer| {
        let event = json!({"contentBlockDelta": {"contentBlockIndex": 1, "delta": delta}});
        Speech::of(
            BedrockConverse,
            event,
            json!({"contentBlockStop": {"contentBlockIndex": 1}}),
            pointer,
        )
    };
    let cohere = |kind: &str, end: &str, message: Value, pointer| {
        let event = json!({"type": kind, "index": 0, "delta": {"message": message}});
        Speech::of(CohereChat, event, json!({"type": end, "index": 0}), pointer)
    };
    let ollama = |message: Value, pointer| {
        let event = json!({"model": "m", "created_at": "t", "message": message, "done": false});
        let end = json!({"model": "m", "message": {"role": "assistant", "content": ""}, "done": true, "done_reason": "stop"});
        Speech::of(OllamaChat, event, end, pointer)
    };
    vec![
        chat(json!({"content": "§"}), "/choices/0/delta/content"),
        chat(json!({"reasoning_content": "§"}), "/choices/0/delta/reasoning_content"),
        chat(
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "§"}}]}),
            "/choices/0/delta/tool_calls/0/function/arguments",
        )
        .in_json(),
        messages(json!({"type": "text_delta", "text": "§"}), "/delta/text"),
        messages(json!({"type": "thinking_delta", "thinking": "§"}), "/delta/thinking"),
        messages(json!({"type": "input_json_delta", "partial_json": "§"}), "/delta/partial_json").in_json(),
        responses("response.output_text.delta"),
        responses("response.reasoning_summary_text.delta"),
        responses("response.function_call_arguments.delta").in_json(),
        gemini(json!({"text": "§"})),
        gemini(json!({"text": "§", "thought": true})),
        Speech::of(
            OpenAiCompletions,
            json!({"choices": [{"index": 0, "text": "§"}]}),
            json!({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}),
            "/choices/0/text",
        ),
        converse(json!({"text": "§"}), "/contentBlockDelta/delta/text"),
        converse(
            json!({"reasoningContent": {"text": "§"}}),
            "/contentBlockDelta/delta/reasoningContent/text",
        ),
        converse(json!({"toolUse": {"input": "§"}}), "/contentBlockDelta/delta/toolUse/input").in_json(),
        cohere("content-delta", "content-end", json!({"content": {"text": "§"}}), "/delta/message/content/text"),
        cohere("tool-plan-delta", "message-end", json!({"tool_plan": "§"}), "/delta/message/tool_plan"),
        cohere(
            "tool-call-delta",
            "tool-call-end",
            json!({"tool_calls": {"function": {"arguments": "§"}}}),
            "/delta/message/tool_calls/function/arguments",
        )
        .begins(
            json!({"type": "tool-call-start", "index": 0, "delta": {"message": {"tool_calls": {"id": "t", "type": "function", "function": {"name": "f", "arguments": "§"}}}}}),
        )
        .in_json(),
        ollama(json!({"role": "assistant", "content": "§"}), "/message/content"),
        ollama(json!({"role": "assistant", "content": "", "thinking": "§"}), "/message/thinking"),
    ]
}

/// A request of each API, and an answer, with `§` for what is said.
pub(crate) fn whole() -> Vec<(Dialect, Value, Value)> {
    let openai = json!({"model": "m", "messages": [{"role": "user", "content": "§"}]});
    let arguments = "{\"to\": \"§\", \"all\": [\"§\"]}";
    vec![
        (
            Dialect::OpenAiChat,
            openai.clone(),
            json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi §", "reasoning_content": "§?", "refusal": "§",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}}]}),
        ),
        (
            Dialect::AnthropicMessages,
            openai.clone(),
            json!({"type": "message", "role": "assistant", "content": [{"type": "thinking", "thinking": "§", "signature": "s"}, {"type": "text", "text": "§ §"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"to": "§", "deep": [{"x": "§"}]}}]}),
        ),
        (
            Dialect::OpenAiResponses,
            json!({"model": "m", "input": "§"}),
            json!({"output": [{"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "§"}]},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "§", "annotations": []}]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": arguments}]}),
        ),
        (
            Dialect::OpenAiCompletions,
            json!({"model": "m", "prompt": "§"}),
            json!({"choices": [{"index": 0, "text": "§"}]}),
        ),
        (
            Dialect::Gemini,
            json!({"contents": [{"role": "user", "parts": [{"text": "§"}]}]}),
            json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "§", "thought": true}, {"text": "§"},
                {"functionCall": {"name": "f", "args": {"to": "§"}}}]}}]}),
        ),
        (
            Dialect::BedrockConverse,
            json!({"messages": [{"role": "user", "content": [{"text": "§"}]}]}),
            json!({"output": {"message": {"role": "assistant", "content": [{"text": "§"}, {"reasoningContent": {"reasoningText": {"text": "§"}}},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"to": "§"}}}]}}}),
        ),
        (
            Dialect::CohereChat,
            openai.clone(),
            json!({"message": {"role": "assistant", "tool_plan": "§", "content": [{"type": "text", "text": "§"}],
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}}),
        ),
        (
            Dialect::OllamaChat,
            openai,
            json!({"message": {"role": "assistant", "content": "§", "thinking": "§", "tool_calls": [{"function": {"name": "f", "arguments": {"to": "§"}}}]}}),
        ),
        (
            Dialect::Json,
            json!({"q": "§"}),
            json!({"a": ["§", {"b": "§"}]}),
        ),
    ]
}

/// The request of an API.
pub(crate) fn request(dialect: Dialect) -> Value {
    let (_, request, _) = whole()
        .into_iter()
        .find(|(known, ..)| *known == dialect)
        .unwrap();
    request
}

/// A message that says `text`, in the JSON inside its strings too.
pub(crate) fn filled(message: &Value, text: &str) -> Value {
    match message {
        Value::String(part) => match serde_json::from_str::<Value>(part) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => {
                filled(&inner, text).to_string().into()
            }
            _ => part.replace('§', text).into(),
        },
        Value::Array(items) => items.iter().map(|item| filled(item, text)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), filled(value, text)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// What a request says, whatever its API.
pub(crate) fn said(request: &Value) -> String {
    let places = [
        "/messages/0/content",
        "/messages/0/content/0/text",
        "/input",
        "/prompt",
        "/contents/0/parts/0/text",
        "/q",
    ];
    let said = places
        .iter()
        .find_map(|place| request.pointer(place)?.as_str());
    said.unwrap().to_owned()
}
