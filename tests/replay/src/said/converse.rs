//! Amazon Bedrock Converse.

use serde_json::{Value, json};

use super::{Called, Events, Finish, Said, Usage, append, arguments, items, number, text_of};

pub(super) fn read(answer: &Value) -> Said {
    let usage = &answer["usage"];
    let (cached, written) = (
        number(&usage["cacheReadInputTokens"]),
        number(&usage["cacheWriteInputTokens"]),
    );
    let mut said = Said {
        finish: finish(&answer["stopReason"]),
        usage: Usage {
            input: number(&usage["inputTokens"]) + cached + written,
            output: number(&usage["outputTokens"]),
            cached,
            written,
            reasoning: 0,
        },
        ..Said::default()
    };
    items(&answer["output"]["message"]["content"]).for_each(|block| block_of(block, &mut said));
    said
}

fn block_of(block: &Value, said: &mut Said) {
    if let Some(text) = block["text"].as_str() {
        said.text += text;
    } else if block["reasoningContent"].is_object() {
        let reasoning = &block["reasoningContent"];
        let text = &reasoning["reasoningText"];
        said.reasoning += &text_of(&text["text"]);
        for opaque in [&text["signature"], &reasoning["redactedContent"]] {
            let opaque = opaque.as_str().filter(|text| !text.is_empty());
            said.opaque.extend(opaque.map(str::to_owned));
        }
    } else if block["citationsContent"].is_object() {
        for part in items(&block["citationsContent"]["content"]) {
            said.text += &text_of(&part["text"]);
        }
        said.beside.push("citationsContent".to_owned());
    } else if block["toolUse"].is_object() && block["toolUse"]["type"] != "server_tool_use" {
        let call = &block["toolUse"];
        said.calls.push(Called {
            id: text_of(&call["toolUseId"]),
            name: text_of(&call["name"]),
            arguments: call["input"].clone(),
        });
    } else {
        let kind = block.as_object().and_then(|block| block.keys().next());
        said.beside.extend(kind.cloned());
    }
}

fn finish(reason: &Value) -> Option<Finish> {
    Some(match reason.as_str()? {
        "end_turn" | "stop_sequence" => Finish::Stop,
        "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_use" => Finish::ToolCalls,
        "guardrail_intervened" | "content_filtered" => Finish::ContentFilter,
        _ => Finish::Error,
    })
}

pub(super) fn assembled(events: &Events<'_>) -> Value {
    let mut answer = json!({});
    let mut blocks: Vec<Value> = Vec::new();
    for (name, event) in events {
        let at = usize::try_from(number(&event["contentBlockIndex"])).unwrap_or(usize::MAX);
        if at < 1000 && *name != "contentBlockStop" && event["contentBlockIndex"].is_u64() {
            // A text is not announced: its first piece begins it.
            while blocks.len() <= at {
                blocks.push(json!({}));
            }
        }
        match *name {
            "contentBlockStart" => {
                if let Some(block) = blocks.get_mut(at) {
                    *block = event["start"].clone();
                }
            }
            "contentBlockDelta" => {
                if let Some(block) = blocks.get_mut(at) {
                    add(block, &event["delta"]);
                }
            }
            "messageStop" => answer["stopReason"] = event["stopReason"].clone(),
            "metadata" => answer["usage"] = event["usage"].clone(),
            _ => {}
        }
    }
    for block in &mut blocks {
        if block["toolUse"].is_object() && block["toolUse"]["input"].is_null() {
            block["toolUse"]["input"] = json!({});
        } else if let Some(input) = block["toolUse"]["input"].as_str() {
            block["toolUse"]["input"] = arguments(input);
        }
    }
    answer["output"]["message"]["content"] = Value::from(blocks);
    answer
}

fn add(block: &mut Value, delta: &Value) {
    if delta["citation"].is_object() {
        // A block with a citation says its text as others do.
        block["cited"] = json!(true);
        return;
    }
    append(block, "text", &delta["text"]);
    let reasoning = &delta["reasoningContent"];
    if reasoning.is_object() {
        let into = &mut block["reasoningContent"];
        for member in ["text", "signature"] {
            if reasoning[member].is_string() {
                append(&mut into["reasoningText"], member, &reasoning[member]);
            }
        }
        append(into, "redactedContent", &reasoning["redactedContent"]);
    }
    if delta["toolUse"].is_object() {
        append(&mut block["toolUse"], "input", &delta["toolUse"]["input"]);
    }
}
