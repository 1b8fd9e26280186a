//! OpenAI completions.

use super::json::{Raw, object};
use super::said::{CREATED, Finish, Said, pieces};

pub(super) fn reply(said: &Said) -> String {
    let text = said.text.as_deref().unwrap_or_default();
    frame(said, vec![choice(text, Some(finish(said.finish)))], true).0
}

pub(super) fn events(said: &Said, include_usage: bool) -> Vec<String> {
    let data = |chunk: Raw| format!("data: {}\n\n", chunk.0);
    let text = said.text.as_deref().unwrap_or_default();
    let mut events: Vec<String> = pieces(text, said.piece)
        .into_iter()
        .map(|piece| data(frame(said, vec![choice(piece, None)], false)))
        .collect();
    events.push(data(frame(
        said,
        vec![choice("", Some(finish(said.finish)))],
        false,
    )));
    if include_usage && said.usage.is_some() {
        events.push(data(frame(said, Vec::new(), true)));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn choice(text: &str, end: Option<&str>) -> Raw {
    object! { "text": text, "index": 0, "logprobs": (), "finish_reason": end }
}

fn frame(said: &Said, choices: Vec<Raw>, usage: bool) -> Raw {
    let usage = said.usage.filter(|_| usage).map(|spent| {
        object! {
            "prompt_tokens": spent.input,
            "completion_tokens": spent.output,
            "total_tokens": spent.input + spent.output,
        }
    });
    object! {
        "id": format!("cmpl-mock-{}", said.number),
        "object": "text_completion",
        "created": CREATED,
        "model": said.model,
        "choices": choices,
        "usage": usage,
    }
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        _ => "stop",
    }
}
