//! The demo's answers in Google's API.

use bartizan::core::{Document, Event};
use serde_json::{Value, json};

use super::{Said, tokens, vector};

impl Said<'_> {
    pub(super) fn generated(&self) -> Value {
        self.chunk(self.text, Some("STOP"))
    }

    pub(super) fn generated_events(&self) -> Vec<Event> {
        let mut chunks: Vec<Value> = self
            .pieces()
            .iter()
            .map(|piece| self.chunk(piece, None))
            .collect();
        chunks.push(self.chunk("", Some("STOP")));
        chunks
            .iter()
            .map(|chunk| Event::new(None, &chunk.to_string()))
            .collect()
    }

    fn chunk(&self, text: &str, finish: Option<&str>) -> Value {
        let mut candidate = json!({
            "content": {"parts": [{"text": text}], "role": "model"},
            "index": 0,
        });
        if let (Some(finish), Some(members)) = (finish, candidate.as_object_mut()) {
            members.insert("finishReason".to_owned(), json!(finish));
        }
        json!({
            "candidates": [candidate],
            "usageMetadata": {
                "promptTokenCount": self.input,
                "candidatesTokenCount": self.output,
                "totalTokenCount": self.input + self.output,
            },
            "modelVersion": "demo",
            "responseId": "demo",
        })
    }
}

pub(super) fn counted(request: &Document) -> Value {
    let total = tokens(request.as_str());
    json!({"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]})
}

/// One content's embedding, or one for each request of many.
pub(super) fn embedded(request: &Document) -> Value {
    let root = request.json().root();
    let usage = json!({"promptTokenCount": tokens(request.as_str())});
    let of = |content: Option<bartizan::core::json::Value<'_>>| {
        let parts = content.and_then(|content| content.get("parts"));
        let texts = parts
            .into_iter()
            .flat_map(|parts| parts.items())
            .filter_map(|part| part.get("text")?.text());
        json!({"values": vector(&texts.collect::<Vec<_>>().concat())})
    };
    match root.get("requests") {
        Some(requests) => {
            let all: Vec<Value> = requests
                .items()
                .map(|request| of(request.get("content")))
                .collect();
            json!({"embeddings": all, "usageMetadata": usage})
        }
        None => json!({"embedding": of(root.get("content")), "usageMetadata": usage}),
    }
}
