//! What the routes of keys promise.

mod support;

use http::StatusCode;
use serde_json::json;
use support::{Api, MASTER};

#[tokio::test]
async fn the_documented_request_mints_a_key_without_a_type_that_says_json() {
    let api = Api::new().await;
    let told = api
        .post(
            MASTER,
            "/key/generate",
            r#"{"models":["gpt-4","claude-3"],"metadata":{"team":"finance-india"},"max_budget":5000,"budget_duration":"30d"}"#,
        )
        .await;
    assert_eq!(told.status, StatusCode::OK, "{}", told.text);
    assert_eq!(told.head["cache-control"], "no-store");
    assert!(told.text.contains(r#""max_budget":5000,"#), "{}", told.text);
    let minted = told.json();
    assert_eq!(minted["models"], json!(["gpt-4", "claude-3"]));
    assert_eq!(minted["metadata"], json!({"team": "finance-india"}));
    assert_eq!(minted["budget_duration"], "30d");
    let key = minted["key"].as_str().unwrap();
    let info = api.get(key, "/key/info").await.json();
    assert_eq!(info["key"], minted["key_id"]);
    assert!(info["info"].get("key").is_none());
    api.assert_no_key_leaked();
}
