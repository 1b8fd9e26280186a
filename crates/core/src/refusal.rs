//! One type for all refusals, rendered in the caller's own dialect.
//!
//! Four renderings: an OpenAI error, an Anthropic error, an error event in a stream, and a gRPC status sent as trailers only. Each
//! carries `retry-after` where trying again helps, and `x-should-retry: false` where it doesn't, which is what OpenAI's and
//! Anthropic's SDKs obey. The refusal itself lies in the response's extensions, so that outer layers and tests compare a type and
//! not a status.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::body::Body;
use crate::dialect::Dialect;
use crate::event::Event;
use crate::json::{Fault, FaultKind, quote};

/// The class of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefusalKind {
    /// 400: the request can't be read or makes no sense.
    BadRequest,
    /// 401: no or a bad credential.
    Unauthorized,
    /// 403: the caller may not do this.
    Forbidden,
    /// 403: the content is against a policy.
    Blocked,
    /// 404: there is no such thing.
    NotFound,
    /// 405: the path has no such method.
    MethodNotAllowed,
    /// 408: the caller was too slow.
    Timeout,
    /// 413: the request is too large.
    TooLarge,
    /// 415: a content type or encoding that is not taken.
    UnsupportedMedia,
    /// 429: a limit is reached.
    RateLimited,
    /// 500: a fault of our own.
    Internal,
    /// 502: the provider failed or answered nonsense.
    Upstream,
    /// 503: something that is needed is away.
    Unavailable,
    /// 504: the provider was too slow.
    UpstreamTimeout,
    /// 529 to Anthropic's clients, 503 to others: the provider has too much to do.
    Overloaded,
}

impl RefusalKind {
    /// The HTTP status in `dialect`.
    #[must_use]
    pub fn status(self, dialect: Dialect) -> StatusCode {
        match self {
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::Blocked => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Upstream => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Overloaded if dialect == Dialect::AnthropicMessages => {
                StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
            }
            Self::Unavailable | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The kind that stands for a provider's status.
    #[must_use]
    pub fn from_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Unauthorized,
            403 => Self::Forbidden,
            404 => Self::NotFound,
            405 => Self::MethodNotAllowed,
            408 => Self::Timeout,
            413 => Self::TooLarge,
            415 => Self::UnsupportedMedia,
            429 => Self::RateLimited,
            500 => Self::Internal,
            503 => Self::Unavailable,
            504 => Self::UpstreamTimeout,
            529 => Self::Overloaded,
            400..=499 => Self::BadRequest,
            _ => Self::Upstream,
        }
    }

    const fn openai_type(self) -> &'static str {
        match self {
            Self::Unauthorized => "authentication_error",
            Self::Forbidden | Self::Blocked => "permission_error",
            Self::RateLimited => "rate_limit_error",
            Self::Internal
            | Self::Upstream
            | Self::Unavailable
            | Self::UpstreamTimeout
            | Self::Overloaded => "server_error",
            _ => "invalid_request_error",
        }
    }

    const fn anthropic_type(self) -> &'static str {
        match self {
            Self::Unauthorized => "authentication_error",
            Self::Forbidden | Self::Blocked => "permission_error",
            Self::NotFound => "not_found_error",
            Self::TooLarge => "request_too_large",
            Self::RateLimited => "rate_limit_error",
            Self::Overloaded => "overloaded_error",
            Self::Timeout | Self::UpstreamTimeout => "timeout_error",
            Self::Internal | Self::Upstream | Self::Unavailable => "api_error",
            _ => "invalid_request_error",
        }
    }

    /// The gRPC status code, from the table in docs/errors.md.
    const fn grpc_status(self) -> &'static str {
        match self {
            Self::BadRequest | Self::UnsupportedMedia => "3",
            Self::Timeout | Self::UpstreamTimeout => "4",
            Self::NotFound => "5",
            Self::Forbidden | Self::Blocked => "7",
            Self::RateLimited | Self::TooLarge => "8",
            Self::MethodNotAllowed => "12",
            Self::Internal => "13",
            Self::Upstream | Self::Unavailable | Self::Overloaded => "14",
            Self::Unauthorized => "16",
        }
    }
}

