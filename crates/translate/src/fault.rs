//! A provider's error, told anew in our own words.
//!
//! Errors of providers name keys, accounts and deployments, so their text never goes on as it is. Kept are the class of the status, a
//! code from a fixed list, the name of the field at fault, and retry guidance (in headers). The provider's words are kept only where
//! the caller can mend the request and needs them (400 and 422), and then without anything that looks like a credential or an address.

use std::time::Duration;

use bartizan_core::json::{Kind, Value};
use bartizan_core::{Document, Refusal, RefusalKind};
use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};

use crate::losses::shown;
use crate::read::member;

/// Codes that clients are known to act on.
const CODES: &[&str] = &[
    "context_length_exceeded",
    "content_filter",
    "content_policy_violation",
    "insufficient_quota",
    "invalid_api_key",
    "invalid_type",
    "invalid_value",
    "missing_required_parameter",
    "model_not_found",
    "rate_limit_exceeded",
    "string_above_max_length",
    "unknown_parameter",
    "unsupported_parameter",
    "unsupported_value",
];

/// Reads an error reply, or an error event (then `status` is `None`).
pub(crate) fn read(document: &Document, status: Option<StatusCode>) -> Refusal {
    let root = document.json().root();
    let error = member(root, "error").filter(|error| error.kind() == Kind::Object);
    let error = error.unwrap_or(root);
    let says = |key: &str| member(error, key).and_then(Value::text);
    let kind = match status.filter(|status| !status.is_success()) {
        Some(status) => kind_of_status(status),
        None => says("type").map_or(RefusalKind::Upstream, |kind| kind_of_type(&kind)),
    };
    let mut message = String::from(own_words(kind));
    let mut code = own_code(kind);
    let known = says("code")
        .and_then(|code| CODES.iter().find(|known| **known == code))
        .copied();
    if kind == RefusalKind::BadRequest
        && let Some(words) = says("message")
    {
        // Anthropic has no code for what OpenAI's clients act on most.
        if words.starts_with("prompt is too long") || words.contains("exceed context limit") {
            code = "context_length_exceeded";
        }
        message.push_str(": ");
        message.push_str(&scrub(&words));
    }
    let refusal = Refusal::new(kind, known.unwrap_or(code), message);
    match says("param") {
        Some(param) if kind == RefusalKind::BadRequest && is_path(&param) => {
            refusal.param(param.into_owned())
        }
        _ => refusal,
    }
}

/// An error reply that nobody can read: a page of a proxy, or a body in an encoding.
pub(crate) fn unreadable(status: StatusCode, headers: &HeaderMap) -> Refusal {
    let kind = kind_of_status(status);
    let refusal = Refusal::new(kind, own_code(kind), own_words(kind));
    let told = headers
        .get(RETRY_AFTER)
        .and_then(|after| after.to_str().ok()?.trim().parse().ok())
        .map(Duration::from_secs);
    // Clients retry these unasked, and a refusal without guidance would tell them not to.
    let usual = matches!(status.as_u16(), 408 | 409 | 500..=599).then_some(Duration::from_secs(1));
    match told.or(usual) {
        Some(after) => refusal.retry_after(after),
        None => refusal,
    }
}

pub(crate) fn kind_of_status(status: StatusCode) -> RefusalKind {
    RefusalKind::from_status(status)
}

fn kind_of_type(kind: &str) -> RefusalKind {
    match kind {
        "invalid_request_error" => RefusalKind::BadRequest,
        "authentication_error" => RefusalKind::Unauthorized,
        "permission_error" | "billing_error" => RefusalKind::Forbidden,
        "not_found_error" => RefusalKind::NotFound,
        "request_too_large" => RefusalKind::TooLarge,
        "rate_limit_error" | "insufficient_quota" | "tokens" | "requests" => {
            RefusalKind::RateLimited
        }
        "timeout_error" => RefusalKind::UpstreamTimeout,
        "overloaded_error" => RefusalKind::Overloaded,
        _ => RefusalKind::Upstream,
    }
}

const fn own_words(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::BadRequest => "the provider refuses the request",
        RefusalKind::Unauthorized => "the provider refuses this gateway's credential",
        RefusalKind::Forbidden => "the provider does not permit this to this gateway",
        RefusalKind::NotFound => "the provider has no such model or resource",
        RefusalKind::TooLarge => "the request is too large for the provider",
        RefusalKind::RateLimited => "the provider's rate limit is reached",
        RefusalKind::Timeout | RefusalKind::UpstreamTimeout => "the provider took too long",
        RefusalKind::Overloaded | RefusalKind::Unavailable => "the provider is overloaded",
        _ => "the provider failed",
    }
}

