//! What was masked comes back in every part of every API's answers, whole and streamed: text, reasoning, arguments of tools.

#![allow(
    clippy::unwrap_used,
    reason = "a helper outside a test function panics as the test would"
)]

mod exchange;

use bartizan_core::Dialect;
use bartizan_pii::{Entity, Operator, PiiLayer};
use exchange::Exchange;
use serde_json::{Value, json};

/// What JSON must escape.
const VALUE: &str = "Ravi \"R\\\" Rao";

fn layer(operator: Operator) -> PiiLayer {
    let nick = Entity::custom("NICK").unwrap();
    PiiLayer::builder()
        .operator(nick, operator)
        .analyzer(|analyzer| analyzer.deny_list(nick, [VALUE]))
        .build()
        .unwrap()
}

/// A request that says [`VALUE`], and an answer in which `§` stands for what the provider was told instead: so many times.
fn whole() -> Vec<(Dialect, Value, Value, usize)> {
    let openai = json!({"model": "m", "messages": [{"role": "user", "content": VALUE}]});
    let arguments = "{\"to\": \"§\", \"all\": [\"§\"]}";
    vec![
        (
            Dialect::OpenAiChat,
            openai.clone(),
            json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "hi §", "reasoning_content": "§?", "refusal": "§",
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}}]}),
            5,
        ),
        (
            Dialect::AnthropicMessages,
            openai.clone(),
            json!({"type": "message", "role": "assistant", "content": [{"type": "thinking", "thinking": "§", "signature": "s"}, {"type": "text", "text": "§ §"},
                {"type": "tool_use", "id": "t", "name": "f", "input": {"to": "§", "deep": [{"x": "§"}]}}]}),
            5,
        ),
        (
            Dialect::OpenAiResponses,
            json!({"model": "m", "input": VALUE}),
            json!({"output": [{"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "§"}]},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "§", "annotations": []}]},
                {"type": "function_call", "call_id": "c", "name": "f", "arguments": arguments}]}),
            4,
        ),
        (
            Dialect::OpenAiCompletions,
            json!({"model": "m", "prompt": VALUE}),
            json!({"choices": [{"index": 0, "text": "§"}]}),
            1,
        ),
        (
            Dialect::Gemini,
            json!({"contents": [{"role": "user", "parts": [{"text": VALUE}]}]}),
            json!({"candidates": [{"content": {"role": "model", "parts": [{"text": "§", "thought": true}, {"text": "§"},
                {"functionCall": {"name": "f", "args": {"to": "§"}}}]}}]}),
            3,
        ),
        (
            Dialect::BedrockConverse,
            json!({"messages": [{"role": "user", "content": [{"text": VALUE}]}]}),
            json!({"output": {"message": {"role": "assistant", "content": [{"text": "§"}, {"reasoningContent": {"reasoningText": {"text": "§"}}},
                {"toolUse": {"toolUseId": "t", "name": "f", "input": {"to": "§"}}}]}}}),
            3,
        ),
        (
            Dialect::CohereChat,
            openai.clone(),
            json!({"message": {"role": "assistant", "tool_plan": "§", "content": [{"type": "text", "text": "§"}],
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}]}}),
            4,
        ),
        (
            Dialect::OllamaChat,
            openai,
            json!({"message": {"role": "assistant", "content": "§", "thinking": "§", "tool_calls": [{"function": {"name": "f", "arguments": {"to": "§"}}}]}}),
            3,
        ),
        (
            Dialect::Json,
            json!({"q": VALUE}),
            json!({"a": ["§", {"b": "§"}]}),
            2,
        ),
    ]
}

/// How often [`VALUE`] stands in `value`, in the JSON inside its strings too.
fn count(value: &Value) -> usize {
    match value {
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(inner @ (Value::Object(_) | Value::Array(_))) => count(&inner),
            _ => text.matches(VALUE).count(),
        },
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(members) => members.values().map(count).sum(),
        _ => 0,
    }
}

#[tokio::test]
async fn whole_answers_have_it_back_wherever_it_stands() {
    let layer = layer(Operator::Mask);
    for (dialect, request, answer, times) in whole() {
        for placeholder in ["<NICK_1>", "< nick_1 >", "＜NICK＿1＞", "NICK_1"] {
            let answer = answer.to_string().replace('§', placeholder);
            let seen = Exchange::new(&layer, "/x", &request.to_string())
                .dialect(dialect)
                .answering(answer)
                .made()
                .await;
            let sent: Value = serde_json::from_str(&seen.provider.unwrap()).unwrap();
            assert_eq!(count(&sent), 0, "{dialect:?}");
            let back: Value = serde_json::from_str(&seen.answer).unwrap();
            assert_eq!(count(&back), times, "{dialect:?} {placeholder} {back}");
            assert!(
                !seen.answer.to_lowercase().contains("nick"),
                "{}",
                seen.answer
            );
        }
    }
}

