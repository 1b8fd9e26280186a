//! S4 and S11: every route, with every kind of caller.

use bartizan_testkit::{MockProvider, Script};

use crate::http::ask;
use crate::process::{Gateway, MASTER, Start, chat, config, guarded};

/// Route, body, and what comes back to: nobody, a stranger's key, a key, a key for another model, an admin's key, the master key.
const EXPECTED: &[(&str, &str, &str, [u16; 6])] = &[
    (
        "POST",
        "/v1/chat/completions",
        "chat",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/chat/completions",
        "chat",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/responses",
        "input",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/responses",
        "input",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/embeddings",
        "input",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/embeddings",
        "input",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/messages",
        "messages",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/messages",
        "messages",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/messages/count_tokens",
        "messages",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/completions",
        "prompt",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/completions",
        "prompt",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/moderations",
        "input",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/moderations",
        "input",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/rerank",
        "rerank",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v2/rerank",
        "rerank",
        [401, 401, 200, 403, 200, 403],
    ),
    ("POST", "/rerank", "rerank", [401, 401, 200, 403, 200, 403]),
    (
        "POST",
        "/v1beta/models/gpt:generateContent",
        "contents",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1/models/gpt:generateContent",
        "contents",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1beta/models/gpt:streamGenerateContent?alt=sse",
        "contents",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1beta/models/gpt:streamGenerateContent",
        "contents",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1beta/models/claude:countTokens",
        "contents",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1beta/models/gpt:embedContent",
        "content",
        [401, 401, 200, 403, 200, 403],
    ),
    (
        "POST",
        "/v1beta/models/nobody:generateContent",
        "contents",
        [401, 401, 404, 403, 404, 403],
    ),
    ("GET", "/v1beta/models", "", [401, 401, 200, 200, 200, 200]),
    (
        "GET",
        "/v1beta/models/gpt",
        "",
        [401, 401, 200, 404, 200, 200],
    ),
    ("GET", "/v1/models", "", [401, 401, 200, 200, 200, 200]),
    ("GET", "/models", "", [401, 401, 200, 200, 200, 200]),
    ("GET", "/v1/models/gpt", "", [401, 401, 200, 404, 200, 200]),
    ("GET", "/models/gpt", "", [401, 401, 200, 404, 200, 200]),
    (
        "GET",
        "/v1/models/nobody",
        "",
        [401, 401, 404, 404, 404, 404],
    ),
    (
        "POST",
        "/key/generate",
        "{}",
        [401, 401, 200, 200, 200, 200],
    ),
    ("GET", "/key/info", "", [401, 401, 200, 200, 200, 404]),
    (
        "POST",
        "/key/delete",
        r#"{"keys":["nobody"]}"#,
        [401, 401, 404, 404, 404, 404],
    ),
    ("POST", "/user/new", "{}", [401, 401, 403, 403, 200, 200]),
    ("POST", "/team/new", "{}", [401, 401, 403, 403, 200, 200]),
    ("GET", "/user/list", "", [401, 401, 200, 200, 200, 200]),
    ("GET", "/openapi.json", "", [401, 401, 200, 200, 200, 200]),
    ("GET", "/health/liveliness", "", [200; 6]),
    ("GET", "/health/liveness", "", [200; 6]),
    ("GET", "/health/readiness", "", [200; 6]),
    ("GET", "/", "", [404; 6]),
    ("GET", "/metrics", "", [404; 6]),
    ("GET", "/health", "", [404; 6]),
    ("POST", "/config/update", "{}", [404; 6]),
    ("POST", "/v1/images/generations", "{}", [404; 6]),
    (
        "POST",
        "/v1beta/models/gpt:batchGenerateContent",
        "{}",
        [405; 6],
    ),
    ("POST", "/v1beta/cachedContents", "{}", [404; 6]),
    ("POST", "//v1/chat/completions", "chat", [404; 6]),
    ("POST", "/v1/chat/completions/", "chat", [404; 6]),
    ("POST", "/v1/chat/../key/generate", "{}", [404; 6]),
    ("POST", "/key%2Fgenerate", "{}", [404; 6]),
    ("POST", "/key/generate;x", "{}", [404; 6]),
    ("POST", "/KEY/generate", "{}", [404; 6]),
];

