//! One type for all refusals, rendered in the caller's own dialect.
//!
//! Each API has its own body for it, its own event in the middle of a stream, and gRPC a status sent as trailers only. Each answer
//! carries `retry-after` where trying again helps, and `x-should-retry: false` where it doesn't, which is what OpenAI's and
//! Anthropic's SDKs obey. The refusal itself lies in the response's extensions, so that outer layers and tests compare a type and
//! not a status.

mod grpc;
mod kind;
mod render;

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Response, StatusCode, header};

use crate::body::Body;
use crate::dialect::Dialect;
use crate::json::{Fault, FaultKind};

pub use kind::RefusalKind;

/// Whether trying again helps.
#[derive(Clone, Copy)]
enum Again {
    Never,
    AsUsual,
    After(Duration),
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
    status: Option<StatusCode>,
    again: Again,
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
            status: None,
            again: Again::Never,
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
        self.again = Again::After(after);
        self
    }

    /// Leaves it to the caller's habit whether to try again: for what a provider refused and said nothing of it.
    #[must_use]
    pub fn retry_as_usual(mut self) -> Self {
        self.again = Again::AsUsual;
        self
    }

    /// Keeps a status that is finer than the kind's, such as a provider's 402, 409 or 422. What is no error's status is not kept.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status).filter(|status| {
            (status.is_client_error() || status.is_server_error()) && status.as_u16() != 529
        });
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

    /// The HTTP status in `dialect`.
    #[must_use]
    pub fn status_in(&self, dialect: Dialect) -> StatusCode {
        self.status.unwrap_or_else(|| self.kind.status(dialect))
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

    fn json(&self, dialect: Dialect) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body(dialect)));
        *response.status_mut() = self.status_in(dialect);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if matches!(dialect, Dialect::BedrockConverse | Dialect::AmazonEmbed) {
            // Where AWS's SDKs look first.
            headers.insert(
                HeaderName::from_static("x-amzn-errortype"),
                HeaderValue::from_static(self.kind.bedrock_exception()),
            );
        }
        match self.again {
            Again::After(after) => {
                headers.insert(header::RETRY_AFTER, whole_seconds(after).into());
                headers.insert(
                    HeaderName::from_static("retry-after-ms"),
                    milliseconds(after).into(),
                );
            }
            Again::AsUsual => {}
            Again::Never => {
                headers.insert(
                    HeaderName::from_static("x-should-retry"),
                    HeaderValue::from_static("false"),
                );
            }
        }
        response
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
