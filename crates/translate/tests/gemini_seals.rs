//! Another maker's signed thoughts on their way through Gemini's clients and back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Target, TranslateLayer};
use serde_json::{Value, json};
use support::{MODEL, REPLY, exchange, post, sse};

const WHOLE: &str = "/v1beta/models/house:generateContent";
const STREAM: &str = "/v1beta/models/house:streamGenerateContent?alt=sse";

fn claude() -> TranslateLayer {
    support::layer().to(Target::new(Dialect::AnthropicMessages, MODEL))
}

fn asked(contents: &[Value], shows: bool) -> String {
    json!({
        "contents": contents,
        "generationConfig": {"thinkingConfig": {"includeThoughts": shows, "thinkingBudget": 2000}},
        "tools": [{"functionDeclarations": [{"name": "f"}]}],
    })
    .to_string()
}

fn user() -> Value {
    json!({"role": "user", "parts": [{"text": "hi"}]})
}

fn message(blocks: &[Value]) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use", "stop_sequence": null,
        "content": blocks, "usage": {"input_tokens": 10, "output_tokens": 5},
    })
}

/// The same message, streamed in small pieces.
fn streamed(blocks: &[Value]) -> String {
    let mut events = vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude", "usage": {"input_tokens": 10, "output_tokens": 1}}}),
    ];
    for (index, block) in blocks.iter().enumerate() {
        let mut start = block.clone();
        let mut deltas = Vec::new();
        let mut cut = |key: &str, kind: &str, name: &str, text: &str| {
            if start.get(key).is_some() {
                start[key] = if key == "input" { json!({}) } else { json!("") };
            }
            for piece in text.split_inclusive(|_| true) {
                deltas.push(json!({"type": kind, name: piece}));
            }
        };
        let says = |key: &str| block[key].as_str().unwrap();
        match says("type") {
            "thinking" => {
                cut("thinking", "thinking_delta", "thinking", says("thinking"));
                start["signature"] = "".into();
                deltas.push(json!({"type": "signature_delta", "signature": block["signature"]}));
            }
            "text" => cut("text", "text_delta", "text", says("text")),
            "tool_use" => cut(
                "input",
                "input_json_delta",
                "partial_json",
                &block["input"].to_string(),
            ),
            _ => {}
        }
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        for delta in deltas {
            events.push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
        }
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 9}}));
    events.push(json!({"type": "message_stop"}));
    let frame = |event: &Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    };
    events.iter().map(frame).collect()
}

/// The parts that a client of the gateway gets of that answer.
async fn told(blocks: &[Value], shows: bool, streams: bool) -> Vec<Value> {
    let body = asked(&[user()], shows);
    let answers = if streams {
        let got = exchange(&claude(), post(STREAM, body), sse(streamed(blocks))).await;
        got.chunks()
    } else {
        let reply = support::json(200, message(blocks).to_string());
        vec![exchange(&claude(), post(WHOLE, body), reply).await.json()]
    };
    let parts = answers
        .iter()
        .map(|answer| answer["candidates"][0]["content"]["parts"].clone());
    parts
        .flat_map(|parts| parts.as_array().unwrap().clone())
        .collect()
}

/// What Vercel's AI SDK makes of parts: pieces of one kind are one, what has no words is no part, and its seal is that of the part
/// before, where there is one.
fn kept(parts: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::new();
    for part in parts {
        match kept.last_mut() {
            _ if part.get("functionCall").is_some() => kept.push(part),
            Some(last)
                if part["text"] == ""
                    || last.get("text").is_some() && last["thought"] == part["thought"] =>
            {
                if part["text"] != "" {
                    let pieces = [&last["text"], &part["text"]].map(|text| text.as_str().unwrap());
                    last["text"] = pieces.concat().into();
                }
                if let Some(seal) = part.get("thoughtSignature") {
                    last["thoughtSignature"] = seal.clone();
                }
            }
            None if part["text"] == "" => {}
            _ => kept.push(part),
        }
    }
    kept
}

fn thinking(text: &str, signature: &str) -> Value {
    json!({"type": "thinking", "thinking": text, "signature": signature})
}

fn call(id: &str) -> Value {
    json!({"type": "tool_use", "id": id, "name": "f", "input": {"x": 1}})
}

fn answers() -> Vec<Vec<Value>> {
    let redacted = json!({"type": "redacted_thinking", "data": "ZW5j"});
    let text = |text: &str| json!({"type": "text", "text": text});
    vec![
        vec![thinking("hm\nä", "c2ln"), call("a"), call("b")],
        vec![thinking("", "c2ln"), call("a")],
        vec![redacted.clone(), call("a")],
        vec![
            thinking("hm", "c2ln"),
            redacted.clone(),
            thinking("", "c2lo"),
            call("a"),
        ],
        vec![
            thinking("hm", "c2ln"),
            redacted.clone(),
            text("so"),
            call("a"),
        ],
        vec![
            text("so"),
            thinking("hm", "c2ln"),
            call("a"),
            thinking("well", "c2lo"),
            text("then"),
            redacted,
            call("b"),
        ],
    ]
}

#[tokio::test]
async fn signed_thoughts_come_back_through_clients_that_drop_parts_without_words() {
    for blocks in answers() {
        for shows in [true, false] {
            for streams in [true, false] {
                let parts = told(&blocks, shows, streams).await;
                for parts in [parts.clone(), kept(parts)] {
                    let calls = blocks.iter().filter(|block| block["type"] == "tool_use");
                    let results: Vec<Value> = calls
                        .map(|call| json!({"functionResponse": {"id": call["id"], "name": "f", "response": {"output": "1"}}}))
                        .collect();
                    let contents = [
                        user(),
                        json!({"role": "model", "parts": parts}),
                        json!({"role": "user", "parts": results}),
                    ];
                    let ask = post(WHOLE, asked(&contents, shows));
                    let got = exchange(&claude(), ask, support::json(200, REPLY)).await;
                    assert_eq!((got.status, got.dropped()), (200, ""), "{}", got.text);
                    let sent = got.sent.as_ref().unwrap().json();
                    let content = joined(&sent["messages"][1]["content"]);
                    assert_eq!(content, blocks, "{shows} {streams} {contents:#?}");
                    assert_eq!(sent["thinking"]["type"], "enabled");
                }
            }
        }
    }
}

/// Pieces of a text that a client kept apart, as one.
fn joined(content: &Value) -> Vec<Value> {
    let mut joined: Vec<Value> = Vec::new();
    for block in content.as_array().unwrap() {
        match joined.last_mut() {
            Some(last) if last["type"] == "text" && block["type"] == "text" => {
                let pieces = [&last["text"], &block["text"]].map(|text| text.as_str().unwrap());
                last["text"] = pieces.concat().into();
            }
            _ => joined.push(block.clone()),
        }
    }
    joined
}

#[tokio::test]
async fn a_seal_stands_where_google_puts_it() {
    let sealed = |part: &Value| part.get("thoughtSignature").is_some();
    for streams in [true, false] {
        let blocks = [thinking("hm", "c2ln"), call("a"), call("b")];
        let parts = told(&blocks, false, streams).await;
        assert!(parts[0].get("functionCall").is_some() && sealed(&parts[0]));
        assert!(!parts[1..].iter().any(sealed), "{parts:#?}");

        // The thought led nowhere: on a text without words, at the end.
        let parts = told(&blocks[..1], false, streams).await;
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0]["text"], "");
        assert!(parts[0].get("thought").is_none() && sealed(&parts[0]));
    }
}
