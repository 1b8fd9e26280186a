//! The demo's answers in the older and smaller APIs.

use bartizan::core::json::{Kind, Value as Json};
use bartizan::core::{Document, Event, TextRole};
use serde_json::{Value, json};

use super::{Said, tokens};

impl Said<'_> {
    pub(super) fn completion(&self) -> Value {
        let mut completion = self.completed(self.text, json!("stop"));
        if let Some(members) = completion.as_object_mut() {
            members.insert("usage".to_owned(), self.chat_usage());
        }
        completion
    }

    pub(super) fn completion_events(&self, usage: bool) -> Vec<Event> {
        let mut chunks: Vec<Value> = self
            .pieces()
            .iter()
            .map(|piece| self.completed(piece, Value::Null))
            .collect();
        chunks.push(self.completed("", json!("stop")));
        if usage {
            let mut last = self.completed("", Value::Null);
            if let Some(members) = last.as_object_mut() {
                members.insert("choices".to_owned(), json!([]));
                members.insert("usage".to_owned(), self.chat_usage());
            }
            chunks.push(last);
        }
        let mut events: Vec<Event> = chunks
            .iter()
            .map(|chunk| Event::new(None, &chunk.to_string()))
            .collect();
        events.push(Event::new(None, "[DONE]"));
        events
    }

    fn completed(&self, text: &str, finish: Value) -> Value {
        json!({
            "id": "cmpl-demo",
            "object": "text_completion",
            "created": self.created,
            "model": "demo",
            "choices": [{"index": 0, "text": text, "logprobs": null, "finish_reason": finish}],
        })
    }
}

pub(super) fn counted(request: &Document) -> Value {
    json!({"input_tokens": tokens(request.as_str())})
}

const CATEGORIES: [&str; 13] = [
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
];

/// The demo finds nothing wrong with anything.
pub(super) fn moderated(request: &Document) -> Value {
    let all = |value: Value| -> Value {
        CATEGORIES
            .iter()
            .map(|name| ((*name).to_owned(), value.clone()))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let result = json!({
        "flagged": false,
        "categories": all(json!(false)),
        "category_scores": all(json!(0.0)),
        "category_applied_input_types": all(json!(["text"])),
    });
    let inputs = request
        .texts()
        .filter(|text| text.role() == TextRole::Input)
        .count();
    json!({"id": "modr-demo", "model": "demo", "results": vec![result; inputs.max(1)]})
}

/// Ranks by how many words of the query a document has.
pub(super) fn ranked(request: &Document) -> Value {
    let root = request.json().root();
    let query = root.get("query").and_then(Json::text).unwrap_or_default();
    let words: Vec<&str> = query.split_whitespace().collect();
    let documents = root.get("documents").into_iter().flat_map(Json::items);
    let mut results: Vec<(usize, f64)> = documents
        .map(|document| {
            let strings = document
                .strings()
                .filter(|text| text.kind() == Kind::String);
            let texts: Vec<_> = strings.filter_map(Json::text).collect();
            let found = words
                .iter()
                .filter(|word| texts.iter().any(|text| text.contains(**word)))
                .count();
            share(found, words.len())
        })
        .enumerate()
        .collect();
    results.sort_by(|(_, one), (_, two)| two.total_cmp(one));
    let most = root.get("top_n").and_then(Json::as_u64);
    let most = most.and_then(|most| usize::try_from(most).ok());
    results.truncate(most.unwrap_or(usize::MAX));
    let results: Vec<Value> = results
        .iter()
        .map(|(index, score)| json!({"index": index, "relevance_score": score}))
        .collect();
    json!({
        "id": "rerank-demo",
        "results": results,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    })
}

fn share(part: usize, whole: usize) -> f64 {
    let number = |count: usize| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole.max(1))
}
