//! What the body of a failure says, in whichever of the providers' forms it says it.
//!
//! The forms, each of which some server in front of some provider uses whatever API it speaks:
//!
//! | form | of |
//! |---|---|
//! | `{"error":{"message","type","code","param"}}` | OpenAI, Azure, and those compatible; the code may be a number |
//! | `{"type":"error","error":{"type","message"}}` | Anthropic |
//! | `{"error":{"code","message","status","details":[…]}}`, or an array with it | Google |
//! | `{"message"}`, `{"message","__type"}`, and in a stream `{"xException":{"message"}}` | AWS |
//! | `{"message","error_type"}`; in a stream `message-end` with `delta.error` | Cohere |
//! | `{"object":"error","message","type","code"}`, where the message may be `{"detail":[…]}` | Mistral, older vLLM |
//! | `{"detail":"…"}`, `{"detail":[{"loc","msg","type"}]}` | FastAPI and all behind it |
//! | `{"error":"…"}`, `{"error":"…","error_type"}`, `{"error":"…","code"}` | Ollama, TGI, xAI |
//! | `{"errors":[{"code","message"}]}`, `{"error_code","message"}` | others |
//! | `{"x_groq":{"error":"…"}}` | Groq, in a stream |
//! | `{"type":"response.failed","response":{"error":{"code","message"}}}` | OpenAI's responses, in a stream |

use std::borrow::Cow;
use std::time::Duration;

use bartizan_core::json::{Kind, Value};

use crate::read::member;

/// What a failure says.
#[derive(Debug, Default)]
pub(super) struct Said<'a> {
    /// Its types, codes, statuses and exceptions, the most telling first.
    pub(super) names: Vec<Cow<'a, str>>,
    pub(super) message: Option<Cow<'a, str>>,
    pub(super) param: Option<String>,
    /// When to come back.
    pub(super) after: Option<Duration>,
}

impl<'a> Said<'a> {
    pub(super) fn by(root: Value<'a>) -> Self {
        let mut said = Self::default();
        said.read(root, 6);
        said
    }

    /// Reads one object of a failure, and those inside it. `depth` bounds them: bodies are anybody's.
    fn read(&mut self, value: Value<'a>, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        match value.kind() {
            Kind::String => self.message = self.message.take().or_else(|| value.text()),
            Kind::Array => value
                .items()
                .take(1)
                .for_each(|first| self.read(first, depth)),
            Kind::Object => self.read_object(value, depth),
            _ => {}
        }
    }

    fn read_object(&mut self, object: Value<'a>, depth: usize) {
        if let Some(details) = member(object, "details") {
            self.read_details(details);
        }
        for name in [
            "code",
            "type",
            "status",
            "__type",
            "error_type",
            "error_code",
        ] {
            let named = member(object, name).and_then(Value::text);
            self.names.extend(named.filter(|name| !name.is_empty()));
        }
        if let Some(param) = member(object, "param").and_then(Value::text) {
            self.param.get_or_insert(param.into_owned());
        }
        if let Some(loc) = member(object, "loc") {
            self.param.get_or_insert(path(loc));
        }
        // Hugging Face's: seconds until a model is loaded.
        if let Some(seconds) = member(object, "estimated_time") {
            self.after = self.after.or(seconds_of(seconds.raw()));
        }
        for name in [
            "error", "message", "Message", "msg", "detail", "errors", "response", "delta", "x_groq",
        ] {
            if let Some(inner) = member(object, name) {
                self.read(inner, depth);
            }
        }
        for (key, inner) in object.members() {
            if let Some(exception) = key.text().filter(|key| key.ends_with("Exception")) {
                self.names.push(exception);
                self.read(inner, depth);
            }
        }
    }

    /// Google's details: each says by its `@type` what it is.
    fn read_details(&mut self, details: Value<'a>) {
        for detail in details.items() {
            let Some(kind) = member(detail, "@type").and_then(Value::text) else {
                continue;
            };
            match kind.rsplit('.').next() {
                Some("ErrorInfo") => {
                    let reason = member(detail, "reason").and_then(Value::text);
                    self.names.extend(reason);
                }
                Some("RetryInfo") => {
                    let delay = member(detail, "retryDelay").and_then(Value::text);
                    let seconds = delay.as_deref().and_then(|delay| delay.strip_suffix('s'));
                    self.after = self.after.or(seconds.and_then(seconds_of));
                }
                Some("BadRequest") => {
                    let field = member(detail, "fieldViolations")
                        .and_then(|violations| violations.items().next())
                        .and_then(|violation| member(violation, "field")?.text());
                    if let Some(field) = field {
                        self.param.get_or_insert(field.into_owned());
                    }
                }
                _ => {}
            }
        }
    }
}

