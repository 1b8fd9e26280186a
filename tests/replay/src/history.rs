//! What a client asks next: the same conversation with the answer in it, as that API's clients send it back.

use serde_json::{Value, json};

use crate::api::Api;
use crate::said::Said;

/// The next request after `answer`, whose calls were run. `None` where the API has no conversation.
#[must_use]
pub fn next(api: Api, answer: &Value, said: &Said) -> Option<Value> {
    let tools = said.calls.iter().map(|call| &call.name);
    Some(match api {
        Api::Chat => {
            let mut messages = vec![
                json!({"role": "user", "content": "a"}),
                answer["choices"][0]["message"].clone(),
            ];
            messages.extend(
                said.calls
                    .iter()
                    .map(|call| json!({"role": "tool", "tool_call_id": call.id, "content": "r"})),
            );
            messages.push(json!({"role": "user", "content": "b"}));
            let tools: Vec<Value> = tools
                .map(|name| json!({"type": "function", "function": {"name": name, "parameters": {"type": "object", "properties": {}}}}))
                .collect();
            with("tools", tools, json!({"model": "m", "messages": messages}))
        }
        Api::Responses => {
            let mut input = vec![json!({"role": "user", "content": "a"})];
            input.extend(answer["output"].as_array().cloned().unwrap_or_default());
            input.extend(said.calls.iter().map(
                |call| json!({"type": "function_call_output", "call_id": call.id, "output": "r"}),
            ));
            input.push(json!({"role": "user", "content": "b"}));
            let tools: Vec<Value> = tools
                .map(|name| json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}, "strict": false}))
                .collect();
            with(
                "tools",
                tools,
                json!({"model": "m", "input": input, "store": false}),
            )
        }
        Api::Anthropic => {
            let results = said
                .calls
                .iter()
                .map(|call| json!({"type": "tool_result", "tool_use_id": call.id, "content": "r"}));
            let last: Vec<Value> = results
                .chain([json!({"type": "text", "text": "b"})])
                .collect();
            let messages = json!([
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": answer["content"]},
                {"role": "user", "content": last},
            ]);
            let tools: Vec<Value> = tools
                .map(|name| json!({"name": name, "input_schema": {"type": "object", "properties": {}}}))
                .collect();
            let thinking = json!({"type": "enabled", "budget_tokens": 1024});
            with(
                "tools",
                tools,
                json!({"model": "m", "max_tokens": 4096, "messages": messages, "thinking": thinking}),
            )
        }
        Api::Gemini => {
            let results = said.calls.iter().map(|call| {
                let mut response = json!({"name": call.name, "response": {"output": "r"}});
                if !call.id.is_empty() {
                    response["id"] = json!(call.id);
                }
                json!({"functionResponse": response})
            });
            let last: Vec<Value> = results.chain([json!({"text": "b"})]).collect();
            let contents = json!([
                {"role": "user", "parts": [{"text": "a"}]},
                answer["candidates"][0]["content"],
                {"role": "user", "parts": last},
            ]);
            let declared: Vec<Value> = tools
                .map(|name| json!({"name": name, "parametersJsonSchema": {"type": "object", "properties": {}}}))
                .collect();
            let tools = if declared.is_empty() {
                Vec::new()
            } else {
                vec![json!({"functionDeclarations": declared})]
            };
            with("tools", tools, json!({"contents": contents}))
        }
        Api::Completions | Api::Converse | Api::Cohere | Api::Ollama => return None,
    })
}

fn with(member: &str, mut list: Vec<Value>, mut request: Value) -> Value {
    list.dedup();
    if !list.is_empty() {
        request[member] = Value::from(list);
    }
    request
}