/// Events in which a text stands in three pieces at `§0`, `§1`, `§2`, and where the pieces are put together again: as they stand, or as JSON.
fn streamed() -> Vec<(Dialect, Value, Value, Value, &'static str, bool)> {
    let openai =
        json!({"model": "m", "stream": true, "messages": [{"role": "user", "content": VALUE}]});
    let chat = |delta: Value| json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]});
    let ends = json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let stop = json!({"type": "content_block_stop", "index": 0});
    let messages =
        |delta: Value| json!({"type": "content_block_delta", "index": 0, "delta": delta});
    let responses = json!({"model": "m", "stream": true, "input": VALUE});
    let delta = |kind: &str| json!({"type": kind, "item_id": "i", "output_index": 0, "content_index": 0, "summary_index": 0, "sequence_number": 1, "delta": "§"});
    let done =
        json!({"type": "response.completed", "sequence_number": 9, "response": {"output": []}});
    let gemini = |part: Value| json!({"candidates": [{"index": 0, "content": {"role": "model", "parts": [part]}}]});
    let gemini_ends = json!({"candidates": [{"index": 0, "finishReason": "STOP"}]});
    let contents = json!({"contents": [{"role": "user", "parts": [{"text": VALUE}]}]});
    let tool = json!({"tool_calls": [{"index": 0, "function": {"arguments": "§"}}]});
    vec![
        (
            Dialect::OpenAiChat,
            openai.clone(),
            chat(json!({"content": "§"})),
            ends.clone(),
            "/choices/0/delta/content",
            false,
        ),
        (
            Dialect::OpenAiChat,
            openai.clone(),
            chat(json!({"reasoning_content": "§"})),
            ends.clone(),
            "/choices/0/delta/reasoning_content",
            false,
        ),
        (
            Dialect::OpenAiChat,
            openai.clone(),
            chat(tool),
            ends,
            "/choices/0/delta/tool_calls/0/function/arguments",
            true,
        ),
        (
            Dialect::AnthropicMessages,
            openai.clone(),
            messages(json!({"type": "text_delta", "text": "§"})),
            stop.clone(),
            "/delta/text",
            false,
        ),
        (
            Dialect::AnthropicMessages,
            openai.clone(),
            messages(json!({"type": "thinking_delta", "thinking": "§"})),
            stop.clone(),
            "/delta/thinking",
            false,
        ),
        (
            Dialect::AnthropicMessages,
            openai.clone(),
            messages(json!({"type": "input_json_delta", "partial_json": "§"})),
            stop,
            "/delta/partial_json",
            true,
        ),
        (
            Dialect::OpenAiResponses,
            responses.clone(),
            delta("response.output_text.delta"),
            done.clone(),
            "/delta",
            false,
        ),
        (
            Dialect::OpenAiResponses,
            responses.clone(),
            delta("response.reasoning_summary_text.delta"),
            done.clone(),
            "/delta",
            false,
        ),
        (
            Dialect::OpenAiResponses,
            responses,
            delta("response.function_call_arguments.delta"),
            done,
            "/delta",
            true,
        ),
        (
            Dialect::Gemini,
            contents.clone(),
            gemini(json!({"text": "§"})),
            gemini_ends.clone(),
            "/candidates/0/content/parts/0/text",
            false,
        ),
        (
            Dialect::Gemini,
            contents,
            gemini(json!({"text": "§", "thought": true})),
            gemini_ends,
            "/candidates/0/content/parts/0/text",
            false,
        ),
        (
            Dialect::OpenAiCompletions,
            json!({"model": "m", "stream": true, "prompt": VALUE}),
            json!({"choices": [{"index": 0, "text": "§"}]}),
            json!({"choices": [{"index": 0, "text": "", "finish_reason": "stop"}]}),
            "/choices/0/text",
            false,
        ),
    ]
}

#[tokio::test]
async fn streams_have_it_back_wherever_the_placeholder_is_cut() {
    let layer = layer(Operator::Mask);
    let placeholder = "<NICK_1>";
    for (dialect, request, event, end, pointer, in_json) in streamed() {
        for cut in 1..placeholder.len() {
            let (one, two) = placeholder.split_at(cut);
            let (before, behind) = if in_json {
                ("{\"to\": \"", "\"}")
            } else {
                ("to ", ".")
            };
            let mut stream = String::new();
            for piece in [before, one, two, behind] {
                let piece = serde_json::to_string(piece).unwrap();
                let data = event.to_string().replace("\"§\"", &piece);
                let name = event.get("type").and_then(Value::as_str);
                if let Some(name) = name {
                    stream += &format!("event: {name}\n");
                }
                stream += &format!("data: {data}\n\n");
            }
            if let Some(name) = end.get("type").and_then(Value::as_str) {
                stream += &format!("event: {name}\n");
            }
            stream += &format!("data: {end}\n\n");
            let seen = Exchange::new(&layer, "/x", &request.to_string())
                .dialect(dialect)
                .streaming(stream)
                .made()
                .await;
            let joined: String = seen
                .answer
                .lines()
                .filter_map(|line| line.strip_prefix("data: "))
                .filter_map(|data| {
                    let event: Value = serde_json::from_str(data).unwrap();
                    Some(event.pointer(pointer)?.as_str()?.to_owned())
                })
                .collect();
            if in_json {
                let arguments: Value = serde_json::from_str(&joined).unwrap();
                assert_eq!(arguments, json!({"to": VALUE}), "{dialect:?} {cut}");
            } else {
                assert_eq!(
                    joined,
                    format!("to {VALUE}."),
                    "{dialect:?} {pointer} {cut}"
                );
            }
        }
    }
}