fn seconds_of(number: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(number.parse().ok()?).ok()
}

/// FastAPI's list of steps, `["body","messages",0,"content"]`, as a path.
fn path(loc: Value<'_>) -> String {
    let mut path = String::new();
    let steps = loc.raw().trim_start_matches('[').trim_end_matches(']');
    for step in steps.split(',').map(str::trim) {
        let name = step.trim_matches('"');
        if name == step && !name.is_empty() {
            path.push_str(&format!("[{name}]"));
        } else if !name.is_empty() && name != "body" {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(name);
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use bartizan_core::json::Json;

    use super::*;

    #[test]
    fn every_form_says_its_names_its_words_and_its_field() {
        for (body, names, message, param, after) in [
            (
                r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#,
                &["c", "t"][..],
                Some("m"),
                Some("p"),
                None,
            ),
            (
                r#"{"error":{"message":"m","code":401}}"#,
                &[],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"type":"error","error":{"type":"t","message":"m"}}"#,
                &["error", "t"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"[{"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":[
                    {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48.5s"},
                    {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"R"},
                    {"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0].parts"}]}]}}]"#,
                &["R", "RESOURCE_EXHAUSTED"],
                Some("m"),
                Some("contents[0].parts"),
                Some(48_500),
            ),
            (
                r#"{"Message":"m","__type":"com.amazon.coral#ThrottlingException"}"#,
                &["com.amazon.coral#ThrottlingException"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"throttlingException":{"message":"m"}}"#,
                &["throttlingException"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"message":"m","error_type":"TOO_MANY_TOKENS","id":"x"}"#,
                &["TOO_MANY_TOKENS"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"type":"message-end","delta":{"finish_reason":"ERROR","error":"m"}}"#,
                &["message-end"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"object":"error","message":"m","type":"rate_limited","param":null,"code":"1300"}"#,
                &["1300", "rate_limited"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"object":"error","message":{"detail":[{"type":"extra_forbidden","loc":["body","x"],"msg":"m"}]},"type":"invalid_request_error"}"#,
                &["invalid_request_error", "extra_forbidden"],
                Some("m"),
                Some("x"),
                None,
            ),
            (
                r#"{"detail":[{"loc":["body","messages",0,"content"],"msg":"m","type":"value_error.missing"}]}"#,
                &["value_error.missing"],
                Some("m"),
                Some("messages[0].content"),
                None,
            ),
            (r#"{"detail":"m"}"#, &[], Some("m"), None, None),
            (r#"{"error":"m"}"#, &[], Some("m"), None, None),
            (
                r#"{"error":"m","error_type":"overloaded","estimated_time":20.0}"#,
                &["overloaded"],
                Some("m"),
                None,
                Some(20_000),
            ),
            (
                r#"{"code":"invalid-argument","error":"m"}"#,
                &["invalid-argument"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"errors":[{"code":"c","message":"m"}],"success":false}"#,
                &["c"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"error_code":"BAD_REQUEST","message":"m"}"#,
                &["BAD_REQUEST"],
                Some("m"),
                None,
                None,
            ),
            (
                r#"{"type":"response.failed","response":{"error":{"code":"rate_limit_exceeded","message":"m"}}}"#,
                &["response.failed", "rate_limit_exceeded"],
                Some("m"),
                None,
                None,
            ),
            ("[]", &[], None, None, None),
            ("\"m\"", &[], Some("m"), None, None),
            ("7", &[], None, None, None),
            (
                r#"{"detail":{"detail":{"detail":{"detail":{"detail":{"detail":"m"}}}}}}"#,
                &[],
                None,
                None,
                None,
            ),
        ] {
            let json = Json::read(body).unwrap();
            let said = Said::by(json.root());
            assert_eq!(said.names, names, "{body}");
            assert_eq!(said.message.as_deref(), message, "{body}");
            assert_eq!(said.param.as_deref(), param, "{body}");
            assert_eq!(said.after, after.map(Duration::from_millis), "{body}");
        }
    }
}
