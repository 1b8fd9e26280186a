//! S2: where a call goes, and with whose key, is the configuration's to say.

use bartizan_testkit::{MockProvider, Script};

use crate::http::ask;
use crate::process::{MASTER, PROVIDER_KEY, Start, chat, config};

const FIELDS: [&str; 8] = [
    "api_base",
    "base_url",
    "model_list",
    "user_config",
    "fallbacks",
    "api_key",
    "extra_headers",
    "custom_llm_provider",
];

#[tokio::test]
async fn no_field_of_a_request_chooses_where_it_goes() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let trap = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let value = format!(
        r#"[{{"litellm_params":{{"api_base":"{0}/v1"}}}},"{0}/v1"]"#,
        trap.url()
    );
    for field in FIELDS {
        for path in [
            "/v1/chat/completions",
            "/v1/responses",
            "/v1/messages",
            "/v1/embeddings",
        ] {
            for body in [
                format!(
                    r#"{{"model":"gpt","input":"x","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"{field}":{value}}}"#
                ),
                format!(
                    r#"{{"model":"gpt","input":"x","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"extra_body":{{"{field}":{value}}}}}"#
                ),
                format!(
                    r#"{{"model":"gpt","input":"x","max_tokens":9,"messages":[{{"role":"user","content":"x"}}],"provider":[{{"a":{{"{field}":{value}}}}}]}}"#
                ),
            ] {
                let answer = gateway.ask("POST", path, &body).await;
                assert_eq!(answer.status, 400, "{path} {body}: {answer:?}");
                assert!(
                    answer.body.contains(field) || answer.body.contains("extra_body"),
                    "{answer:?}"
                );
            }
        }
    }
    assert_eq!((mock.requests().len(), trap.connections()), (0, 0));
}

#[tokio::test]
async fn headers_and_the_query_choose_nothing_either() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let trap = MockProvider::start(Script::echo()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let (url, authorization) = (trap.url(), gateway.bearer().await);
    let headers = [
        ("authorization", authorization.as_str()),
        ("x-litellm-api-base", &url),
        ("x-api-base", &url),
        ("openai-organization", "theirs"),
        ("x-forwarded-host", "evil.example"),
        ("cookie", "a=b"),
        ("x-forwarded-for", "192.0.2.1"),
    ];
    let path = format!("/v1/chat/completions?api_base={url}&api-version=theirs");
    let answer = ask(
        gateway.address,
        "POST",
        &path,
        &headers,
        &chat("gpt", "hello", ""),
    )
    .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(trap.connections(), 0);
    let received = &mock.requests()[0];
    assert_eq!(received.path, "/v1/chat/completions");
    assert_eq!(
        received.header("authorization").unwrap(),
        format!("Bearer {PROVIDER_KEY}")
    );
    for name in [
        "cookie",
        "x-forwarded-for",
        "x-forwarded-host",
        "openai-organization",
    ] {
        assert!(received.header(name).is_none(), "{name}");
    }
    assert_eq!(received.header("host").unwrap(), mock.address().to_string());
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_no_key_along() {
    let mock = MockProvider::start(Script::redirect()).await.unwrap();
    let gateway = Start::with(config(&mock, "")).run();
    let answer = gateway.chat("gpt", "hello").await;
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (502, "upstream_redirect")
    );
    assert!(answer.header("location").is_none());
    assert_eq!(mock.requests().len(), 1);
}

#[tokio::test]
async fn the_environments_key_stays_with_its_provider() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let url = mock.url();
    let config = format!(
        "model_list: [{{model_name: local, litellm_params: {{model: openai/some-model, api_base: '{url}/v1'}}}}]\n\
         general_settings: {{master_key: {MASTER}}}\n"
    );
    let gateway = Start::with(config)
        .env("OPENAI_API_KEY", PROVIDER_KEY)
        .run();
    assert_eq!(gateway.chat("local", "hello").await.status, 200);
    assert!(mock.requests()[0].header("authorization").is_none());
}

#[tokio::test]
async fn an_address_in_a_request_is_fetched_from_hosts_of_the_configuration_alone() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let files = MockProvider::start(Script::echo()).await.unwrap();
    let trap = MockProvider::start(Script::echo()).await.unwrap();
    let (host, other) = (files.url(), trap.url());
    let more =
        format!("bartizan: {{translate: {{fetch_urls: {{hosts: ['{host}'], always: true}}}}}}");
    for (more, url, code, connections) in [
        ("", &host, None, 0),
        (more.as_str(), &other, Some("url_not_allowed"), 0),
        // It answers, but with no image.
        (more.as_str(), &host, Some("url_not_fetched"), 1),
    ] {
        let gateway = Start::with(config(&mock, more)).run();
        let body = format!(
            r#"{{"model":"claude","messages":[{{"role":"user","content":[{{"type":"image_url","image_url":{{"url":"{url}/a.png"}}}}]}}]}}"#
        );
        let sent = mock.requests().len();
        let answer = gateway.ask("POST", "/v1/chat/completions", &body).await;
        match code {
            Some(code) => {
                assert_eq!(answer.status, 400, "{answer:?}");
                assert!(answer.body.contains(code), "{answer:?}");
                assert_eq!(mock.requests().len(), sent);
            }
            // Anthropic fetches it itself.
            None => assert_eq!(mock.requests().len(), sent + 1, "{answer:?}"),
        }
        assert_eq!((files.connections(), trap.connections()), (connections, 0));
    }
}
