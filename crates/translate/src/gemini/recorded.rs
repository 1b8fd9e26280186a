//! What was recorded, read and written again.

use bartizan_core::{Dialect, Direction, Document};
use serde_json::{Map, Value, json};

use super::*;
use crate::dialects::To;
use crate::facts::ModelFacts;
use crate::identity::{recorded, stream, whole};
use crate::losses::Losses;
use crate::neutral::Ask;
use crate::read::Unknown;
use crate::settings::Bounds;

const API: Dialect = Dialect::Gemini;

fn exchanges() -> impl Iterator<Item = Value> {
    ["gemini.generateContent", "vertex.generateContent"]
        .into_iter()
        .flat_map(recorded)
}

fn writer() -> ToClient {
    ToClient::new(&Ask {
        show_thoughts: Some(true),
        ..Ask::default()
    })
}

/// What a whole answer says: texts and thoughts that follow one another as one, calls, the end, the usage, the sources.
fn said(answers: &[Value]) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    let mut all = Map::new();
    let mut usage = Map::new();
    for answer in answers {
        let candidate = &answer["candidates"][0];
        for part in candidate["content"]["parts"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let mut part = part.clone();
            if let Some(call) = part.get_mut("functionCall") {
                call.as_object_mut().unwrap().remove("id");
            }
            let known = |key: &str| part.get(key).is_some();
            if !known("text") && !known("functionCall") {
                continue;
            }
            match parts.last_mut() {
                Some(last)
                    if known("text")
                        && last["thought"] == part["thought"]
                        && last.get("text").is_some() =>
                {
                    let text = [
                        last["text"].as_str().unwrap(),
                        part["text"].as_str().unwrap(),
                    ]
                    .concat();
                    last["text"] = text.into();
                    if known("thoughtSignature") {
                        last["thoughtSignature"] = part["thoughtSignature"].clone();
                    }
                }
                _ => parts.push(part),
            }
        }
        for key in ["modelVersion", "responseId"] {
            all.insert(key.into(), answer[key].clone());
        }
        if let Some(reason) = candidate.get("finishReason") {
            all.insert("finishReason".into(), reason.clone());
        }
        if let Some(grounding) = candidate.get("groundingMetadata") {
            let mut supports = Vec::new();
            let mut used = Vec::new();
            for support in grounding["groundingSupports"]
                .as_array()
                .into_iter()
                .flatten()
            {
                for index in support["groundingChunkIndices"].as_array().unwrap() {
                    let chunk = &grounding["groundingChunks"][index.as_u64().unwrap() as usize];
                    supports.push(json!([support["segment"], chunk["web"]["uri"]]));
                    used.push(chunk["web"]["uri"].clone());
                }
            }
            for chunk in grounding["groundingChunks"]
                .as_array()
                .into_iter()
                .flatten()
            {
                if !used.contains(&chunk["web"]["uri"]) {
                    used.push(chunk["web"]["uri"].clone());
                }
            }
            used.sort_by_key(ToString::to_string);
            used.dedup();
            all.insert("grounding".into(), json!([supports, used]));
        }
        for (key, value) in answer["usageMetadata"].as_object().into_iter().flatten() {
            usage.insert(key.clone(), value.clone());
        }
    }
    let count = |key: &str| usage.get(key).and_then(Value::as_u64).unwrap_or(0);
    parts.retain(|part| part["text"] != "" || part.get("thoughtSignature").is_some());
    all.insert("parts".into(), parts.into());
    all.insert(
        "usage".into(),
        json!([
            count("promptTokenCount") + count("toolUsePromptTokenCount"),
            count("cachedContentTokenCount"),
            count("candidatesTokenCount"),
            count("thoughtsTokenCount"),
            count("totalTokenCount"),
        ]),
    );
    all.into()
}

#[test]
fn every_recorded_answer_says_the_same_when_it_is_written_again() {
    for exchange in exchanges() {
        let response = &exchange["response"];
        let (Some(text), Some(200)) = (
            response["body"]["text"].as_str(),
            response["status"].as_u64(),
        ) else {
            continue;
        };
        let mut reader = from_provider::Events::new(true, crate::names::ToolNames::default());
        let mut writer = writer();
        if exchange["stream"] == true {
            let data = |text: &str| serde_json::from_str::<Value>(text).unwrap();
            let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
            let before: Vec<_> = lines.map(data).collect();
            let events = stream(text, API, &mut reader, &mut writer);
            let after: Vec<_> = events
                .iter()
                .filter_map(|event| event.data())
                .map(data)
                .collect();
            assert_eq!(said(&after), said(&before), "{}", exchange["from"]);
        } else {
            let before = serde_json::from_str(text).unwrap();
            let after = whole(text, API, &reader, &writer);
            assert_eq!(said(&[after]), said(&[before]), "{}", exchange["from"]);
        }
    }
}

