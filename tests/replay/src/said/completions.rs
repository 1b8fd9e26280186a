//! OpenAI completions.

use serde_json::{Value, json};

use super::{Events, Finish, Said, Usage, append, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let choice = &answer["choices"][0];
    let finish = choice["finish_reason"].as_str().map(|reason| match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        "content_filter" => Finish::ContentFilter,
        _ => Finish::Error,
    });
    let usage = &answer["usage"];
    Said {
        id: text_of(&answer["id"]),
        text: text_of(&choice["text"]),
        finish,
        usage: Usage {
            input: number(&usage["prompt_tokens"]),
            output: number(&usage["completion_tokens"]),
            cached: number(&usage["prompt_tokens_details"]["cached_tokens"]),
            written: number(&usage["prompt_tokens_details"]["cache_write_tokens"]),
            reasoning: number(&usage["completion_tokens_details"]["reasoning_tokens"]),
        },
        ..Said::default()
    }
}

pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut answer = json!({"choices": [{"index": 0, "text": ""}]});
    for (_, chunk) in events {
        for member in ["id", "usage"] {
            if !chunk[member].is_null() {
                answer[member] = chunk[member].clone();
            }
        }
        let choices = chunk["choices"].as_array().into_iter().flatten();
        for choice in choices.filter(|choice| choice["index"].as_u64().unwrap_or(0) == 0) {
            append(&mut answer["choices"][0], "text", &choice["text"]);
            if !choice["finish_reason"].is_null() {
                answer["choices"][0]["finish_reason"] = choice["finish_reason"].clone();
            }
        }
    }
    answer
}
