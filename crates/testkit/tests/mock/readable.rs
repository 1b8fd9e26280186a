//! What the mock says is what core knows: it reads every part, whichever way the stream is laid out.

use bartizan_core::{Dialect, Direction, Document, Event, EventDecoder, TextRole};
use bartizan_testkit::{MockProvider, Script};
use serde_json::json;

use crate::client::{Answer, post};

const TEXT: &str = "आधार 🪪 \"quoted\"\nand more";

const PATHS: [(&str, Dialect); 3] = [
    ("/v1/chat/completions", Dialect::OpenAiChat),
    ("/v1/responses", Dialect::OpenAiResponses),
    ("/v1/messages", Dialect::AnthropicMessages),
];

const WORDS: [&str; 10] = [
    "echo",
    "tools-2",
    "tools-2+interleaved",
    "thinking",
    "thinking+redacted",
    "refusal",
    "length",
    "piece-1+split-1",
    "crlf+comments+bom",
    "cr+scatter-3",
];

async fn ask(mock: &MockProvider, path: &str, words: &str, stream: bool) -> Answer {
    let turns = json!([{ "role": "user", "content": format!("mock:{words} {TEXT}") }]);
    let field = if path == "/v1/responses" {
        "input"
    } else {
        "messages"
    };
    let body = json!({ "model": "mock-echo", field: turns, "stream": stream, "stream_options": { "include_usage": true } });
    post(mock, path, &body).await
}

fn events(answer: &Answer) -> Vec<Event> {
    let mut decoder = EventDecoder::new();
    let mut events = Vec::new();
    for piece in answer.body.chunks(7) {
        decoder.push(piece.to_vec().into());
        while let Some(event) = decoder.next_event().unwrap() {
            events.push(event);
        }
    }
    events.extend(decoder.finish().unwrap());
    events
}

/// What was said for the caller's eyes: not in thought, nor to a tool.
fn spoken(document: &Document) -> String {
    let said = |role| matches!(role, TextRole::Assistant | TextRole::Refusal);
    document
        .texts()
        .filter(|text| said(text.role()))
        .map(|text| text.as_str().to_owned())
        .collect()
}

#[tokio::test]
async fn each_part_of_each_answer_is_known_to_its_dialect() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    for (path, dialect) in PATHS {
        for words in WORDS {
            let answer = ask(&mock, path, words, false).await;
            let reply = Document::read(answer.body, dialect, Direction::Reply).unwrap();
            assert!(
                reply.unseen().is_empty(),
                "{path} {words}: {:?}",
                reply.unseen()
            );
            assert!(
                reply.facts().usage.is_some() && reply.facts().finish.is_some(),
                "{path} {words}"
            );
        }
    }
}

#[tokio::test]
async fn each_event_of_each_stream_is_known_to_its_dialect() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    for (path, dialect) in PATHS {
        for words in WORDS {
            let (mut deltas, mut usage, mut finish, mut last) = (String::new(), None, None, false);
            for mut event in events(&ask(&mock, path, words, true).await) {
                last = event.data() == Some("[DONE]");
                let Some(document) = event.read_document(dialect).unwrap() else {
                    continue;
                };
                assert!(
                    document.unseen().is_empty(),
                    "{path} {words}: {:?}",
                    document.unseen()
                );
                let facts = document.facts();
                usage = facts.usage.or(usage);
                finish = facts.finish.or(finish);
                last = facts.terminal;
                if document.texts().all(|text| text.is_delta()) {
                    deltas += &spoken(document);
                }
            }
            assert!(
                last && usage.is_some() && finish.is_some(),
                "{path} {words}"
            );
            if !words.contains("tools") && words != "refusal" {
                assert_eq!(deltas, TEXT, "{path} {words}");
            }
        }
    }
}