const fn own_code(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::BadRequest => "upstream_invalid_request",
        RefusalKind::Unauthorized => "upstream_authentication",
        RefusalKind::Forbidden => "upstream_permission",
        RefusalKind::NotFound => "upstream_not_found",
        RefusalKind::TooLarge => "upstream_request_too_large",
        RefusalKind::RateLimited => "upstream_rate_limit",
        RefusalKind::Timeout | RefusalKind::UpstreamTimeout => "upstream_timeout",
        RefusalKind::Overloaded | RefusalKind::Unavailable => "upstream_overloaded",
        _ => "upstream_error",
    }
}

fn is_path(param: &str) -> bool {
    param
        .split(['[', ']'])
        .filter(|step| !step.is_empty())
        .all(|step| shown(step) == step)
}

/// The most of a provider's words that go on, in characters.
const MOST: usize = 600;

/// Takes out of a provider's words whatever may be a credential or an address, word by word.
fn scrub(words: &str) -> String {
    let mut clean = String::new();
    let words = words.split_inclusive(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | '(' | ')' | '<' | '>' | '=')
    });
    for word in words {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        if is_secret(bare) {
            clean.push_str("[removed]");
            let tail = word.len()
                - word
                    .trim_end_matches(|c: char| !c.is_ascii_alphanumeric())
                    .len();
            clean.push_str(word.get(word.len() - tail..).unwrap_or_default());
        } else {
            clean.extend(word.chars().filter(|c| !c.is_control()));
        }
        if clean.len() >= MOST {
            break;
        }
    }
    clean.chars().take(MOST).collect()
}

fn is_secret(word: &str) -> bool {
    const STARTS: &[&str] = &[
        "sk-", "sk_", "pk-", "rk-", "key-", "AKIA", "ASIA", "AIza", "ya29.", "eyJ", "ghp_", "gho_",
        "xox", "gsk_", "hf_", "nvapi-", "org-", "proj_",
    ];
    if word.contains("://")
        || word.contains("***")
        || STARTS.iter().any(|start| word.starts_with(start))
    {
        return true;
    }
    // A long run of letters and digits mixed, such as no word and no id of a tool call is.
    let token = word.len() >= 36
        && word.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'+' | b'/')
        });
    token
        && word.bytes().any(|byte| byte.is_ascii_digit())
        && word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use bartizan_core::{Dialect, Direction};

    use super::*;

    fn error(body: &str, status: u16) -> Refusal {
        let document = Document::read(body, Dialect::OpenAiChat, Direction::Reply).unwrap();
        read(&document, StatusCode::from_u16(status).ok())
    }

    #[test]
    fn a_providers_words_go_on_only_where_the_caller_can_mend_the_request() {
        let body = r#"{"error":{"type":"x","message":"canary says no","code":"model_not_found","param":"messages[0].content"}}"#;
        for (status, kept) in [
            (400, true),
            (422, true),
            (401, false),
            (403, false),
            (404, false),
            (413, false),
            (429, false),
            (500, false),
            (503, false),
            (529, false),
            (302, false),
        ] {
            let refusal = error(body, status);
            assert_eq!(refusal.message().contains("canary"), kept, "{status}");
            assert_eq!(refusal.code(), "model_not_found", "{status}");
        }
    }

    #[test]
    fn credentials_and_addresses_are_taken_out_of_a_providers_words() {
        for (said, kept) in [
            (
                "Incorrect API key provided: sk-proj-abc123.",
                "Incorrect API key provided: [removed].",
            ),
            (
                "key 'AKIAABCDEFGH' at https://internal.example/x?y=1, sorry",
                "key '[removed]' at [removed]=1, sorry",
            ),
            ("Bearer eyJhbGciOi.J9 is bad", "Bearer [removed] is bad"),
            ("Bad: sk-ab***********yz", "Bad: [removed]"),
            (
                "token 0123456789abcdef0123456789abcdef0123",
                "token [removed]",
            ),
            (
                "`tool_use` ids without results: toolu_01ADw53o3uvrGvccVaVYUX4G.",
                "`tool_use` ids without results: toolu_01ADw53o3uvrGvccVaVYUX4G.",
            ),
            ("max_tokens: 128000 > 64000", "max_tokens: 128000 > 64000"),
            ("a\r\nb\u{1b}[31m", "ab[31m"),
        ] {
            assert_eq!(scrub(said), kept);
        }
        assert!(scrub(&"word ".repeat(1_000)).len() <= MOST);
    }

    #[test]
    fn what_a_provider_calls_a_code_is_passed_only_from_a_fixed_list() {
        let refusal = error(
            r#"{"error":{"message":"no","code":"org-canary","param":"say \"x\""}}"#,
            400,
        );
        assert_eq!(refusal.code(), "upstream_invalid_request");
        assert!(
            !refusal
                .event(Dialect::OpenAiChat)
                .data()
                .unwrap()
                .contains("say")
        );
        let long = error(
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 tokens > 1 maximum"}}"#,
            400,
        );
        assert_eq!(long.code(), "context_length_exceeded");
    }
}
