//! OpenAI's clients, and Mistral's judgement.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails panics"
)]

mod support;

use bartizan_core::Dialect;
use bartizan_translate::{Target, TranslateLayer};
use serde_json::{Value, json};
use support::{Got, exchange, post, recorded};

async fn ask(to: Dialect, request: Value, reply: Value) -> Got {
    let layer = TranslateLayer::new().to(Target::new(to, "mistral-moderation-2603"));
    exchange(
        &layer,
        post("/v1/moderations", request.to_string()),
        support::json(200, reply.to_string()),
    )
    .await
}

fn reply(judgements: &[(Value, Value)]) -> Value {
    let results: Vec<Value> = judgements
        .iter()
        .map(|(categories, scores)| json!({"categories": categories, "category_scores": scores}))
        .collect();
    json!({"id": "mod-1", "model": "mistral-moderation-2603", "results": results})
}

fn mild() -> (Value, Value) {
    (json!({"sexual": false}), json!({"sexual": 0.1}))
}

#[tokio::test]
async fn texts_go_out_one_by_one() {
    for (input, sent) in [
        (json!("a"), json!(["a"])),
        (json!(["a"]), json!(["a"])),
        (json!([{"type": "text", "text": "a"}]), json!(["a"])),
    ] {
        let got = ask(
            Dialect::MistralModerations,
            json!({"model": "omni-moderation-latest", "input": input}),
            reply(&[mild()]),
        )
        .await;
        assert_eq!(got.status, 200, "{}", got.text);
        assert_eq!(
            got.sent.unwrap().json(),
            json!({"model": "mistral-moderation-2603", "input": sent})
        );
    }
}

#[tokio::test]
async fn what_can_not_be_judged_there_is_refused() {
    let image = json!({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}});
    for input in [
        json!([image]),
        json!([{"type": "text", "text": "a"}, image]),
        json!([]),
        json!([1]),
        json!(1),
    ] {
        let got = ask(
            Dialect::MistralModerations,
            json!({"input": input}),
            reply(&[mild()]),
        )
        .await;
        assert_eq!(got.status, 400, "{input}");
        assert!(got.sent.is_none());
    }
    let got = ask(Dialect::OpenAiChat, json!({"input": "a"}), json!({})).await;
    assert_eq!(got.json()["error"]["code"], "translation_unsupported");
}

#[tokio::test]
async fn categories_come_back_under_openais_names() {
    let judged = (
        json!({"sexual": false, "hate_and_discrimination": false, "violence_and_threats": true, "dangerous": true, "criminal": false, "selfharm": false, "health": true, "jailbreaking": false}),
        json!({"sexual": 1e-7, "hate_and_discrimination": 0.2, "violence_and_threats": 0.9, "dangerous": 0.30, "criminal": 0.40, "selfharm": 0, "health": 0.99, "jailbreaking": 0.1}),
    );
    let got = ask(
        Dialect::MistralModerations,
        json!({"input": ["a", "b"]}),
        reply(&[judged, mild()]),
    )
    .await
    .json();
    assert_eq!(
        got["results"][0],
        json!({
            "flagged": true,
            "categories": {"sexual": false, "hate": false, "violence": true, "illicit": true, "self-harm": false, "health": true, "jailbreaking": false},
            "category_scores": {"sexual": 1e-7, "hate": 0.2, "violence": 0.9, "illicit": 0.40, "self-harm": 0, "health": 0.99, "jailbreaking": 0.1},
        })
    );
    assert_eq!(got["results"][1]["flagged"], false);
    assert_eq!(
        (&got["id"], &got["model"]),
        (&json!("mod-1"), &json!("mistral-moderation-2603"))
    );
}

#[tokio::test]
async fn advice_on_health_is_no_offence() {
    let judged = (
        json!({"health": true, "pii": true}),
        json!({"health": 1, "pii": 1}),
    );
    let got = ask(
        Dialect::MistralModerations,
        json!({"input": "a"}),
        reply(&[judged]),
    )
    .await
    .json();
    assert_eq!(got["results"][0]["flagged"], false);
}

#[tokio::test]
async fn an_answer_that_judges_something_else_is_none() {
    for reply in [
        reply(&[]),
        reply(&[mild(), mild()]),
        json!({}),
        json!({"results": [{}]}),
    ] {
        let got = ask(Dialect::MistralModerations, json!({"input": "a"}), reply).await;
        assert_eq!(got.status, 502, "{}", got.text);
    }
}

#[tokio::test]
async fn recorded_exchanges_pass_as_they_are_between_openais_own() {
    for exchanged in recorded("openai.moderations") {
        let (request, reply) = (
            support::body(&exchanged["request"]).unwrap(),
            support::body(&exchanged["response"]).unwrap(),
        );
        let model = exchanged["model"].as_str().unwrap();
        let layer = TranslateLayer::new().to(Target::new(Dialect::OpenAiModerations, model));
        let got = exchange(
            &layer,
            post("/v1/moderations", request.clone()),
            support::json(200, reply.clone()),
        )
        .await;
        assert_eq!((got.sent.unwrap().text, got.text), (request, reply));
    }
}
