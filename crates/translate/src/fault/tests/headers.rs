//! Which headers a failure and an answer keep.

use super::*;

#[test]
fn headers_pass_by_the_allow_list_under_the_clients_own_names() {
    let said = [
        ("request-id", "req_1"),
        ("anthropic-ratelimit-requests-remaining", "7"),
        ("anthropic-ratelimit-requests-reset", "2026-08-19T14:34:42Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "8"),
        ("anthropic-organization-id", "canary"),
        ("set-cookie", "canary"),
        ("location", "https://canary.example"),
        ("server", "canary"),
        ("via", "canary"),
        ("cf-ray", "canary"),
        ("x-ms-deployment-name", "canary"),
        ("azureml-model-deployment", "canary"),
        ("x-goog-user-project", "canary"),
        ("x-amzn-trace-id", "canary"),
        ("connection", "x-request-id"),
    ];
    let body = r#"{"type":"error","error":{"type":"api_error","message":"x"}}"#;
    let html = [&said[..], &[("content-type", "text/html")]].concat();
    for (headers, body) in [(&said[..], body), (&html[..], "<html>")] {
        let got = failed(
            Dialect::AnthropicMessages,
            Dialect::OpenAiChat,
            500,
            headers,
            body,
        );
        assert_eq!(got.header("x-request-id"), Some("req_1"));
        assert_eq!(got.header("x-ratelimit-remaining-requests"), Some("7"));
        assert_eq!(got.header("x-ratelimit-reset-requests"), Some("30s"));
        assert_eq!(
            got.header("anthropic-ratelimit-input-tokens-remaining"),
            Some("8")
        );
        assert!(!format!("{:?}", got.head.headers).contains("canary"));
    }
    // Its own client gets its own names.
    let same = failed(
        Dialect::AnthropicMessages,
        Dialect::AnthropicMessages,
        500,
        &said,
        body,
    );
    assert_eq!(same.header("request-id"), Some("req_1"));
    assert_eq!(
        same.header("anthropic-ratelimit-requests-remaining"),
        Some("7")
    );
    assert!(!format!("{:?}", same.head.headers).contains("canary"));
}
