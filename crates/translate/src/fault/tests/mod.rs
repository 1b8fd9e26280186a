//! The table, row by row, from each provider to each client.

use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Body, Dialect, Direction, ManualClock, RefusalKind};
use http::Response;
use http::response::Parts;
use serde_json::Value;

use super::*;
use crate::head::{Head, Stands};

mod documents;
mod headers;
mod recorded;
mod streams;

/// 2026-08-19T14:34:12Z.
const NOW: u64 = 1_787_150_052;

const CLIENTS: [Dialect; 6] = [
    Dialect::OpenAiChat,
    Dialect::AnthropicMessages,
    Dialect::Gemini,
    Dialect::BedrockConverse,
    Dialect::CohereChat,
    Dialect::OllamaChat,
];

/// What a client gets of a failure.
struct Got {
    head: Parts,
    body: Value,
}

impl Got {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }
}

fn failed(
    inner: Dialect,
    outer: Dialect,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
) -> Got {
    let json = headers.iter().all(|(name, _)| *name != "content-type");
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    if json {
        answer = answer.header("content-type", "application/json");
    }
    let (mut head, ()) = answer.body(()).unwrap().into_parts();
    let clock = ManualClock::at(Duration::from_secs(NOW));
    let mut seen = Head::new(inner, outer, Arc::new(clock));
    match seen.see(&mut head) {
        Ok(stands) => {
            assert_eq!(stands, Stands::Failed);
            let document = Document::read(body, inner, Direction::Reply).unwrap();
            let told = seen.reply(&document).unwrap().unwrap();
            assert!(told.facts().error, "{}", told.as_str());
            seen.replied(&mut head);
            let body = serde_json::from_str(told.as_str()).unwrap();
            Got { head, body }
        }
        Err(refusal) => {
            let (head, _): (Parts, Body) = refusal.render(outer).into_parts();
            let body = serde_json::from_str(&refusal.body(outer)).unwrap();
            Got { head, body }
        }
    }
}

/// What the client is told of trying again: `retry-after` and `x-should-retry`.
type Told = (Option<&'static str>, Option<&'static str>);

const NEVER: Told = (None, Some("false"));
const HABIT: Told = (None, None);

