//! Ollama's own chat.

use serde_json::{Value, json};

use super::{Called, Events, Finish, Said, Usage, append, items, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let message = &answer["message"];
    let finish = answer["done_reason"].as_str().map(|reason| match reason {
        "stop" => Finish::Stop,
        "length" => Finish::Length,
        _ => Finish::Error,
    });
    let mut said = Said {
        text: text_of(&message["content"]),
        reasoning: text_of(&message["thinking"]),
        finish: finish.filter(|_| answer["done"] == true),
        usage: Usage {
            input: number(&answer["prompt_eval_count"]),
            output: number(&answer["eval_count"]),
            ..Usage::default()
        },
        ..Said::default()
    };
    for call in items(&message["tool_calls"]) {
        said.calls.push(Called {
            id: text_of(&call["id"]),
            name: text_of(&call["function"]["name"]),
            arguments: match &call["function"]["arguments"] {
                Value::Null => json!({}),
                arguments => arguments.clone(),
            },
        });
    }
    said
}

pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut answer = json!({"message": {"content": "", "thinking": ""}});
    let mut calls: Vec<Value> = Vec::new();
    for (_, line) in events {
        for member in ["content", "thinking"] {
            append(&mut answer["message"], member, &line["message"][member]);
        }
        calls.extend(items(&line["message"]["tool_calls"]).cloned());
        for member in ["done", "done_reason", "prompt_eval_count", "eval_count"] {
            if !line[member].is_null() {
                answer[member] = line[member].clone();
            }
        }
    }
    answer["message"]["tool_calls"] = Value::from(calls);
    answer
}
