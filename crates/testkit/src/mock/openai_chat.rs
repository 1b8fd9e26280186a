//! OpenAI chat completions.

use super::json::{Raw, object};
use super::said::{CREATED, Call, Finish, Said, Spent, pieces};

pub(super) fn reply(said: &Said) -> String {
    let text = said.text.as_ref();
    let calls: Vec<Raw> = said.calls.iter().map(call).collect();
    let message = object! {
        "role": "assistant",
        "content": text.filter(|_| !said.refusal),
        "refusal": text.filter(|_| said.refusal),
    };
    let message = extend(
        message,
        "reasoning_content",
        said.thinking.as_deref().map(string),
    );
    let message = extend(
        message,
        "tool_calls",
        (!calls.is_empty()).then(|| list(calls)),
    );
    let choice = object! {
        "index": 0,
        "message": message,
        "logprobs": (),
        "finish_reason": finish(said.finish),
    };
    let reply = object! {
        "id": id(said),
        "object": "chat.completion",
        "created": CREATED,
        "model": said.model,
        "choices": vec![choice],
    };
    let reply = extend(reply, "usage", said.usage.map(usage));
    extend(
        reply,
        "system_fingerprint",
        Some(Raw("\"fp_mock\"".to_owned())),
    )
    .0
}

pub(super) fn events(said: &Said, include_usage: bool) -> Vec<String> {
    let chunk = |delta: Raw, end: Option<&str>| {
        let choice = object! { "index": 0, "delta": delta, "logprobs": (), "finish_reason": end };
        frame(
            said,
            vec![choice],
            include_usage.then(|| Raw("null".to_owned())),
        )
    };
    let mut events = vec![chunk(
        object! { "role": "assistant", "content": "", "refusal": () },
        None,
    )];
    for piece in pieces(said.thinking.as_deref().unwrap_or_default(), said.piece) {
        events.push(chunk(object! { "reasoning_content": piece }, None));
    }
    for piece in pieces(said.text.as_deref().unwrap_or_default(), said.piece) {
        let delta = if said.refusal {
            object! { "refusal": piece }
        } else {
            object! { "content": piece }
        };
        events.push(chunk(delta, None));
    }
    events.extend(
        call_deltas(said)
            .into_iter()
            .map(|delta| chunk(object! { "tool_calls": vec![delta] }, None)),
    );
    events.push(chunk(Raw("{}".to_owned()), Some(finish(said.finish))));
    if let Some(spent) = said.usage.filter(|_| include_usage) {
        events.push(frame(said, Vec::new(), Some(usage(spent))));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn call_deltas(said: &Said) -> Vec<Raw> {
    let mut flows: Vec<_> = said
        .calls
        .iter()
        .zip(0_u64..)
        .map(|(call, index)| {
            let head = object! {
                "index": index,
                "id": call.id,
                "type": "function",
                "function": object! { "name": call.name, "arguments": "" },
            };
            let rest = pieces(&call.arguments, said.piece).into_iter().map(
                move |piece| object! { "index": index, "function": object! { "arguments": piece } },
            );
            std::iter::once(head).chain(rest)
        })
        .collect();
    if !said.interleaved {
        return flows.into_iter().flatten().collect();
    }
    let mut deltas = Vec::new();
    loop {
        let before = deltas.len();
        deltas.extend(flows.iter_mut().filter_map(Iterator::next));
        if deltas.len() == before {
            return deltas;
        }
    }
}

fn frame(said: &Said, choices: Vec<Raw>, usage: Option<Raw>) -> String {
    let chunk = object! {
        "id": id(said),
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": said.model,
        "system_fingerprint": "fp_mock",
        "choices": choices,
    };
    format!("data: {}\n\n", extend(chunk, "usage", usage).0)
}

fn call(call: &Call) -> Raw {
    object! {
        "id": call.id,
        "type": "function",
        "function": object! { "name": call.name, "arguments": call.arguments },
    }
}

fn usage(spent: Spent) -> Raw {
    object! {
        "prompt_tokens": spent.input,
        "completion_tokens": spent.output,
        "total_tokens": spent.input + spent.output,
        "prompt_tokens_details": object! { "cached_tokens": spent.cached, "audio_tokens": 0 },
        "completion_tokens_details": object! {
            "reasoning_tokens": spent.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Refusal => "stop",
        Finish::Length => "length",
        Finish::Calls => "tool_calls",
    }
}

fn id(said: &Said) -> String {
    format!("chatcmpl-mock-{}", said.number)
}

fn string(text: &str) -> Raw {
    Raw(serde_json::Value::from(text).to_string())
}

fn list(items: Vec<Raw>) -> Raw {
    let items: Vec<String> = items.into_iter().map(|item| item.0).collect();
    Raw(format!("[{}]", items.join(",")))
}

/// Adds a member to an object, where there is one to add.
fn extend(object: Raw, key: &str, value: Option<Raw>) -> Raw {
    match value {
        Some(value) => {
            let mut out = object.0;
            out.pop();
            super::json::member(&mut out, key, &value);
            out.push('}');
            Raw(out)
        }
        None => object,
    }
}
