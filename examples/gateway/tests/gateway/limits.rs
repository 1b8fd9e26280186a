//! Limits and budgets as callers meet them.

use bartizan_testkit::{MockProvider, Script};

use crate::http::ask;
use crate::process::{Gateway, MASTER, Start, chat, config};

const PRICED: &str = "- {model_name: priced, litellm_params: {model: openai/priced, api_base: 'URL/v1', api_key: k, input_cost_per_token: 0.001, output_cost_per_token: 0.01, max_tokens: 1000}}\n\
                      - {model_name: tight, litellm_params: {model: openai/tight, api_base: 'URL/v1', api_key: k, max_parallel_requests: 1}}\n";

/// The gateway, and the provider behind it.
async fn start(own: &str) -> (Gateway, MockProvider) {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let priced = PRICED.replace("URL", &mock.url());
    let file = config(&mock, own).replace("model_list:\n", &format!("model_list:\n{priced}"));
    (Start::with(file).run(), mock)
}

async fn pay(gateway: &Gateway, key: &str, words: &str) -> crate::http::Answer {
    let body = chat(
        "priced",
        &format!("mock:{words} hello"),
        r#","max_tokens":20"#,
    );
    gateway
        .ask_as(key, "POST", "/v1/chat/completions", &body)
        .await
}

#[tokio::test]
async fn a_key_spends_its_budget_and_no_more_streams_too() {
    let (gateway, _mock) = start("").await;
    let key = gateway
        .key(r#"{"max_budget":1.0,"budget_duration":"1mo"}"#)
        .await;
    // 100 tokens of input and 20 of output: 30 cents a call. The third leaves less than a call may cost.
    for _ in 0..2 {
        assert_eq!(pay(&gateway, &key, "usage-100-20").await.status, 200);
    }
    let body = chat(
        "priced",
        "mock:usage-100-20 hello",
        r#","max_tokens":20,"stream":true"#,
    );
    let streamed = gateway
        .ask_as(&key, "POST", "/v1/chat/completions", &body)
        .await;
    assert_eq!(streamed.status, 200);
    let refused = pay(&gateway, &key, "usage-100-20").await;
    assert_eq!(
        (refused.status, refused.code()),
        (429, "insufficient_quota".to_owned())
    );
    assert_eq!(refused.header("x-should-retry"), Some("false"));
    let said = refused.json();
    assert_eq!(said["error"]["type"], "insufficient_quota");
    let message = said["error"]["message"].as_str().unwrap();
    assert!(message.contains("Budget $1, Used $0.9"), "{message}");
    // Another key has a budget of its own.
    let other = gateway.key(r#"{"max_budget":1.0}"#).await;
    assert_eq!(pay(&gateway, &other, "usage-100-20").await.status, 200);
}

#[tokio::test]
async fn a_teams_budget_binds_its_keys_together() {
    let (gateway, _mock) = start("").await;
    let team = gateway
        .ask_as(
            MASTER,
            "POST",
            "/team/new",
            r#"{"team_id":"search","max_budget":0.5}"#,
        )
        .await;
    assert_eq!(team.status, 200, "{team:?}");
    let one = gateway.key(r#"{"team_id":"search"}"#).await;
    let other = gateway.key(r#"{"team_id":"search"}"#).await;
    assert_eq!(pay(&gateway, &one, "usage-100-20").await.status, 200);
    let refused = pay(&gateway, &other, "usage-100-20").await;
    assert_eq!(refused.code(), "insufficient_quota");
    let message = refused.json()["error"]["message"].to_string();
    assert!(
        message.contains("this key's team") && !message.contains('$'),
        "{message}"
    );
}

#[tokio::test]
async fn a_budget_needs_a_price() {
    let (gateway, _mock) = start("").await;
    let key = gateway.key(r#"{"max_budget":1}"#).await;
    let body = chat("gpt", "hello", "");
    let refused = gateway
        .ask_as(&key, "POST", "/v1/chat/completions", &body)
        .await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "unknown_price".to_owned())
    );
    let (told, _mock) = start("bartizan: {limits: {unknown_prices: zero}}").await;
    let key = told.key(r#"{"max_budget":1}"#).await;
    let passed = told
        .ask_as(&key, "POST", "/v1/chat/completions", &body)
        .await;
    assert_eq!(passed.status, 200);
}

#[tokio::test]
async fn what_the_file_says_binds_whom_it_names() {
    let own = "bartizan: {limits: {rpm: 3, global: {rpm: 6}, models: {other: {rpm: 1}}, defaults: {team: {rph: 2}}}}";
    let (gateway, _mock) = start(own).await;
    let call = async |key: &str, model: &str| {
        let body = chat(model, "hello", "");
        gateway
            .ask_as(key, "POST", "/v1/chat/completions", &body)
            .await
    };
    let key = gateway.key("{}").await;
    let passed = call(&key, "other").await;
    assert_eq!(passed.header("x-ratelimit-limit-requests"), Some("3"));
    let refused = call(&key, "other").await;
    assert_eq!(refused.status, 429);
    let message = refused.json()["error"]["message"].to_string();
    assert!(
        message.contains("for model other on requests per min"),
        "{message}"
    );
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=61).contains(&wait), "{wait}");
    let created = gateway
        .ask_as(MASTER, "POST", "/team/new", r#"{"team_id":"t"}"#)
        .await;
    assert_eq!(created.status, 200);
    let member = gateway.key(r#"{"team_id":"t"}"#).await;
    for status in [200, 200, 429] {
        assert_eq!(call(&member, "gpt").await.status, status);
    }
    assert_eq!(call(&key, "gpt").await.status, 200);
    assert_eq!(call(&key, "gpt").await.status, 200);
    let refused = call(&key, "gpt").await.json()["error"]["message"].to_string();
    assert!(refused.contains("Limit 3, Used 3"), "{refused}");
    // The sixth of all: until here no limit but the key's own was reached.
    let another = gateway.key("{}").await;
    assert_eq!(call(&another, "gpt").await.status, 200);
    let third = gateway.key("{}").await;
    let refused = call(&third, "gpt").await.json()["error"]["message"].to_string();
    assert!(
        refused.contains("for this gateway on requests"),
        "{refused}"
    );
}

#[tokio::test]
async fn calls_of_a_model_at_once_are_free_again_when_a_client_leaves() {
    let (gateway, _mock) = start("").await;
    let key = gateway.key("{}").await;
    let authorization = format!("Bearer {key}");
    let body = chat("tight", "mock:hang-after-1 hello", r#","stream":true"#);
    let text = crate::http::request(
        "POST",
        "/v1/chat/completions",
        &[("authorization", &authorization)],
        &body,
        "close",
    );
    let mut stream = tokio::net::TcpStream::connect(gateway.address)
        .await
        .unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut stream, text.as_bytes())
        .await
        .unwrap();
    let mut first = [0; 16];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut first)
        .await
        .unwrap();
    let quick = chat("tight", "hello", "");
    let status = async || {
        let headers = [("authorization", authorization.as_str())];
        let path = "/v1/chat/completions";
        ask(gateway.address, "POST", path, &headers, &quick)
            .await
            .status
    };
    assert_eq!(status().await, 429);
    drop(stream);
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while status().await != 200 {
        assert!(tokio::time::Instant::now() < deadline, "the permit is held");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
