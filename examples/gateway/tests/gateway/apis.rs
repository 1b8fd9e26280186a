//! The APIs besides chat: each with real requests, through every layer.

use bartizan_testkit::{MockProvider, Script};
use serde_json::{Value, json};

use crate::http::{Answer, ask};
use crate::process::{Gateway, Start, guarded};

const EMAIL: &str = "asha.rao@example.org";

async fn gateway(mock: &MockProvider) -> Gateway {
    Start::with(guarded(mock, "")).run()
}

/// As Google's SDKs send it: the key in their own header.
async fn google(gateway: &Gateway, path: &str, body: &Value) -> Answer {
    let headers = [
        ("x-goog-api-key", gateway.caller().await),
        ("x-goog-api-client", "genai"),
    ];
    ask(gateway.address, "POST", path, &headers, &body.to_string()).await
}

/// All that the provider got with its request of this number.
fn sent(mock: &MockProvider, number: usize) -> String {
    let request = &mock.requests()[number];
    format!(
        "{} {:?} {:?} {}",
        request.path,
        request.query,
        request.headers,
        request.text()
    )
}

fn contents(text: &str) -> Value {
    json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
}

#[tokio::test]
async fn a_client_of_geminis_calls_any_provider_with_personal_data_masked() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    for (number, model) in ["gpt", "claude"].into_iter().enumerate() {
        let path = format!("/v1beta/models/{model}:generateContent");
        let answer = google(&gateway, &path, &contents(&format!("write to {EMAIL}"))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let said = answer.json();
        let text = &said["candidates"][0]["content"]["parts"][0]["text"];
        assert!(
            text.as_str().unwrap().contains(EMAIL),
            "not restored: {said}"
        );
        assert_eq!(said["candidates"][0]["finishReason"], "STOP");
        assert!(said["usageMetadata"]["totalTokenCount"].as_u64().unwrap() > 0);
        let sent = sent(&mock, number);
        assert!(
            !sent.contains(EMAIL) && sent.contains("EMAIL_ADDRESS_1"),
            "{sent}"
        );
        assert!(
            !sent.contains(gateway.caller().await),
            "the caller's key goes on: {sent}"
        );
    }
}

#[tokio::test]
async fn a_stream_of_geminis_has_neither_comments_nor_names_and_ends_with_a_reason() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    let path = "/v1/models/claude:streamGenerateContent?alt=sse";
    let answer = google(
        &gateway,
        path,
        &contents(&format!("write to {EMAIL}, please")),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let content_type = answer.header("content-type").unwrap();
    assert!(content_type.starts_with("text/event-stream"));
    // Google's SDKs raise at anything else.
    for line in answer.body.lines() {
        assert!(line.is_empty() || line.starts_with("data: {"), "{line}");
    }
    let chunks: Vec<Value> = answer
        .events()
        .iter()
        .map(|event| serde_json::from_str(event).unwrap())
        .collect();
    let text: String = chunks
        .iter()
        .filter_map(|chunk| chunk["candidates"][0]["content"]["parts"][0]["text"].as_str())
        .collect();
    assert!(text.contains(EMAIL), "not restored: {text}");
    let last = chunks.last().unwrap();
    assert_eq!(last["candidates"][0]["finishReason"], "STOP", "{last}");
}

#[tokio::test]
async fn a_stream_that_is_not_asked_for_as_events_is_one_array() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    let asked = contents(&format!("write to {EMAIL}, please"));
    for path in [
        "/v1beta/models/claude:streamGenerateContent",
        "/v1beta/models/gpt:streamGenerateContent?alt=json",
    ] {
        let answer = google(&gateway, path, &asked).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let content_type = answer.header("content-type").unwrap();
        assert!(content_type.starts_with("application/json"));
        let elements: Vec<Value> = serde_json::from_str(&answer.body).unwrap();
        let text: String = elements
            .iter()
            .filter_map(|element| element["candidates"][0]["content"]["parts"][0]["text"].as_str())
            .collect();
        assert!(text.contains(EMAIL), "not restored: {text}");
        let last = elements.last().unwrap();
        assert_eq!(last["candidates"][0]["finishReason"], "STOP", "{last}");
    }
    let refused = google(
        &gateway,
        "/v1beta/models/nobodys:streamGenerateContent",
        &asked,
    )
    .await;
    assert!((400..500).contains(&refused.status), "{refused:?}");
    let elements: Vec<Value> = serde_json::from_str(&refused.body).unwrap();
    assert!(elements[0]["error"]["code"].is_u64(), "{refused:?}");
}

