//! The classes of refusals, and what each API calls them.

use http::StatusCode;

use crate::dialect::Dialect;

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
    /// 409: it was changed meanwhile.
    Conflict,
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
            Self::Conflict => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Upstream => StatusCode::BAD_GATEWAY,
            Self::UpstreamTimeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Overloaded
                if matches!(
                    dialect,
                    Dialect::AnthropicMessages | Dialect::AnthropicCountTokens
                ) =>
            {
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

    pub(super) const fn openai_type(self) -> &'static str {
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

    pub(super) const fn anthropic_type(self) -> &'static str {
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
    pub(super) const fn grpc_status(self) -> &'static str {
        match self {
            Self::BadRequest | Self::UnsupportedMedia => "3",
            Self::Timeout | Self::UpstreamTimeout => "4",
            Self::NotFound => "5",
            Self::Forbidden | Self::Blocked => "7",
            Self::RateLimited | Self::TooLarge => "8",
            Self::Conflict => "10",
            Self::MethodNotAllowed => "12",
            Self::Internal => "13",
            Self::Upstream | Self::Unavailable | Self::Overloaded => "14",
            Self::Unauthorized => "16",
        }
    }

    /// The name of the `google.rpc` code.
    pub(super) const fn google_status(self) -> &'static str {
        match self {
            Self::BadRequest | Self::UnsupportedMedia | Self::TooLarge => "INVALID_ARGUMENT",
            Self::Timeout | Self::UpstreamTimeout => "DEADLINE_EXCEEDED",
            Self::NotFound => "NOT_FOUND",
            Self::Forbidden | Self::Blocked => "PERMISSION_DENIED",
            Self::RateLimited => "RESOURCE_EXHAUSTED",
            Self::Conflict => "ABORTED",
            Self::MethodNotAllowed => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Upstream | Self::Unavailable | Self::Overloaded => "UNAVAILABLE",
            Self::Unauthorized => "UNAUTHENTICATED",
        }
    }

    /// The exception of Amazon Bedrock that is nearest.
    pub(super) const fn bedrock_exception(self) -> &'static str {
        match self {
            Self::Unauthorized => "UnrecognizedClientException",
            Self::Forbidden | Self::Blocked => "AccessDeniedException",
            Self::NotFound => "ResourceNotFoundException",
            Self::Timeout | Self::UpstreamTimeout => "ModelTimeoutException",
            Self::RateLimited => "ThrottlingException",
            Self::Unavailable | Self::Overloaded => "ServiceUnavailableException",
            Self::Internal | Self::Upstream => "InternalServerException",
            Self::Conflict => "ConflictException",
            Self::BadRequest | Self::MethodNotAllowed | Self::TooLarge | Self::UnsupportedMedia => {
                "ValidationException"
            }
        }
    }

    /// The same in the middle of a stream, which knows only some of them and spells them otherwise.
    pub(super) const fn bedrock_stream_exception(self) -> &'static str {
        match self {
            Self::RateLimited => "throttlingException",
            Self::Unavailable | Self::Overloaded => "serviceUnavailableException",
            Self::Timeout | Self::UpstreamTimeout => "modelStreamErrorException",
            Self::Internal | Self::Upstream => "internalServerException",
            _ => "validationException",
        }
    }
}