/// A request in one spelling, without what says what happens anyway.
fn plain(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| {
                let mut words = key.split('_');
                let first = words.next().unwrap_or_default().to_owned();
                let camel = words.fold(first, |camel, word| {
                    camel + &word[..1].to_uppercase() + &word[1..]
                });
                (camel, plain(value))
            })
            .filter(|(_, value)| !value.is_null() && *value != json!({}))
            .collect(),
        other => other,
    }
}

/// What only another spelling of the same is.
fn spell(mut request: Value) -> Value {
    // What a user says beside results stands in a content of its own.
    let mut contents: Vec<Value> = Vec::new();
    for content in request["contents"].as_array().unwrap() {
        match contents
            .last_mut()
            .filter(|last| last["role"] == content["role"])
        {
            Some(last) => {
                let more = content["parts"].as_array().unwrap().clone();
                last["parts"].as_array_mut().unwrap().extend(more);
            }
            None => contents.push(content.clone()),
        }
    }
    request["contents"] = contents.into();
    for content in request["contents"].as_array_mut().into_iter().flatten() {
        for part in content["parts"].as_array_mut().into_iter().flatten() {
            // Google knows what kind of file it keeps.
            if let Some(file) = part.get_mut("fileData") {
                file.as_object_mut().unwrap().remove("mimeType");
            }
            if let Some(call) = part.get_mut("functionCall") {
                let call = call.as_object_mut().unwrap();
                call.entry("args").or_insert(json!({}));
                call.remove("id");
            }
        }
    }
    if let Some(mode) = request.pointer_mut("/toolConfig/functionCallingConfig/mode") {
        *mode = mode.as_str().unwrap().to_uppercase().into();
    }
    if let Some(level) = request.pointer_mut("/generationConfig/thinkingConfig/thinkingLevel") {
        *level = level.as_str().unwrap().to_uppercase().into();
    }
    for tool in request["tools"].as_array_mut().into_iter().flatten() {
        for function in tool["functionDeclarations"]
            .as_array_mut()
            .into_iter()
            .flatten()
        {
            let function = function.as_object_mut().unwrap();
            if let Some(mut schema) = function.remove("parameters") {
                lower(&mut schema);
                function.insert("parametersJsonSchema".into(), schema);
            }
        }
    }
    if let Some(config) = request["generationConfig"].as_object_mut()
        && let Some(mut schema) = config.remove("responseSchema")
    {
        lower(&mut schema);
        config.insert("responseJsonSchema".into(), schema);
    }
    request
}

fn lower(schema: &mut Value) {
    let nullable = schema
        .as_object_mut()
        .and_then(|members| members.remove("nullable"));
    for (key, value) in schema.as_object_mut().into_iter().flatten() {
        match (key.as_str(), &mut *value) {
            ("type", Value::String(kind)) => {
                *kind = kind.to_lowercase();
                if nullable == Some(json!(true)) {
                    *value = json!([value, "null"]);
                }
            }
            ("enum", Value::Array(choices)) if nullable == Some(json!(true)) => {
                choices.push(Value::Null);
            }
            ("properties", properties) => properties
                .as_object_mut()
                .unwrap()
                .values_mut()
                .for_each(lower),
            ("items", items) => lower(items),
            _ => {}
        }
    }
}

#[test]
fn every_recorded_request_asks_the_same_when_it_is_written_again() {
    let (mut all, mut same) = (0, 0);
    let mut other = Vec::new();
    for exchange in exchanges() {
        let text = exchange["request"]["body"]["text"].as_str().unwrap();
        let document = Document::read(text, API, Direction::Request).unwrap();
        let mut losses = Losses::default();
        all += 1;
        let path = exchange["request"]["path"].as_str().unwrap();
        let model = path.rsplit('/').next().unwrap().split(':').next().unwrap();
        let root = document.json().root();
        let ask = from_client::request(
            &crate::read::Place::Root,
            root,
            Unknown::Refuse,
            &mut losses,
        );
        let facts = ModelFacts::default();
        let written = ask.and_then(|ask| {
            let to = To {
                dialect: API,
                model,
                facts: facts.of(model),
                // Who names calls by ids is not recorded alike.
                vertex: true,
                stream_usage: false,
                quirks: &crate::catalogue::Quirks::NONE,
                bounds: Bounds::default(),
            };
            encode_ask(&ask, to, &mut losses)
        });
        match written {
            Ok(written) if losses.is_empty() => {
                let after: Value = serde_json::from_str(&written.text).unwrap();
                let before: Value = serde_json::from_str(text).unwrap();
                assert_eq!(
                    plain(spell(plain(after))),
                    plain(spell(plain(before))),
                    "{}",
                    exchange["from"]
                );
                same += 1;
            }
            Ok(_) => other.push(format!("{losses:?}")),
            Err(refusal) => other.push(refusal.message().to_owned()),
        }
    }
    println!("{same} of {all}; others: {other:#?}");
    assert!(same * 100 >= all * 90, "{same} of {all}: {other:#?}");
}
