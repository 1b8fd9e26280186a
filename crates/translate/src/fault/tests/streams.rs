//! Failures within a stream, which have a name and no status.

use super::*;

#[test]
fn errors_in_the_middle_of_a_stream_are_known_by_name() {
    for (dialect, event, kind, code) in [
        (
            Dialect::OpenAiChat,
            r#"{"error":{"message":"canary","type":"server_error","code":null}}"#,
            RefusalKind::Upstream,
            "upstream_error",
        ),
        (
            Dialect::OpenAiChat,
            r#"{"id":"c","choices":[],"x_groq":{"id":"r","error":"canary"}}"#,
            RefusalKind::Upstream,
            "upstream_error",
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"canary"}}"#,
            RefusalKind::Overloaded,
            "upstream_overloaded",
        ),
        (
            Dialect::AnthropicMessages,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: canary"}}"#,
            RefusalKind::BadRequest,
            "context_length_exceeded",
        ),
        (
            Dialect::OpenAiResponses,
            r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"rate_limit_exceeded","message":"canary"}}}"#,
            RefusalKind::RateLimited,
            "rate_limit_exceeded",
        ),
        (
            Dialect::Gemini,
            r#"{"error":{"code":503,"message":"canary","status":"UNAVAILABLE"}}"#,
            RefusalKind::Unavailable,
            "upstream_overloaded",
        ),
        (
            Dialect::BedrockConverse,
            r#"{"throttlingException":{"message":"canary"}}"#,
            RefusalKind::RateLimited,
            "upstream_rate_limit",
        ),
        (
            Dialect::BedrockConverse,
            r#"{"modelStreamErrorException":{"message":"canary","originalStatusCode":500}}"#,
            RefusalKind::Upstream,
            "upstream_error",
        ),
        (
            Dialect::BedrockConverse,
            r#"{"serviceUnavailableException":{"message":"canary"}}"#,
            RefusalKind::Unavailable,
            "upstream_overloaded",
        ),
        (
            Dialect::BedrockConverse,
            r#"{"validationException":{"message":"canary"}}"#,
            RefusalKind::BadRequest,
            "upstream_invalid_request",
        ),
        (
            Dialect::CohereChat,
            r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"canary"}}"#,
            RefusalKind::Upstream,
            "upstream_error",
        ),
        (
            Dialect::OllamaChat,
            r#"{"error":"canary"}"#,
            RefusalKind::Upstream,
            "upstream_error",
        ),
    ] {
        let event = Document::read(event, dialect, Direction::Event).unwrap();
        assert!(event.facts().error);
        let refusal = read(&event);
        assert_eq!(
            (refusal.kind(), refusal.code()),
            (kind, code),
            "{}",
            event.as_str()
        );
        assert_eq!(
            refusal.message().contains("canary"),
            kind == RefusalKind::BadRequest
        );
    }
}
