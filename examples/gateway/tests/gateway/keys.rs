//! The life of a key over the wire.

use bartizan_testkit::{MockProvider, Script};

use crate::http::ask;
use crate::process::{Start, config};

#[tokio::test]
async fn a_key_is_made_used_shown_and_taken_back() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let made = gateway
        .ask("POST", "/key/generate", r#"{"key_alias":"one","models":["gpt"],"rpm_limit":7,"team_id":"t","user_id":"u","metadata":{"a":"b"},"tags":["x"],"duration":"1d"}"#)
        .await;
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(made.header("cache-control"), Some("no-store"));
    let made = made.json();
    let (key, key_id) = (
        made["key"].as_str().unwrap(),
        made["key_id"].as_str().unwrap(),
    );
    assert!(
        key.starts_with("sk-bz-")
            && made["status"] == "active"
            && made["user_role"] == "internal_user"
    );

    assert_eq!(
        gateway
            .ask_as(
                key,
                "POST",
                "/v1/chat/completions",
                &crate::process::chat("gpt", "x", "")
            )
            .await
            .status,
        200
    );
    assert_eq!(
        gateway
            .ask_as(
                key,
                "POST",
                "/v1/chat/completions",
                &crate::process::chat("other", "x", "")
            )
            .await
            .status,
        403
    );

    for (by, path) in [
        (key, "/key/info".to_owned()),
        (crate::process::MASTER, format!("/key/info?key_id={key_id}")),
        (crate::process::MASTER, format!("/key/info?key={key_id}")),
    ] {
        let shown = gateway.ask_as(by, "GET", &path, "").await;
        assert_eq!(shown.status, 200, "{path}: {shown:?}");
        let shown = shown.json();
        assert_eq!(
            (
                &shown["key"],
                &shown["info"]["rpm_limit"],
                &shown["info"]["models"][0]
            ),
            (&made["key_id"], &7.into(), &"gpt".into())
        );
        assert!(!shown.to_string().contains("sk-"), "a key is shown again");
    }

    let other = gateway.key("{}").await;
    assert_eq!(
        gateway
            .ask_as(&other, "GET", &format!("/key/info?key_id={key_id}"), "")
            .await
            .status,
        404,
        "somebody else's"
    );

    let gone = gateway
        .ask(
            "POST",
            "/key/delete",
            &format!(r#"{{"keys":["{key_id}"]}}"#),
        )
        .await;
    assert_eq!(
        (gone.status, gone.json()["deleted_keys"][0].as_str()),
        (200, Some(key_id))
    );
    assert_eq!(
        gateway
            .ask_as(
                key,
                "POST",
                "/v1/chat/completions",
                &crate::process::chat("gpt", "x", "")
            )
            .await
            .status,
        401
    );
    let by_key = gateway
        .ask("POST", "/key/delete", &format!(r#"{{"keys":["{other}"]}}"#))
        .await;
    assert_eq!(by_key.status, 200, "{by_key:?}");
    assert!(!by_key.body.contains(&other));
}

/// S9.
#[tokio::test]
async fn a_key_has_no_place_in_a_url() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let key = gateway.key("{}").await;
    for query in [
        format!("key={key}"),
        format!("key_id={key}"),
        format!("key={}", key.replace('-', "%2D")),
        format!("key={}", key.replace('s', "%73")),
    ] {
        let answer = gateway.ask("GET", &format!("/key/info?{query}"), "").await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.contains("no place in a URL") && !answer.body.contains(&key));
    }
}

#[tokio::test]
async fn wishes_that_would_not_be_kept_are_refused() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    for (body, says) in [
        (r#"{"max_budget":10}"#, "`max_budget` is LiteLLM's"),
        (r#"{"rpm":10}"#, "not known here"),
        (r#"{"rpm_limit":0}"#, "at least 1"),
        (
            r#"{"rpm_limit":"canary"}"#,
            "not the JSON that belongs here",
        ),
        (r#"{"duration":"soon"}"#, "such as 30d"),
        (r#"{"user_role":"king"}"#, "proxy_admin"),
        (r#"{"key":"sk-canary"}"#, "`key` is LiteLLM's"),
        (r#"{"key_alias":"a","key_alias":"b"}"#, "not the JSON"),
        ("[]", "not the JSON"),
    ] {
        let answer = gateway.ask("POST", "/key/generate", body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert!(
            answer.body.contains(says) && !answer.body.contains("canary"),
            "{body}: {answer:?}"
        );
    }
    gateway.key(r#"{"key_alias":"taken"}"#).await;
    assert_eq!(
        gateway
            .ask("POST", "/key/generate", r#"{"key_alias":"taken"}"#)
            .await
            .status,
        400
    );
    for body in [
        r#"{"keys":[]}"#,
        "{}",
        r#"{"keys":["nobody"]}"#,
        r#"{"key_aliases":["nobody"]}"#,
    ] {
        let status = gateway.ask("POST", "/key/delete", body).await.status;
        assert!(status == 400 || status == 404, "{body}: {status}");
    }
    let all = gateway
        .ask("POST", "/key/delete", r#"{"key_aliases":["taken"]}"#)
        .await;
    assert_eq!(all.status, 200, "{all:?}");
}

#[tokio::test]
async fn a_limit_is_told_with_when_to_come_back() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let key = gateway.key(r#"{"rpm_limit":2}"#).await;
    let body = crate::process::chat("gpt", "x", "");
    for left in ["1", "0"] {
        let answer = gateway
            .ask_as(&key, "POST", "/v1/chat/completions", &body)
            .await;
        assert_eq!(
            (
                answer.status,
                answer.header("x-ratelimit-remaining-requests")
            ),
            (200, Some(left))
        );
    }
    let refused = gateway
        .ask_as(&key, "POST", "/v1/chat/completions", &body)
        .await;
    assert_eq!(refused.status, 429);
    assert!(
        (1..=60).contains(
            &refused
                .header("retry-after")
                .unwrap()
                .parse::<u32>()
                .unwrap()
        )
    );
    assert_eq!(mock.requests().len(), 2);
}

#[tokio::test]
async fn a_models_own_limit_binds_all_keys_together() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let limited = config(&mock, "").replacen("api_key:", "rpm: 2, api_key:", 1);
    let gateway = Start::with(limited).run();
    let body = crate::process::chat("gpt", "x", "");
    for expected in [200, 200, 429] {
        let key = gateway.key("{}").await;
        assert_eq!(
            gateway
                .ask_as(&key, "POST", "/v1/chat/completions", &body)
                .await
                .status,
            expected
        );
    }
    assert_eq!(gateway.chat("other", "x").await.status, 200);
}

#[tokio::test]
async fn keys_outlive_the_process_and_the_database_holds_none() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let key = gateway.key("{}").await;
    let folder = gateway.stop().await;
    let database = std::fs::read(folder.path().join("bartizan-data/bartizan.db")).unwrap();
    assert!(
        !database
            .windows(key.len())
            .any(|piece| piece == key.as_bytes())
    );
    let gateway = Start::with(config(&mock, "")).run_in(folder);
    let headers = [("x-api-key", key.as_str())];
    let answer = ask(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &headers,
        &crate::process::chat("gpt", "x", ""),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}