fn body(name: &str) -> String {
    match name {
        "chat" => chat("gpt", "x", ""),
        "messages" => chat("claude", "x", r#","max_tokens":9"#),
        "input" => r#"{"model":"gpt","input":"x"}"#.to_owned(),
        "prompt" => r#"{"model":"gpt","prompt":"x"}"#.to_owned(),
        "rerank" => r#"{"model":"gpt","query":"x","documents":["y"]}"#.to_owned(),
        "contents" => r#"{"contents":[{"role":"user","parts":[{"text":"x"}]}]}"#.to_owned(),
        "content" => r#"{"content":{"parts":[{"text":"x"}]}}"#.to_owned(),
        other => other.to_owned(),
    }
}

async fn status(
    gateway: &Gateway,
    key: Option<&str>,
    method: &str,
    path: &str,
    body: &str,
    more: &[(&str, &str)],
) -> u16 {
    let authorization = key.map(|key| format!("Bearer {key}")).unwrap_or_default();
    let mut headers = more.to_vec();
    if key.is_some() {
        headers.push(("authorization", &authorization));
    }
    let answer = ask(gateway.address, method, path, &headers, body).await;
    if answer.status >= 400 {
        // A stream of Google's without `alt=sse` is an array, and so is what refuses it.
        let said = answer.json();
        let said = said.get(0).unwrap_or(&said);
        assert!(
            !said["error"].is_null() || said["message"].is_string(),
            "{method} {path}: no error's shape: {answer:?}"
        );
        assert!(
            answer.header("x-should-retry").is_some() || answer.header("retry-after").is_some(),
            "{method} {path}: {answer:?}"
        );
    }
    answer.status
}

#[tokio::test]
async fn every_route_opens_to_whom_it_should_and_nobody_else() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(guarded(&mock, "")).run();
    let caller = gateway.key("{}").await;
    let elsewhere = gateway.key(r#"{"models":["another"]}"#).await;
    let admin = gateway.key(r#"{"user_role":"proxy_admin"}"#).await;
    // One character is another, whichever stands there.
    let other = if caller.as_bytes()[20] == b'A' {
        'B'
    } else {
        'A'
    };
    let stranger = format!("{}{other}{}", &caller[..20], &caller[21..]);
    let callers = [
        None,
        Some(stranger.as_str()),
        Some(&caller),
        Some(&elsewhere),
        Some(&admin),
        Some(MASTER),
    ];
    let mut wrong = Vec::new();
    for (method, path, name, expected) in EXPECTED {
        for (caller, expected) in callers.iter().zip(expected) {
            let found = status(&gateway, *caller, method, path, &body(name), &[]).await;
            if found != *expected {
                wrong.push(format!("{method} {path} by {caller:?}: {found}"));
            }
        }
        // What a proxy in front may add or a caller forge changes nothing.
        for forged in [
            ("host", "localhost"),
            ("x-original-url", "/health/readiness"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-rewrite-url", "/health/liveliness"),
        ] {
            let found = status(&gateway, None, method, path, &body(name), &[forged]).await;
            assert_eq!(found, expected[0], "{method} {path} with {forged:?}");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn another_method_is_405_and_says_which_one_there_is() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    for (path, allowed) in [
        ("/v1/chat/completions", "POST"),
        ("/v1/models", "GET"),
        ("/key/generate", "POST"),
        ("/health/readiness", "GET"),
    ] {
        for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            if method != allowed {
                let answer = gateway.ask(method, path, "").await;
                assert_eq!(
                    (answer.status, answer.header("allow")),
                    (405, Some(allowed)),
                    "{method} {path}"
                );
            }
        }
    }
}

#[tokio::test]
async fn models_are_those_that_the_key_may_call() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let names = |answer: crate::http::Answer| -> Vec<String> {
        answer.json()["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|model| model["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names(gateway.ask("GET", "/v1/models", "").await),
        ["claude", "gpt", "other"]
    );
    let key = gateway.key(r#"{"models":["g*","claude"]}"#).await;
    assert_eq!(
        names(gateway.ask_as(&key, "GET", "/v1/models", "").await),
        ["claude", "gpt"]
    );
}

#[tokio::test]
async fn readiness_says_one_word() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    for path in ["/health/readiness", "/health/liveliness"] {
        let answer = ask(gateway.address, "GET", path, &[], "").await;
        assert_eq!((answer.status, answer.body.as_str()), (200, "ok"));
    }
}

/// S1, at the door.
#[tokio::test]
async fn odd_bearers_are_just_unknown() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let long = "x".repeat(20_000);
    for bearer in [
        "' OR '1'='1",
        "sk-1234",
        "",
        long.as_str(),
        "sk-bz-'; DROP TABLE keys; --",
        "sk-\u{e9}",
        "null",
        "undefined",
    ] {
        let authorization = format!("Bearer {bearer}");
        let answer = ask(
            gateway.address,
            "POST",
            "/v1/chat/completions",
            &[("authorization", &authorization)],
            &chat("gpt", "x", ""),
        )
        .await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(bearer.len() < 10 || !answer.body.contains(bearer));
    }
    let both = [("authorization", "Bearer one"), ("x-api-key", "two")];
    assert_eq!(
        ask(
            gateway.address,
            "POST",
            "/v1/chat/completions",
            &both,
            &chat("gpt", "x", "")
        )
        .await
        .status,
        401
    );
    assert!(mock.requests().is_empty());
}