#[tokio::test]
async fn what_google_takes_from_a_url_is_refused_in_googles_words() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    for (path, reason) in [
        (
            format!(
                "/v1beta/models/gpt:generateContent?key={}",
                gateway.caller().await
            ),
            "key_in_url",
        ),
        (
            format!(
                "/v1beta/models/gpt:streamGenerateContent?alt=sse&key={}",
                gateway.caller().await
            ),
            "key_in_url",
        ),
        (
            "/v1beta/models/gpt:streamGenerateContent?alt=proto".to_owned(),
            "alt_sse_required",
        ),
    ] {
        let answer = google(&gateway, &path, &contents("x")).await;
        let error = answer.json()["error"].clone();
        assert_eq!(
            (answer.status, &error["code"], &error["status"]),
            (400, &json!(400), &json!("INVALID_ARGUMENT"))
        );
        assert_eq!(error["details"][0]["reason"], reason, "{error}");
    }
    assert!(mock.requests().is_empty());
    let caller = gateway.caller().await.to_owned();
    let folder = gateway.stop().await;
    let audit = std::fs::read_to_string(folder.path().join("bartizan-data/audit.jsonl")).unwrap();
    assert!(
        audit.contains("key_in_url") && !audit.contains(&caller),
        "{audit}"
    );
}

#[tokio::test]
async fn the_model_is_the_one_in_the_path_whatever_the_body_says() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    let key = gateway.key(r#"{"models":["gpt"]}"#).await;
    let mut body = contents("x");
    body["model"] = json!("models/gpt");
    for (path, status) in [
        ("/v1beta/models/claude:generateContent", 403),
        ("/v1beta/models/clau%64e:generateContent", 403),
        ("/v1beta/models/gpt:generateContent", 200),
        ("/v1beta/models/g%70t:generateContent", 200),
    ] {
        let answer = gateway.ask_as(&key, "POST", path, &body.to_string()).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn models_are_listed_in_googles_shape_too() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    let key = gateway.key(r#"{"models":["gpt"]}"#).await;
    let headers = [("x-goog-api-key", key.as_str())];
    let list = ask(
        gateway.address,
        "GET",
        "/v1beta/models?pageSize=50",
        &headers,
        "",
    )
    .await;
    let models = list.json()["models"].clone();
    assert_eq!(models.as_array().unwrap().len(), 1);
    assert_eq!(models[0]["name"], "models/gpt");
    let one = ask(gateway.address, "GET", "/v1beta/models/gpt", &headers, "").await;
    assert_eq!(one.json()["name"], "models/gpt");
    let none = ask(
        gateway.address,
        "GET",
        "/v1beta/models/claude",
        &headers,
        "",
    )
    .await;
    assert_eq!(
        (none.status, &none.json()["error"]["status"]),
        (404, &json!("NOT_FOUND"))
    );
}

#[tokio::test]
async fn texts_of_every_api_are_masked_on_their_way_to_the_provider() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    let said = format!("write to {EMAIL}");
    let calls = [
        ("/v1/completions", json!({"model": "gpt", "prompt": said})),
        ("/v1/moderations", json!({"model": "gpt", "input": [said]})),
        (
            "/v1/moderations",
            json!({"model": "gpt", "input": [{"type": "text", "text": said}]}),
        ),
        (
            "/v1/rerank",
            json!({"model": "gpt", "query": said, "documents": [said, {"text": said}]}),
        ),
        (
            "/v1/messages/count_tokens",
            json!({"model": "claude", "messages": [{"role": "user", "content": said}]}),
        ),
        (
            "/v1beta/models/claude:countTokens",
            json!({"generateContentRequest": {"model": "models/claude", "contents": [{"role": "user", "parts": [{"text": said}]}]}}),
        ),
        (
            "/v1beta/models/gpt:embedContent",
            json!({"content": {"parts": [{"text": said}]}}),
        ),
        (
            "/v1beta/models/gpt:batchEmbedContents",
            json!({"requests": [{"model": "models/gpt", "content": {"parts": [{"text": said}]}}]}),
        ),
    ];
    for (number, (path, body)) in calls.iter().enumerate() {
        let answer = gateway.ask("POST", path, &body.to_string()).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let sent = sent(&mock, number);
        assert!(
            !sent.contains(EMAIL) && sent.contains("EMAIL_ADDRESS_1"),
            "{path}: {sent}"
        );
    }
}

#[tokio::test]
async fn refusals_have_the_shape_of_the_api() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = gateway(&mock).await;
    for (path, pointer) in [
        ("/v1/completions", "/error/message"),
        ("/v1/moderations", "/error/message"),
        ("/v1/messages/count_tokens", "/error/type"),
        ("/v2/rerank", "/message"),
        ("/v1beta/models/gpt:generateContent", "/error/status"),
        ("/v1beta/models/gpt:countTokens", "/error/status"),
        ("/v1beta/models/gpt:embedContent", "/error/status"),
    ] {
        let answer = ask(gateway.address, "POST", path, &[], "{}").await;
        assert_eq!(answer.status, 401, "{path}");
        let said = answer.json();
        assert!(said.pointer(pointer).unwrap().is_string(), "{path}: {said}");
    }
}
