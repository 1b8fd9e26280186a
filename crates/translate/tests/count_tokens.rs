//! Counts of tokens: asked of providers that count, estimated and marked as such for the others.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::{Dialect, Direction, Document, RequestEstimate};
use bartizan_translate::{ESTIMATED, Target, TranslateLayer};
use serde_json::json;
use support::{exchange, json, post};

const ASKS: &str = r#"{"model":"house","system":"Be terse.","messages":[{"role":"user","content":"What is the capital of France?"}]}"#;

#[tokio::test]
async fn a_provider_of_the_same_api_is_asked_byte_for_byte_but_for_the_model() {
    let layer =
        TranslateLayer::new().to(Target::new(Dialect::AnthropicMessages, "claude-haiku-4-5"));
    let request = post("/v1/messages/count_tokens", ASKS);
    let got = exchange(&layer, request, json(200, r#"{"input_tokens":14}"#)).await;
    let sent = got.sent.as_ref().unwrap();
    assert_eq!(sent.uri, "/v1/messages/count_tokens");
    assert_eq!(sent.text, ASKS.replace("house", "claude-haiku-4-5"));
    assert_eq!(sent.headers["anthropic-version"], "2023-06-01");
    assert_eq!(got.text, r#"{"input_tokens":14}"#);
    assert!(!got.headers.contains_key(ESTIMATED));
}

#[tokio::test]
async fn where_the_messages_go_the_counts_go() {
    let target = Target::new(Dialect::AnthropicMessages, "m")
        .path("/anthropic/v1/messages")
        .unwrap();
    let layer = TranslateLayer::new().to(target);
    let request = post("/v1/messages/count_tokens?beta=true", ASKS);
    let got = exchange(&layer, request, json(200, r#"{"input_tokens":14}"#)).await;
    assert_eq!(
        got.sent.unwrap().uri,
        "/anthropic/v1/messages/count_tokens?beta=true"
    );
}

#[tokio::test]
async fn a_provider_that_does_not_count_is_not_asked_and_the_estimate_says_what_it_is() {
    let layer = TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "gpt-4o-mini"));
    let request = post("/v1/messages/count_tokens", ASKS);
    let got = exchange(&layer, request, json(200, "{}")).await;
    assert!(got.sent.is_none());
    assert_eq!(got.headers[ESTIMATED], "tokens");
    let asked = Document::read(ASKS, Dialect::AnthropicCountTokens, Direction::Request).unwrap();
    let tokens = RequestEstimate::of(&asked).tokens();
    assert_eq!(
        got.json(),
        json!({"input_tokens": tokens, "bartizan_estimated": true})
    );
}

#[tokio::test]
async fn a_bad_question_is_refused_and_not_estimated() {
    let layer = TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "gpt-4o-mini"));
    let request = post("/v1/messages/count_tokens", "{\"model\":1,\"model\":2}");
    let got = exchange(&layer, request, json(200, "{}")).await;
    assert_eq!(got.status, 400);
    assert_eq!(got.json()["type"], "error");
}

const GEMINI: &str = r#"{"generateContentRequest":{"contents":[{"role":"user","parts":[{"text":"What is the capital of France?"}]}],"systemInstruction":{"parts":[{"text":"Be terse."}]},"model":"models/house"}}"#;
const VERTEX: &str = r#"{"contents":[{"role":"user","parts":[{"text":"What is the capital of France?"}]}],"systemInstruction":{"parts":[{"text":"Be terse."}]}}"#;

#[tokio::test]
async fn anthropics_clients_count_with_google_ai_and_with_vertex_ai() {
    let vertex = Target::new(Dialect::Gemini, "gemini-3.5-flash")
        .path("/v1/projects/p/locations/l/publishers/google/models/{model}:generateContent")
        .unwrap();
    let prompt = json!({
        "systemInstruction": {"parts": [{"text": "Be terse."}]},
        "contents": [{"role": "user", "parts": [{"text": "What is the capital of France?"}]}],
    });
    let mut inside = json!({"generateContentRequest": prompt});
    inside["generateContentRequest"]["model"] = "models/gemini-3.5-flash".into();
    for (target, path, asks) in [
        (
            Target::new(Dialect::Gemini, "gemini-3.5-flash"),
            "/v1beta/models/gemini-3.5-flash:countTokens",
            inside,
        ),
        (
            vertex,
            "/v1/projects/p/locations/l/publishers/google/models/gemini-3.5-flash:countTokens",
            prompt,
        ),
    ] {
        let layer = TranslateLayer::new().to(target);
        let answer =
            r#"{"totalTokens":8,"promptTokensDetails":[{"modality":"TEXT","tokenCount":8}]}"#;
        let request = post("/v1/messages/count_tokens", ASKS);
        let got = exchange(&layer, request, json(200, answer)).await;
        let sent = got.sent.as_ref().unwrap();
        assert_eq!(sent.uri, path);
        assert_eq!(sent.json(), asks);
        assert_eq!(got.text, r#"{"input_tokens":8}"#);
    }
}

#[tokio::test]
async fn geminis_clients_count_with_anthropic() {
    let layer =
        TranslateLayer::new().to(Target::new(Dialect::AnthropicMessages, "claude-haiku-4-5"));
    for asks in [GEMINI, VERTEX] {
        let request = post("/v1beta/models/house:countTokens", asks);
        let got = exchange(&layer, request, json(200, r#"{"input_tokens":14}"#)).await;
        let sent = got.sent.as_ref().unwrap();
        assert_eq!(sent.uri, "/v1/messages/count_tokens");
        assert_eq!(
            sent.json(),
            json!({
                "model": "claude-haiku-4-5",
                "system": [{"type": "text", "text": "Be terse."}],
                "messages": [{"role": "user", "content": "What is the capital of France?"}],
            })
        );
        assert_eq!(got.text, r#"{"totalTokens":14}"#);
    }
    let both = GEMINI.replace(
        "{\"generateContentRequest\"",
        "{\"contents\":[],\"generateContentRequest\"",
    );
    let request = post("/v1beta/models/house:countTokens", both);
    let got = exchange(&layer, request, json(200, "{}")).await;
    assert_eq!(got.status, 400);
}

#[tokio::test]
async fn a_question_of_google_ais_that_is_passed_on_names_the_model_of_its_path() {
    let layer = TranslateLayer::new().to(Target::new(Dialect::Gemini, "gemini-3.5-flash"));
    for (asks, sent) in [
        (
            GEMINI,
            GEMINI.replace("models/house", "models/gemini-3.5-flash"),
        ),
        (VERTEX, VERTEX.to_owned()),
    ] {
        let request = post("/v1beta/models/house:countTokens?key=canary", asks);
        let got = exchange(&layer, request, json(200, r#"{"totalTokens":8}"#)).await;
        let told = got.sent.unwrap();
        assert_eq!(told.uri, "/v1beta/models/gemini-3.5-flash:countTokens");
        assert_eq!(told.text, sent);
    }
}

#[tokio::test]
async fn geminis_clients_get_an_estimate_where_nobody_counts() {
    let layer = TranslateLayer::new().to(Target::new(Dialect::OpenAiChat, "gpt-4o-mini"));
    let request = post("/v1beta/models/house:countTokens", VERTEX);
    let got = exchange(&layer, request, json(200, "{}")).await;
    assert!(got.sent.is_none());
    assert_eq!(got.headers[ESTIMATED], "tokens");
    assert_eq!(got.json()["bartizan_estimated"], true);
    assert!(got.json()["totalTokens"].as_u64() >= Some(8));
}
