//! The life of a key over the wire.

use bartizan_testkit::{MockProvider, Script};

use crate::http::ask;
use crate::process::{MASTER, Start, config, guarded};

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
        (MASTER, format!("/key/info?key_id={key_id}")),
        (MASTER, format!("/key/info?key={key_id}")),
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
        (r#"{"rpm":10}"#, "rpm"),
        (r#"{"rpm_limit":0}"#, "rpm_limit"),
        (r#"{"rpm_limit":"canary"}"#, "rpm_limit"),
        (r#"{"duration":"soon"}"#, "duration"),
        (r#"{"user_role":"king"}"#, "user_role"),
        (r#"{"key_alias":"a","key_alias":"b"}"#, "twice"),
        ("[]", ""),
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

/// A newcomer's first line, as it is written everywhere: no content type but curl's own.
#[tokio::test]
async fn a_budgeted_key_is_made_by_one_line_of_curl() {
    let gateway = Start::bare().env("BARTIZAN_MASTER_KEY", MASTER).run();
    let authorization = format!("Bearer {MASTER}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    let body = r#"{"models":["gpt-4","claude-3"],"metadata":{"team":"finance-india"},"max_budget":5000,"budget_duration":"30d"}"#;
    let made = ask(gateway.address, "POST", "/key/generate", &headers, body).await;
    assert_eq!(made.status, 200, "{made:?}");
    let said = made.json();
    assert!(said["key"].as_str().unwrap().starts_with("sk-bz-"));
    assert_eq!(
        (&said["max_budget"], &said["models"][1]),
        (&5000.into(), &"claude-3".into())
    );
    assert!(
        gateway.stdout().contains("/key/generate"),
        "{}",
        gateway.stdout()
    );
    let audit = std::fs::read_to_string(gateway.path("bartizan-data/audit.jsonl")).unwrap();
    assert!(audit.contains("master_key") && !audit.contains(said["key"].as_str().unwrap()));
}

/// Where management is: beside models on loopback, on a listener of its own, or where it is told to be.
#[tokio::test]
async fn management_is_on_no_public_listener_unless_told() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let own = free.local_addr().unwrap();
    drop(free);
    let authorization = format!("Bearer {MASTER}");
    let headers = [("authorization", authorization.as_str())];
    let mint = async |port: u16| {
        let address = ([127, 0, 0, 1], port).into();
        ask(address, "POST", "/key/generate", &headers, "{}")
            .await
            .status
    };
    for (words, main, beside) in [
        ("", 200, None),
        (
            "listen: '0.0.0.0:0', allow_plaintext_on_network: true",
            404,
            None,
        ),
        (
            "listen: '0.0.0.0:0', allow_plaintext_on_network: true, admin: {on_public_listener: true}",
            200,
            None,
        ),
        (
            "listen: '0.0.0.0:0', allow_plaintext_on_network: true, admin: {listen: OWN}",
            404,
            Some(200),
        ),
        ("admin: {listen: OWN}", 404, Some(200)),
    ] {
        let words = words.replace("OWN", &format!("'{own}'"));
        let gateway = Start::with(config(&mock, &format!("bartizan: {{{words}}}"))).run();
        assert_eq!(mint(gateway.address.port()).await, main, "{words}");
        if let Some(expected) = beside {
            assert_eq!(mint(own.port()).await, expected, "{words}");
            let models = ask(own, "GET", "/v1/models", &headers, "").await;
            assert_eq!(models.status, 404);
        }
        assert_eq!(
            gateway.stderr().contains("on_public_listener"),
            words.contains("on_public")
        );
    }
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
        (1..=61).contains(
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

#[tokio::test]
async fn a_key_asks_for_guardrails_that_are_configured_alone() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let guardrails = "guardrails:\n  - guardrail_name: personal data\n    litellm_params: {guardrail: bartizan_pii, mode: pre_call, default_on: true}\n";
    let gateway = Start::with(guarded(&mock, guardrails)).run();
    for (body, status) in [
        (r#"{"guardrails":["personal data"]}"#, 200),
        (r#"{"guardrails":["personal dada"]}"#, 400),
        (r#"{"guardrails":["personal data","another"]}"#, 400),
    ] {
        let answer = gateway.ask("POST", "/key/generate", body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        if status == 400 {
            assert_eq!(answer.json()["error"]["param"], "guardrails", "{body}");
        }
    }
}

/// LiteLLM's access groups.
#[tokio::test]
async fn a_key_of_an_access_group_calls_the_models_that_are_in_it_now() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let grouped = |models: &[&str]| {
        models.iter().fold(config(&mock, ""), |file, model| {
            let name = format!("{{model_name: {model}, ");
            file.replace(
                &name,
                &format!("{name}model_info: {{access_groups: [fast]}}, "),
            )
        })
    };
    let gateway = Start::with(grouped(&["gpt", "claude"])).run();
    let key = gateway.key(r#"{"models":["fast"]}"#).await;
    let call = async |gateway: &crate::process::Gateway, model: &str| {
        let body = crate::process::chat(model, "x", r#","max_tokens":9"#);
        gateway
            .ask_as(&key, "POST", "/v1/chat/completions", &body)
            .await
            .status
    };
    for (model, status) in [("gpt", 200), ("claude", 200), ("other", 403), ("fast", 403)] {
        assert_eq!(call(&gateway, model).await, status, "{model}");
    }
    let listed = gateway.ask_as(&key, "GET", "/v1/models", "").await.json();
    let listed: Vec<_> = listed["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["id"].clone())
        .collect();
    assert_eq!(listed, ["claude", "gpt"]);
    let folder = gateway.stop().await;
    let gateway = Start::with(grouped(&["other"])).run_in(folder);
    for (model, status) in [("gpt", 403), ("other", 200)] {
        assert_eq!(call(&gateway, model).await, status, "{model}");
    }
    // A group that is gone opens nothing.
    let folder = gateway.stop().await;
    let gateway = Start::with(config(&mock, "")).run_in(folder);
    for (model, status) in [("gpt", 403), ("other", 403), ("fast", 404)] {
        assert_eq!(call(&gateway, model).await, status, "{model}");
    }
}