#[test]
fn each_providers_failures_have_their_kind_their_code_and_their_guidance() {
    use Dialect::{
        AnthropicMessages as Anthropic, BedrockConverse as Bedrock, CohereChat as Cohere, Gemini,
        OllamaChat as Ollama, OpenAiChat as OpenAi,
    };
    type Row = (
        Dialect,
        u16,
        &'static [(&'static str, &'static str)],
        &'static str,
        u16,
        &'static str,
        &'static str,
        Told,
    );
    let table: &[Row] = &[
        // OpenAI, Azure, and those like them.
        (
            OpenAi,
            400,
            &[],
            r#"{"error":{"message":"canary","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#,
            400,
            "unsupported_parameter",
            "invalid_request_error",
            HABIT,
        ),
        (
            OpenAi,
            401,
            &[],
            r#"{"error":{"message":"Incorrect API key provided: canary","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            401,
            "invalid_api_key",
            "authentication_error",
            HABIT,
        ),
        (
            OpenAi,
            402,
            &[],
            r#"{"error":{"message":"canary","type":"unknown_error","code":"invalid_request_error"}}"#,
            402,
            "upstream_permission",
            "permission_error",
            NEVER,
        ),
        (
            OpenAi,
            404,
            &[],
            r#"{"error":{"message":"canary","code":"model_not_found"}}"#,
            404,
            "model_not_found",
            "invalid_request_error",
            HABIT,
        ),
        (
            OpenAi,
            409,
            &[],
            r#"{"error":{"message":"canary"}}"#,
            409,
            "upstream_invalid_request",
            "invalid_request_error",
            HABIT,
        ),
        (
            OpenAi,
            422,
            &[],
            r#"{"detail":[{"loc":["body","x"],"msg":"canary","type":"extra_forbidden"}]}"#,
            422,
            "upstream_invalid_request",
            "invalid_request_error",
            HABIT,
        ),
        (
            OpenAi,
            429,
            &[("retry-after", "7"), ("retry-after-ms", "6500")],
            r#"{"error":{"message":"canary","type":"tokens","code":"rate_limit_exceeded"}}"#,
            429,
            "rate_limit_exceeded",
            "rate_limit_error",
            (Some("7"), None),
        ),
        (
            OpenAi,
            429,
            &[],
            r#"{"error":{"message":"canary","type":"requests","code":"rate_limit_exceeded"}}"#,
            429,
            "rate_limit_exceeded",
            "rate_limit_error",
            HABIT,
        ),
        (
            OpenAi,
            429,
            &[],
            r#"{"error":{"message":"canary","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            429,
            "insufficient_quota",
            "insufficient_quota",
            NEVER,
        ),
        (
            OpenAi,
            429,
            &[("retry-after", "60")],
            r#"{"error":{"message":"canary","code":"insufficient_quota"}}"#,
            429,
            "insufficient_quota",
            "insufficient_quota",
            (Some("60"), None),
        ),
        (
            OpenAi,
            503,
            &[("x-should-retry", "true")],
            r#"{"error":{"message":"canary","type":"server_error"}}"#,
            503,
            "upstream_overloaded",
            "server_error",
            (None, Some("true")),
        ),
        // Servers compatible with it.
        (
            OpenAi,
            400,
            &[],
            r#"{"object":"error","message":"canary","type":"BadRequestError","param":null,"code":400}"#,
            400,
            "upstream_invalid_request",
            "invalid_request_error",
            HABIT,
        ),
        (
            OpenAi,
            429,
            &[],
            r#"{"object":"error","message":"canary","type":"rate_limited","param":null,"code":"1300"}"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            HABIT,
        ),
        (
            OpenAi,
            401,
            &[],
            r#"{"detail":"canary"}"#,
            401,
            "upstream_authentication",
            "authentication_error",
            HABIT,
        ),
        (
            OpenAi,
            503,
            &[],
            r#"{"error":"canary","error_type":"overloaded","estimated_time":20.0}"#,
            503,
            "upstream_overloaded",
            "server_error",
            (Some("20"), None),
        ),
        (
            OpenAi,
            400,
            &[],
            r#"{"code":"invalid-argument","error":"canary"}"#,
            400,
            "upstream_invalid_request",
            "invalid_request_error",
            HABIT,
        ),
        (
            OpenAi,
            502,
            &[("content-type", "text/html")],
            "<html>canary</html>",
            502,
            "upstream_error",
            "server_error",
            HABIT,
        ),
        (
            OpenAi,
            429,
            &[
                ("content-type", "text/html"),
                ("retry-after", "Wed, 19 Aug 2026 14:35:12 GMT"),
            ],
            "<html>canary</html>",
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            (Some("60"), None),
        ),
        // A redirect is never followed, and coming back leads there again.
        (
            OpenAi,
            302,
            &[("location", "https://canary.example/")],
            "{}",
            502,
            "upstream_error",
            "server_error",
            NEVER,
        ),
        // Anthropic.
        (
            Anthropic,
            429,
            &[],
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"canary"}}"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            NEVER,
        ),
        (
            Anthropic,
            429,
            &[("retry-after", "Wed, 19 Aug 2026 14:34:42 GMT")],
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"canary"}}"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            (Some("30"), None),
        ),
        (
            Anthropic,
            413,
            &[],
            r#"{"type":"error","error":{"type":"request_too_large","message":"canary"}}"#,
            413,
            "upstream_request_too_large",
            "invalid_request_error",
            HABIT,
        ),
        (
            Anthropic,
            529,
            &[],
            r#"{"type":"error","error":{"type":"overloaded_error","message":"canary"}}"#,
            503,
            "upstream_overloaded",
            "server_error",
            HABIT,
        ),
        // Google.
        (
            Gemini,
            400,
            &[],
            r#"{"error":{"code":400,"message":"canary","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0].parts"}]}]}}"#,
            400,
            "upstream_invalid_request",
            "invalid_request_error",
            HABIT,
        ),
        (
            Gemini,
            400,
            &[],
            r#"{"error":{"code":400,"message":"API key not valid. canary","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
            401,
            "upstream_authentication",
            "authentication_error",
            HABIT,
        ),
        (
            Gemini,
            429,
            &[],
            r#"[{"error":{"code":429,"message":"canary","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48.2s"}]}}]"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            (Some("49"), None),
        ),
        (
            Gemini,
            429,
            &[("retry-after", "3")],
            r#"{"error":{"code":429,"message":"canary","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}}"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            (Some("3"), None),
        ),
        (
            Gemini,
            503,
            &[],
            r#"{"error":{"code":503,"message":"canary","status":"UNAVAILABLE"}}"#,
            503,
            "upstream_overloaded",
            "server_error",
            HABIT,
        ),
        (
            Gemini,
            504,
            &[],
            r#"{"error":{"code":504,"message":"canary","status":"DEADLINE_EXCEEDED"}}"#,
            504,
            "upstream_timeout",
            "server_error",
            HABIT,
        ),
        // Amazon.
        (
            Bedrock,
            429,
            &[("x-amzn-errortype", "ThrottlingException")],
            r#"{"message":"canary"}"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            HABIT,
        ),
        (
            Bedrock,
            429,
            &[("x-amzn-errortype", "ModelNotReadyException")],
            r#"{"message":"canary"}"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            HABIT,
        ),
        (
            Bedrock,
            408,
            &[("x-amzn-errortype", "ModelTimeoutException")],
            r#"{"message":"canary"}"#,
            408,
            "upstream_timeout",
            "invalid_request_error",
            HABIT,
        ),
        (
            Bedrock,
            400,
            &[(
                "x-amzn-errortype",
                "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/",
            )],
            r#"{"message":"canary"}"#,
            400,
            "upstream_invalid_request",
            "invalid_request_error",
            HABIT,
        ),
        (
            Bedrock,
            400,
            &[("x-amzn-errortype", "ServiceQuotaExceededException")],
            r#"{"message":"canary"}"#,
            429,
            "insufficient_quota",
            "insufficient_quota",
            NEVER,
        ),
        (
            Bedrock,
            403,
            &[("x-amzn-errortype", "AccessDeniedException")],
            r#"{"Message":"User: arn:aws:iam::1:user/canary is not authorized"}"#,
            403,
            "upstream_permission",
            "permission_error",
            HABIT,
        ),
        (
            Bedrock,
            403,
            &[(
                "x-amzn-errortype",
                "UnrecognizedClientException:http://internal.amazon.com/coral/com.amazon.coral.service/",
            )],
            r#"{"message":"canary"}"#,
            401,
            "upstream_authentication",
            "authentication_error",
            HABIT,
        ),
        (
            Bedrock,
            404,
            &[],
            r#"{"__type":"com.amazon.coral#ResourceNotFoundException","message":"canary"}"#,
            404,
            "upstream_not_found",
            "invalid_request_error",
            HABIT,
        ),
        (
            Bedrock,
            424,
            &[("x-amzn-errortype", "ModelErrorException")],
            r#"{"message":"canary","originalStatusCode":500}"#,
            502,
            "upstream_error",
            "server_error",
            HABIT,
        ),
        (
            Bedrock,
            503,
            &[("x-amzn-errortype", "ServiceUnavailableException")],
            r#"{"message":"canary"}"#,
            503,
            "upstream_overloaded",
            "server_error",
            HABIT,
        ),
        (
            Bedrock,
            500,
            &[("x-amzn-errortype", "InternalServerException")],
            r#"{"message":"canary"}"#,
            500,
            "upstream_error",
            "server_error",
            HABIT,
        ),
        // Cohere and Ollama.
        (
            Cohere,
            400,
            &[],
            r#"{"error_type":"TOO_MANY_TOKENS","id":"x","message":"canary"}"#,
            400,
            "context_length_exceeded",
            "invalid_request_error",
            HABIT,
        ),
        (
            Cohere,
            429,
            &[],
            r#"{"message":"canary"}"#,
            429,
            "upstream_rate_limit",
            "rate_limit_error",
            HABIT,
        ),
        (
            Ollama,
            404,
            &[],
            r#"{"error":"model 'canary' not found"}"#,
            404,
            "upstream_not_found",
            "invalid_request_error",
            HABIT,
        ),
        (
            Ollama,
            500,
            &[],
            r#"{"error":"canary"}"#,
            500,
            "upstream_error",
            "server_error",
            HABIT,
        ),
    ];
    for (inner, status, headers, body, wanted, code, kind, again) in table {
        let got = failed(*inner, Dialect::OpenAiChat, *status, headers, body);
        let case = format!("{inner:?} {status} {headers:?} {body}");
        assert_eq!(got.head.status.as_u16(), *wanted, "{case}");
        let error = &got.body["error"];
        assert_eq!(
            (&error["code"], &error["type"]),
            (&Value::from(*code), &Value::from(*kind)),
            "{case}"
        );
        assert_eq!(
            (got.header("retry-after"), got.header("x-should-retry")),
            *again,
            "{case}"
        );
        let words = error["message"].as_str().unwrap().contains("canary");
        assert_eq!(words, matches!(wanted, 400 | 422), "{case}");
        for leak in ["location", "x-amzn-errortype", "set-cookie"] {
            assert_eq!(got.header(leak), None, "{case}");
        }
        // Every client is told the same in its own words.
        for outer in CLIENTS {
            every_client_is_told(*inner, outer, *status, headers, body, &got);
        }
    }
}

