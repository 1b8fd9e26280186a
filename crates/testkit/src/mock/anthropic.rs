//! Anthropic messages. Like the real ones, event data may end in spaces before the closing brace.

use super::json::{Raw, object};
use super::said::{Finish, Said, Spent, pieces};

const SIGNATURE: &str = "EqoBCkgIYRABGAIiQG1vY2sgc2lnbmF0dXJlIQ==";
const REDACTED: &str = "EmwKAhgBEgy9bW9jayByZWRhY3RlZA==";

pub(super) fn reply(said: &Said) -> String {
    let mut blocks = Vec::new();
    if let Some(thinking) = &said.thinking {
        blocks.push(object! { "type": "thinking", "thinking": thinking, "signature": SIGNATURE });
    }
    if said.redacted {
        blocks.push(object! { "type": "redacted_thinking", "data": REDACTED });
    }
    if let Some(text) = said.text.as_ref().filter(|text| !text.is_empty()) {
        blocks.push(object! { "type": "text", "text": text });
    }
    for call in &said.calls {
        let input = Raw(call.arguments.clone());
        blocks.push(object! { "type": "tool_use", "id": tool_id(&call.id), "name": call.name, "input": input });
    }
    message(said, blocks, Some(finish(said.finish)), usage(said.usage)).0
}

pub(super) fn events(said: &Said) -> Vec<String> {
    let start = Spent {
        output: 1,
        ..said.usage.unwrap_or(Spent {
            input: 0,
            cached: 0,
            output: 0,
            reasoning: 0,
        })
    };
    let message = message(said, Vec::new(), None, usage(Some(start)));
    let mut events = vec![frame(
        "message_start",
        object! { "type": "message_start", "message": message },
    )];
    let mut index = 0;
    let mut block = |head: Raw, deltas: Vec<Raw>| {
        let start =
            object! { "type": "content_block_start", "index": index, "content_block": head };
        events.push(frame("content_block_start", start));
        if index == 0 {
            events.push("event: ping\ndata: {\"type\": \"ping\"}\n\n".to_owned());
        }
        for delta in deltas {
            let delta = object! { "type": "content_block_delta", "index": index, "delta": delta };
            events.push(frame("content_block_delta", delta));
        }
        events.push(frame(
            "content_block_stop",
            object! { "type": "content_block_stop", "index": index },
        ));
        index += 1;
    };
    if let Some(thinking) = &said.thinking {
        let mut deltas: Vec<Raw> = pieces(thinking, said.piece)
            .into_iter()
            .map(|piece| object! { "type": "thinking_delta", "thinking": piece })
            .collect();
        deltas.push(object! { "type": "signature_delta", "signature": SIGNATURE });
        block(
            object! { "type": "thinking", "thinking": "", "signature": "" },
            deltas,
        );
    }
    if said.redacted {
        block(
            object! { "type": "redacted_thinking", "data": REDACTED },
            Vec::new(),
        );
    }
    if let Some(text) = said.text.as_ref().filter(|text| !text.is_empty()) {
        let deltas = pieces(text, said.piece)
            .into_iter()
            .map(|piece| object! { "type": "text_delta", "text": piece });
        block(object! { "type": "text", "text": "" }, deltas.collect());
    }
    for call in &said.calls {
        let head = object! { "type": "tool_use", "id": tool_id(&call.id), "name": call.name, "input": Raw("{}".to_owned()) };
        let parts = std::iter::once("").chain(pieces(&call.arguments, said.piece));
        let deltas =
            parts.map(|piece| object! { "type": "input_json_delta", "partial_json": piece });
        block(head, deltas.collect());
    }
    let delta = object! { "stop_reason": finish(said.finish), "stop_sequence": () };
    let end = object! { "type": "message_delta", "delta": delta, "usage": usage(said.usage) };
    events.push(frame("message_delta", end));
    events.push(frame("message_stop", object! { "type": "message_stop" }));
    events
}

pub(super) fn count_tokens(tokens: u64) -> String {
    object! { "input_tokens": tokens }.0
}

fn message(said: &Said, content: Vec<Raw>, stop: Option<&str>, usage: Raw) -> Raw {
    object! {
        "id": format!("msg_mock_{}", said.number),
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": content,
        "stop_reason": stop,
        "stop_sequence": (),
        "usage": usage,
    }
}

/// Anthropic counts what was cached apart from the input.
fn usage(spent: Option<Spent>) -> Raw {
    let Some(spent) = spent else {
        return object! { "output_tokens": 0 };
    };
    object! {
        "input_tokens": spent.input.saturating_sub(spent.cached),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": spent.cached,
        "output_tokens": spent.output,
    }
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "end_turn",
        Finish::Length => "max_tokens",
        Finish::Calls => "tool_use",
        Finish::Refusal => "refusal",
    }
}

fn tool_id(id: &str) -> String {
    id.replacen("call_", "toolu_", 1)
}

fn frame(name: &str, data: Raw) -> String {
    let mut data = data.0;
    data.pop();
    format!("event: {name}\ndata: {data}  }}\n\n")
}
