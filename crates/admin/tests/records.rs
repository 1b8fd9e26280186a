//! What is recorded of changes, and what happens where that can't be done.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bartizan_admin::{ChangeLog, LogError};
use bartizan_audit::{Change, verify};
use http::StatusCode;
use serde_json::json;
use support::{Api, MASTER};

#[tokio::test]
async fn each_change_is_in_the_chain_with_who_what_before_and_after() {
    let api = Api::new().await;
    let (key, key_id) = api
        .mint(r#"{"user_id":"robin","max_budget":0.1,"metadata":{"note":"canary-metadata"}}"#)
        .await;
    let update = json!({"key": key_id, "max_budget": 0.3, "metadata": {"note": "canary-other"}});
    api.must(MASTER, "/key/update", &update.to_string()).await;
    let refused = api
        .post(&key, "/key/block", &json!({"key": key_id}).to_string())
        .await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let missing = api
        .post(MASTER, "/key/block", r#"{"key":"key_none"}"#)
        .await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    api.must(
        MASTER,
        "/user/new",
        r#"{"user_id":"kim","user_email":"canary@example.com"}"#,
    )
    .await;

    let changes = api.changes();
    let told: Vec<(&str, &str)> = changes
        .iter()
        .map(|record| {
            (
                record["action"].as_str().unwrap(),
                record["stage"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("generate_key", "intended"),
            ("generate_key", "made"),
            ("update_key", "intended"),
            ("update_key", "made"),
            ("block_key", "refused"),
            ("block_key", "intended"),
            ("block_key", "refused"),
            ("create_user", "intended"),
            ("create_user", "made"),
        ]
    );
    let updated = &changes[3];
    assert_eq!(updated["change"], changes[2]["change"]);
    assert_eq!(updated["targets"], json!([key_id]));
    assert_eq!(updated["who"]["key_id"], "master_key");
    assert_eq!(updated["who"]["role"], "proxy_admin");
    assert_eq!(updated["before"]["max_budget"], 0.1);
    assert_eq!(updated["after"]["max_budget"], 0.3);
    assert!(
        updated["before"].get("user_id").is_none(),
        "it is the same after"
    );
    assert_ne!(
        updated["before"]["metadata"]["note"],
        updated["after"]["metadata"]["note"]
    );
    assert_eq!(changes[4]["who"]["key_id"], key_id.as_str());
    assert_eq!(changes[4]["code"], "not_allowed");
    assert_eq!(changes[6]["code"], "key_not_found");
    assert!(
        changes[8]["after"]["user_email"]
            .as_str()
            .unwrap()
            .starts_with("sha256:")
    );

    let text = std::fs::read_to_string(api.audit()).unwrap();
    for hidden in ["canary", "digest", "sk-"] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    let verified = verify(api.audit(), Some(&api.chain_key()), None).unwrap();
    assert_eq!(verified.records, 10);
    std::fs::write(api.audit(), text.replacen("update_key", "revoke_key", 1)).unwrap();
    assert!(verify(api.audit(), Some(&api.chain_key()), None).is_err());
}

/// Takes so many records, and then none.
#[derive(Clone)]
struct Fails(Arc<AtomicUsize>);

impl ChangeLog for Fails {
    fn now(&self) -> Duration {
        Duration::ZERO
    }

    async fn record(&self, _: Change) -> Result<(), LogError> {
        let left = self
            .0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
                left.checked_sub(1)
            });
        left.map(drop).map_err(|_| LogError("full".into()))
    }
}

#[tokio::test]
async fn where_a_change_can_not_be_recorded_it_is_not_made() {
    let left = Arc::new(AtomicUsize::new(2));
    let api = Api::with_log(tempfile::tempdir().unwrap(), Fails(Arc::clone(&left)));
    let (_, key_id) = api.mint("{}").await;
    let block = json!({"key": key_id}).to_string();
    let blocked = async || {
        let info = api.get(MASTER, &format!("/key/info?key={key_id}")).await;
        info.json()["info"]["blocked"].clone()
    };

    let told = api.post(MASTER, "/key/block", &block).await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.code(), "audit_unavailable");
    assert!(told.head.contains_key("retry-after"));
    assert_eq!(blocked().await, false);
    let told = api.post(MASTER, "/key/generate", "{}").await;
    assert_eq!(told.code(), "audit_unavailable");
    let listed = api.get(MASTER, "/key/list").await.json();
    assert_eq!(listed["keys"].as_array().unwrap().len(), 1);

    // The intent is recorded, and how it went is not: nobody is told that it went well.
    left.store(1, Ordering::SeqCst);
    let told = api.post(MASTER, "/key/block", &block).await;
    assert_eq!(told.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(told.code(), "audit_outcome_unavailable");
    assert!(!told.head.contains_key("retry-after"));
    assert_eq!(blocked().await, true);
}