fn every_client_is_told(
    inner: Dialect,
    outer: Dialect,
    status: u16,
    headers: &[(&str, &str)],
    body: &str,
    openai: &Got,
) {
    let got = failed(inner, outer, status, headers, body);
    let case = format!("{outer:?} of {inner:?} {status} {body}");
    let wanted = match openai.head.status.as_u16() {
        503 if status == 529 && outer == Dialect::AnthropicMessages => 529,
        wanted => wanted,
    };
    assert_eq!(got.head.status.as_u16(), wanted, "{case}");
    for header in ["retry-after", "retry-after-ms", "x-should-retry"] {
        assert_eq!(got.header(header), openai.header(header), "{case}");
    }
    let said = match outer {
        Dialect::OpenAiChat | Dialect::AnthropicMessages | Dialect::Gemini => {
            &got.body["error"]["message"]
        }
        Dialect::OllamaChat => &got.body["error"],
        _ => &got.body["message"],
    };
    assert_eq!(said, &openai.body["error"]["message"], "{case}");
    match outer {
        Dialect::Gemini => {
            let error = &got.body["error"];
            assert_eq!(error["code"], wanted, "{case}");
            assert_eq!(
                error["details"][0]["reason"], openai.body["error"]["code"],
                "{case}"
            );
            let param = &openai.body["error"]["param"];
            if param.is_string() {
                assert_eq!(
                    &error["details"][1]["fieldViolations"][0]["field"], param,
                    "{case}"
                );
            }
        }
        Dialect::CohereChat => {
            assert_eq!(got.body["error_type"], openai.body["error"]["code"]);
        }
        Dialect::BedrockConverse => assert!(
            got.header("x-amzn-errortype")
                .unwrap()
                .ends_with("Exception"),
            "{case}"
        ),
        _ => {}
    }
}
