//! Exchanges that nobody recorded, made from those that were: Ollama's own chat, and Claude by Bedrock's InvokeModel.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use crate::api::Api;
use crate::exchanges::Exchange;
use crate::frames;
use crate::said::{Called, Finish, Said};

/// What `recorded` becomes in the APIs that say the same in another form.
pub(crate) fn from(recorded: &Exchange) -> Vec<Exchange> {
    match recorded.file.as_str() {
        "ollama.chat" => ollama(recorded).into_iter().collect(),
        "anthropic.messages" if recorded.is_success() => vec![invoke(recorded)],
        _ => Vec::new(),
    }
}

fn typed(media_type: &'static str) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(media_type))])
}

/// Ollama speaks OpenAI's chat too, which is what was recorded. Its own is a line a piece.
fn ollama(recorded: &Exchange) -> Option<Exchange> {
    let said = recorded.said()?;
    let body = if recorded.stream {
        let mut lines: Vec<Value> = Vec::new();
        lines.extend(pieces(&said.reasoning).map(|text| json!({"content": "", "thinking": text})));
        lines.extend(pieces(&said.text).map(|text| json!({"content": text})));
        lines.extend(
            said.calls
                .iter()
                .map(|call| json!({"content": "", "tool_calls": [native(call)]})),
        );
        let mut text = String::new();
        for message in lines {
            text += &line(message, &json!({"done": false}));
        }
        text + &line(json!({"content": ""}), &last(&said))
    } else {
        let calls: Vec<Value> = said.calls.iter().map(native).collect();
        let mut message = json!({"content": said.text});
        if !said.reasoning.is_empty() {
            message["thinking"] = json!(said.reasoning);
        }
        if !calls.is_empty() {
            message["tool_calls"] = json!(calls);
        }
        line(message, &last(&said))
    };
    Some(Exchange {
        file: "ollama.native".to_owned(),
        api: Api::Ollama,
        headers: typed(if recorded.stream {
            "application/x-ndjson"
        } else {
            "application/json; charset=utf-8"
        }),
        body: Bytes::from(body),
        ..recorded.clone()
    })
}

fn pieces(text: &str) -> impl Iterator<Item = String> {
    let characters: Vec<char> = text.chars().collect();
    let pieces: Vec<String> = characters
        .chunks(5)
        .map(|piece| piece.iter().collect())
        .collect();
    pieces.into_iter()
}

fn native(call: &Called) -> Value {
    json!({"id": call.id, "function": {"name": call.name, "arguments": call.arguments}})
}

fn last(said: &Said) -> Value {
    let reason = if said.finish == Some(Finish::Length) {
        "length"
    } else {
        "stop"
    };
    json!({
        "done": true, "done_reason": reason, "total_duration": 5_000_000, "load_duration": 1_000,
        "prompt_eval_count": said.usage.input, "prompt_eval_duration": 1_000, "eval_count": said.usage.output, "eval_duration": 1_000,
    })
}

fn line(mut message: Value, end: &Value) -> String {
    message["role"] = json!("assistant");
    let mut line = json!({"model": "gpt-oss:20b", "created_at": "2026-08-01T10:00:00.123456789Z", "message": message});
    for (name, value) in end.as_object().into_iter().flatten() {
        line[name] = value.clone();
    }
    format!("{line}\n")
}

/// Claude's own answers, each event in a chunk of Amazon's event stream.
fn invoke(recorded: &Exchange) -> Exchange {
    let (headers, body) = if recorded.stream {
        let events = frames::of(recorded.media_type(), &recorded.body);
        let body: Vec<u8> = events
            .iter()
            .filter(|event| event.name != "ping")
            .flat_map(|event| frames::chunk(&event.data))
            .collect();
        (
            typed("application/vnd.amazon.eventstream"),
            Bytes::from(body),
        )
    } else {
        (typed("application/json"), recorded.body.clone())
    };
    Exchange {
        file: "bedrock.invoke.derived".to_owned(),
        model: "anthropic.claude-sonnet-4-5-20250929-v1:0".to_owned(),
        headers,
        body,
        ..recorded.clone()
    }
}