/// A refusal: kind, stable code, and a message that is safe to show.
///
/// ```
/// use std::time::Duration;
/// use bartizan_core::{Dialect, Refusal, RefusalKind};
///
/// let refusal = Refusal::new(RefusalKind::RateLimited, "rate_limit_exceeded", "limit of 60 requests a minute reached")
///     .retry_after(Duration::from_millis(1_200));
/// let response = refusal.render(Dialect::OpenAiChat);
/// assert_eq!(response.status(), 429);
/// assert_eq!(response.headers()["retry-after"], "2");
/// ```
#[derive(Clone)]
pub struct Refusal {
    kind: RefusalKind,
    code: &'static str,
    message: Cow<'static, str>,
    param: Option<Cow<'static, str>>,
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Refusal {
    /// Creates a refusal. `code` is stable and machine-readable; `message` goes to the caller and never quotes the content refused.
    pub fn new(
        kind: RefusalKind,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            kind,
            code,
            message: message.into(),
            param: None,
            retry_after: None,
            headers: Vec::new(),
        }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn param(mut self, param: impl Into<Cow<'static, str>>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// Says when trying again may help. Without it the caller is told not to.
    #[must_use]
    pub fn retry_after(mut self, after: Duration) -> Self {
        self.retry_after = Some(after);
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The class.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        self.kind
    }

    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What the caller is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The answer that says this in `dialect`.
    #[must_use]
    pub fn render(&self, dialect: Dialect) -> Response<Body> {
        let mut response = if dialect == Dialect::Grpc {
            self.grpc()
        } else {
            self.json(dialect)
        };
        let headers = response.headers_mut();
        if let Ok(code) = HeaderValue::from_str(self.code) {
            headers.insert(HeaderName::from_static("x-bartizan-refusal"), code);
        }
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        response.extensions_mut().insert(self.clone());
        response
    }

    /// The event that says this in the middle of a stream of `dialect`. Nothing may follow it.
    #[must_use]
    pub fn event(&self, dialect: Dialect) -> Event {
        match dialect {
            Dialect::AnthropicMessages => Event::new(Some("error"), &self.anthropic_body()),
            Dialect::OpenAiResponses => {
                // As the API's own error event, and with the member at which OpenAI's SDKs raise.
                let data = format!(
                    r#"{{"type":"error","code":{},"message":{},"param":{},"sequence_number":0,{}"#,
                    quote(self.code),
                    quote(&self.message),
                    self.quoted_param(),
                    self.openai_body().trim_start_matches('{'),
                );
                Event::new(Some("error"), &data)
            }
            _ => Event::new(None, &self.openai_body()),
        }
    }

    fn json(&self, dialect: Dialect) -> Response<Body> {
        let body = match dialect {
            Dialect::AnthropicMessages => self.anthropic_body(),
            _ => self.openai_body(),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.kind.status(dialect);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        match self.retry_after {
            Some(after) => {
                headers.insert(header::RETRY_AFTER, whole_seconds(after).into());
                headers.insert(
                    HeaderName::from_static("retry-after-ms"),
                    milliseconds(after).into(),
                );
            }
            None => {
                headers.insert(
                    HeaderName::from_static("x-should-retry"),
                    HeaderValue::from_static("false"),
                );
            }
        }
        response
    }

    /// gRPC over HTTP/2 calls this a trailers-only response: the status in the one HEADERS frame that also ends the stream.
    fn grpc(&self) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/grpc"),
        );
        headers.insert(
            HeaderName::from_static("grpc-status"),
            HeaderValue::from_static(self.kind.grpc_status()),
        );
        if let Ok(message) = HeaderValue::from_str(&percent_encode(&self.message)) {
            headers.insert(HeaderName::from_static("grpc-message"), message);
        }
        // gRFC A6: a negative push-back asks not to retry.
        let pushback = match self.retry_after {
            Some(after) => milliseconds(after).into(),
            None => HeaderValue::from_static("-1"),
        };
        headers.insert(HeaderName::from_static("grpc-retry-pushback-ms"), pushback);
        response
    }

    fn openai_body(&self) -> String {
        format!(
            r#"{{"error":{{"message":{},"type":{},"param":{},"code":{}}}}}"#,
            quote(&self.message),
            quote(self.kind.openai_type()),
            self.quoted_param(),
            quote(self.code),
        )
    }

    fn anthropic_body(&self) -> String {
        format!(
            r#"{{"type":"error","error":{{"type":{},"message":{}}}}}"#,
            quote(self.kind.anthropic_type()),
            quote(&self.message),
        )
    }

    fn quoted_param(&self) -> String {
        self.param
            .as_deref()
            .map_or_else(|| "null".to_owned(), quote)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let kind = if fault.kind() == FaultKind::TooLarge {
            RefusalKind::TooLarge
        } else {
            RefusalKind::BadRequest
        };
        let path = fault.path().to_owned();
        let refusal = Self::new(
            kind,
            fault.kind().code(),
            format!("the request body is refused: {fault}"),
        );
        if path.is_empty() {
            refusal
        } else {
            refusal.param(path)
        }
    }
}

/// Says the code only: the message is for the caller, and this ends in logs.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// A body that breaks off may say so in a refusal: the caller is then told that and nothing else.
impl std::error::Error for Refusal {}

/// Leaves out the message: it is for the caller.
impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refusal")
            .field("kind", &self.kind)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

fn whole_seconds(after: Duration) -> u64 {
    after.as_secs() + u64::from(after.subsec_nanos() > 0)
}

fn milliseconds(after: Duration) -> u64 {
    u64::try_from(after.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX)
}

/// gRPC's percent-encoding: printable ASCII but `%` stays.
fn percent_encode(message: &str) -> String {
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
