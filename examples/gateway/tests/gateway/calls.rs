//! What goes through, to whom, and in what shape.

use ::http::StatusCode;
use bartizan_testkit::{MockProvider, Outcome, Script};

use crate::http::{ask, raw, request};
use crate::process::{MASTER, PROVIDER_KEY, Start, chat, config, guarded};

const PERSONAL: &str = "My card is 4111 1111 1111 1111 and I am at asha.rao@example.org, thanks.";

#[tokio::test]
async fn every_api_reaches_its_provider_masked_and_comes_back_restored() {
    let mock = MockProvider::start(Script::echo().piece(3)).await.unwrap();
    let gateway = Start::with(guarded(&mock, "")).run();
    for (path, model, upstream, fields, answer_at) in [
        (
            "/v1/chat/completions",
            "gpt",
            "/v1/chat/completions",
            "",
            "/choices/0/message/content",
        ),
        (
            "/chat/completions",
            "gpt",
            "/v1/chat/completions",
            "",
            "/choices/0/message/content",
        ),
        (
            "/v1/chat/completions",
            "claude",
            "/v1/messages",
            "",
            "/choices/0/message/content",
        ),
        (
            "/v1/responses",
            "gpt",
            "/v1/responses",
            "",
            "/output/0/content/0/text",
        ),
        (
            "/v1/messages",
            "claude",
            "/v1/messages",
            r#""max_tokens":50,"#,
            "/content/0/text",
        ),
    ] {
        for stream in [false, true] {
            mock.forget();
            let said = if path.ends_with("responses") {
                format!(r#""input":"{PERSONAL}""#)
            } else {
                format!(r#""messages":[{{"role":"user","content":"{PERSONAL}"}}]"#)
            };
            let answer = gateway
                .ask(
                    "POST",
                    path,
                    &format!(r#"{{"model":"{model}",{fields}"stream":{stream},{said}}}"#),
                )
                .await;
            assert_eq!(answer.status, 200, "{path} {model}: {answer:?}");
            if stream {
                assert_eq!(
                    answer.header("content-type").unwrap().split(';').next(),
                    Some("text/event-stream")
                );
                let text: String = answer
                    .events()
                    .iter()
                    .filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok())
                    .filter_map(|event| {
                        let delta = event
                            .pointer("/choices/0/delta/content")
                            .or(event.pointer("/delta/text"))
                            .or(event.get("delta"));
                        delta.and_then(|delta| delta.as_str().map(str::to_owned))
                    })
                    .collect();
                assert_eq!(text, PERSONAL, "{path} {model}");
            } else {
                assert_eq!(
                    answer.json().pointer(answer_at).unwrap(),
                    PERSONAL,
                    "{path} {model}"
                );
            }
            let received = mock.requests();
            assert_eq!((received.len(), received[0].path.as_str()), (1, upstream));
            let body = received[0].text();
            assert!(
                !body.contains("4111") && !body.contains("asha") && body.contains("My card is"),
                "{body}"
            );
            assert!(body.contains(r#""model":"some-model""#), "{body}");
            assert!(!format!("{:?}", received[0].headers).contains(gateway.caller().await));
        }
    }
}

#[tokio::test]
async fn embeddings_are_masked_too() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(guarded(&mock, "")).run();
    let answer = gateway
        .ask(
            "POST",
            "/embeddings",
            &format!(r#"{{"model":"gpt","input":["{PERSONAL}","x"]}}"#),
        )
        .await;
    assert_eq!(
        (
            answer.status,
            answer.json()["data"].as_array().unwrap().len()
        ),
        (200, 2)
    );
    assert_eq!(mock.requests()[0].path, "/v1/embeddings");
    assert!(!mock.requests()[0].text().contains("4111"));
}

#[tokio::test]
async fn each_provider_is_spoken_to_in_its_own_way() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let url = mock.url();
    let gateway = Start::with(format!(
        "model_list:\n\
         - {{model_name: dated, litellm_params: {{model: azure/my deploy, api_base: '{url}/x/', api_key: {PROVIDER_KEY}, api_version: '2024-10-21'}}}}\n\
         - {{model_name: v1, litellm_params: {{model: azure/four-o, api_base: '{url}', api_key: {PROVIDER_KEY}}}}}\n\
         - {{model_name: claude, litellm_params: {{model: anthropic/claude-x, api_base: '{url}', api_key: {PROVIDER_KEY}}}}}\n\
         - {{model_name: 'openai/*', litellm_params: {{model: 'openai/*', api_base: '{url}/v1', api_key: {PROVIDER_KEY}}}}}\n\
         general_settings: {{master_key: {MASTER}}}\n"
    ))
    .run();
    let both = r#""max_tokens":9,"input":"x","messages":[{"role":"user","content":"x"}]"#;
    for (path, model, upstream, query, credential, named) in [
        (
            "/v1/chat/completions",
            "dated",
            "/x/openai/deployments/my%20deploy/chat/completions",
            Some("api-version=2024-10-21"),
            "api-key",
            "my deploy",
        ),
        (
            "/v1/embeddings",
            "dated",
            "/x/openai/deployments/my%20deploy/embeddings",
            Some("api-version=2024-10-21"),
            "api-key",
            "my deploy",
        ),
        (
            "/v1/responses",
            "dated",
            "/x/openai/responses",
            Some("api-version=2024-10-21"),
            "api-key",
            "my deploy",
        ),
        (
            "/v1/chat/completions",
            "v1",
            "/openai/v1/chat/completions",
            None,
            "api-key",
            "four-o",
        ),
        (
            "/v1/responses",
            "v1",
            "/openai/v1/responses",
            None,
            "api-key",
            "four-o",
        ),
        (
            "/v1/messages",
            "claude",
            "/v1/messages",
            None,
            "x-api-key",
            "claude-x",
        ),
        (
            "/v1/chat/completions",
            "openai/org/some-model",
            "/v1/chat/completions",
            None,
            "authorization",
            "org/some-model",
        ),
    ] {
        mock.forget();
        gateway
            .ask("POST", path, &format!(r#"{{"model":"{model}",{both}}}"#))
            .await;
        let received = mock.requests();
        assert_eq!(received.len(), 1, "{path} {model}");
        let received = &received[0];
        assert_eq!(
            (received.path.as_str(), received.query.as_deref()),
            (upstream, query),
            "{path} {model}"
        );
        assert!(
            received.header(credential).unwrap().ends_with(PROVIDER_KEY),
            "{path} {model}"
        );
        assert!(
            received.text().contains(&format!(r#""model":"{named}""#)),
            "{}",
            received.text()
        );
        assert_eq!(
            received.header("anthropic-version").is_some(),
            model == "claude"
        );
    }
}

#[tokio::test]
async fn the_callers_own_version_of_anthropics_api_is_kept() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let headers = [
        ("x-api-key", gateway.caller().await),
        ("anthropic-version", "2024-01-01"),
        ("anthropic-beta", "some-beta"),
    ];
    let answer = ask(
        gateway.address,
        "POST",
        "/v1/messages",
        &headers,
        &chat("claude", "x", r#","max_tokens":9"#),
    )
    .await;
    assert_eq!(answer.status, 200);
    let received = &mock.requests()[0];
    assert_eq!(received.header("anthropic-version"), Some("2024-01-01"));
    assert_eq!(received.header("anthropic-beta"), Some("some-beta"));
    assert_eq!(received.header("x-api-key"), Some(PROVIDER_KEY));
}

#[tokio::test]
async fn what_cannot_be_done_is_said_in_the_callers_dialect() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(guarded(&mock, "")).run();
    for (path, body, status, says) in [
        (
            "/v1/chat/completions",
            chat("nobody", "x", ""),
            404,
            r#""code":"model_not_found""#,
        ),
        (
            "/v1/messages",
            chat("nobody", "x", r#","max_tokens":9"#),
            404,
            r#""type":"not_found_error""#,
        ),
        (
            "/v1/moderations",
            r#"{"model":"claude","input":"x"}"#.to_owned(),
            400,
            "can't translate openai_moderations",
        ),
        (
            "/v2/rerank",
            r#"{"model":"claude","query":"x","documents":["x"]}"#.to_owned(),
            400,
            r#""error_type":"not_translated""#,
        ),
        (
            "/v1beta/models/nobody:generateContent",
            r#"{"contents":[]}"#.to_owned(),
            404,
            r#""status":"NOT_FOUND""#,
        ),
        (
            "/v1/moderations",
            r#"{"model":"claude","input":"x"}"#.to_owned(),
            400,
            "can't translate openai_moderations",
        ),
        (
            "/v1/embeddings",
            r#"{"model":"claude","input":"x"}"#.to_owned(),
            400,
            r#""code":"not_translated""#,
        ),
        (
            "/v1/chat/completions",
            r#"{"messages":[]}"#.to_owned(),
            400,
            r#""param":"model""#,
        ),
        (
            "/v1/chat/completions",
            r#"{"model":"gpt","model":"other","messages":[]}"#.to_owned(),
            400,
            "error",
        ),
        ("/v1/chat/completions", "nothing".to_owned(), 400, "error"),
        ("/v1/chat/completions", String::new(), 400, "error"),
    ] {
        let answer = gateway.ask("POST", path, &body).await;
        assert_eq!(answer.status, status, "{path} {body}: {answer:?}");
        assert!(answer.body.contains(says), "{path} {body}: {answer:?}");
    }
    assert!(mock.requests().is_empty());
}

#[tokio::test]
async fn a_providers_failure_keeps_its_class_and_says_nothing_of_our_account() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    for (theirs, ours) in [
        (400, 400),
        (401, 502),
        (403, 403),
        (404, 404),
        (422, 422),
        (429, 429),
        (500, 500),
        (502, 502),
        (503, 503),
        (529, 503),
    ] {
        mock.play(
            Script::error(StatusCode::from_u16(theirs).unwrap())
                .header(::http::header::RETRY_AFTER, "7".parse().unwrap()),
        );
        let answer = gateway.chat("gpt", "x").await;
        assert_eq!(answer.status, ours, "{theirs}: {answer:?}");
        let json = answer.json();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(!message.is_empty());
        // What the provider says is for the caller only where the caller can mend the request by it.
        assert_eq!(
            message.contains("The mock was told"),
            [400, 422].contains(&theirs),
            "{theirs}: {message}"
        );
        if [429, 503, 529].contains(&theirs) {
            assert_eq!(answer.header("retry-after"), Some("7"), "{theirs}");
        }
        assert!(
            answer.header("set-cookie").is_none() && answer.header("openai-organization").is_none()
        );
    }
}

#[tokio::test]
async fn every_answer_has_the_request_id_that_the_record_has() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let authorization = gateway.bearer().await;
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-request-id", "mine-1"),
    ];
    let answer = ask(
        gateway.address,
        "POST",
        "/v1/chat/completions",
        &headers,
        &chat("gpt", "x", ""),
    )
    .await;
    assert_eq!(answer.header("x-request-id"), Some("mine-1"));
    let minted = gateway
        .chat("gpt", "x")
        .await
        .header("x-request-id")
        .unwrap()
        .to_owned();
    assert_eq!(minted.len(), 32);
    let folder = gateway.stop().await;
    let audit = std::fs::read_to_string(folder.path().join("bartizan-data/audit.jsonl")).unwrap();
    assert!(
        audit.contains(r#""request_id":"mine-1""#) && audit.contains(&minted),
        "{audit}"
    );
}

#[tokio::test]
async fn every_call_has_its_model_and_tokens_on_record() {
    let mock = MockProvider::start(Script::echo().usage(90, 7))
        .await
        .unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    for model in ["gpt", "claude"] {
        for fields in ["", r#","stream":true"#] {
            let body = chat(model, "x", fields);
            let answer = gateway.ask("POST", "/v1/chat/completions", &body).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
    let folder = gateway.stop().await;
    let audit = std::fs::read_to_string(folder.path().join("bartizan-data/audit.jsonl")).unwrap();
    let calls: Vec<serde_json::Value> = audit
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|record: &serde_json::Value| record["kind"] == "call")
        .filter(|record| record["path"] != "/key/generate")
        .collect();
    assert_eq!(calls.len(), 4, "{audit}");
    for call in calls {
        let tokens = &call["tokens"];
        assert_eq!(
            (&tokens["input"], &tokens["output"]),
            (&90.into(), &7.into()),
            "{call}"
        );
        assert!(
            ["gpt", "claude"].contains(&call["model"].as_str().unwrap()),
            "{call}"
        );
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "bartizan: {body_limit: 4096}")).run();
    assert_eq!(gateway.chat("gpt", &"x".repeat(3_000)).await.status, 200);
    assert_eq!(gateway.chat("gpt", &"x".repeat(5_000)).await.status, 413);
    let authorization = gateway.bearer().await;
    let chunked = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: {authorization}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n1388\r\n{}\r\n0\r\n\r\n",
        " ".repeat(5_000)
    );
    assert!(
        raw(gateway.address, chunked.as_bytes())
            .await
            .starts_with("HTTP/1.1 413")
    );
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_502() {
    let mock = MockProvider::start(Script::words(2_000)).await.unwrap();
    for (limit, status) in [(4_096, 502), (1_048_576, 200)] {
        let own = format!("bartizan: {{answer_limit: {limit}}}");
        let gateway = Start::with(config(&mock, &own)).run();
        assert_eq!(gateway.chat("gpt", "x").await.status, status);
    }
}

/// Promise 17.
#[tokio::test]
async fn a_caller_that_leaves_ends_the_providers_call() {
    let mock = MockProvider::start(
        Script::words(200)
            .pace(std::time::Duration::from_millis(50))
            .delay(std::time::Duration::from_millis(300)),
    )
    .await
    .unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    for stream in ["", r#","stream":true"#] {
        mock.forget();
        let mut socket = tokio::net::TcpStream::connect(gateway.address)
            .await
            .unwrap();
        let authorization = gateway.bearer().await;
        let text = request(
            "POST",
            "/v1/chat/completions",
            &[("authorization", &authorization)],
            &chat("gpt", "x", stream),
            "close",
        );
        tokio::io::AsyncWriteExt::write_all(&mut socket, text.as_bytes())
            .await
            .unwrap();
        mock.wait(|received| received.len() == 1).await.unwrap();
        if !stream.is_empty() {
            tokio::io::AsyncReadExt::read_exact(&mut socket, &mut [0; 64])
                .await
                .unwrap();
        }
        drop(socket);
        let left = tokio::time::Instant::now();
        mock.wait(|received| {
            received
                .iter()
                .all(|received| matches!(received.outcome, Outcome::Left { .. }))
        })
        .await
        .unwrap();
        assert!(
            left.elapsed() < std::time::Duration::from_secs(1),
            "{:?}",
            left.elapsed()
        );
    }
}

/// Nagle's algorithm with a delayed acknowledgement would hold most events back for 40 ms.
#[tokio::test]
async fn small_events_are_not_held_back() {
    let mock = MockProvider::start(Script::bench()).await.unwrap();
    let gateway = Start::with(guarded(&mock, "")).run();
    let mut times = Vec::new();
    for _ in 0..10 {
        let began = tokio::time::Instant::now();
        let answer = gateway
            .ask(
                "POST",
                "/v1/chat/completions",
                &chat("gpt", "x", r#","stream":true"#),
            )
            .await;
        assert!(answer.body.ends_with("data: [DONE]\n\n"), "{answer:?}");
        times.push(began.elapsed());
    }
    times.sort();
    assert!(times[5] < std::time::Duration::from_millis(35), "{times:?}");
}
