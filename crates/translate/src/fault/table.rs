//! The table: what providers call their failures, and what that is here.

use bartizan_core::RefusalKind;
use http::StatusCode;

/// One class of failures.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) kind: RefusalKind,
    /// Names of it: types, codes, statuses, exceptions. Compared without regard to case.
    pub(crate) names: &'static [&'static str],
    /// Whether it is this whatever the HTTP status says.
    pub(crate) overrides: bool,
    /// Whether what is used up does not come back by waiting.
    pub(crate) spent: bool,
}

const fn class(kind: RefusalKind, names: &'static [&'static str]) -> Class {
    Class {
        kind,
        names,
        overrides: false,
        spent: false,
    }
}

const fn against_status(kind: RefusalKind, names: &'static [&'static str]) -> Class {
    Class {
        overrides: true,
        ..class(kind, names)
    }
}

/// Every name that is known, by class.
pub(crate) static CLASSES: &[Class] = &[
    class(
        RefusalKind::BadRequest,
        &[
            "invalid_request_error",
            "invalid_request",
            "bad_request",
            "BadRequestError",
            "INVALID_ARGUMENT",
            "invalid-argument",
            "FAILED_PRECONDITION",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "ValidationException",
            "SerializationException",
            "validation",
            "TOO_MANY_TOKENS",
            "too_many_prompt_tokens",
            "context_length_exceeded",
        ],
    ),
    class(
        RefusalKind::Unauthorized,
        &[
            "authentication_error",
            "AuthenticationError",
            "invalid_api_key",
            "UNAUTHENTICATED",
        ],
    ),
    // Google's status for a bad key is 400, and AWS's for a bad signature 403.
    against_status(
        RefusalKind::Unauthorized,
        &[
            "API_KEY_INVALID",
            "UnrecognizedClientException",
            "InvalidSignatureException",
            "IncompleteSignatureException",
            "ExpiredTokenException",
            "MissingAuthenticationTokenException",
        ],
    ),
    class(
        RefusalKind::Forbidden,
        &[
            "permission_error",
            "billing_error",
            "PERMISSION_DENIED",
            "AccessDeniedException",
        ],
    ),
    class(
        RefusalKind::NotFound,
        &[
            "not_found_error",
            "NotFoundError",
            "model_not_found",
            "NOT_FOUND",
            "ResourceNotFoundException",
            "DeploymentNotFound",
        ],
    ),
    class(RefusalKind::TooLarge, &["request_too_large"]),
    class(
        RefusalKind::RateLimited,
        &[
            "rate_limit_error",
            "rate_limit_exceeded",
            "rate_limited",
            "requests",
            "tokens",
            "RateLimitReached",
            "service_tier_capacity_exceeded",
            "RESOURCE_EXHAUSTED",
            "ThrottlingException",
            "TooManyRequestsException",
        ],
    ),
    Class {
        spent: true,
        ..class(RefusalKind::RateLimited, &["insufficient_quota"])
    },
    // A quota of the account, which AWS calls a bad request.
    Class {
        spent: true,
        ..against_status(RefusalKind::RateLimited, &["ServiceQuotaExceededException"])
    },
    class(RefusalKind::Timeout, &["ModelTimeoutException"]),
    class(
        RefusalKind::UpstreamTimeout,
        &["timeout_error", "DEADLINE_EXCEEDED"],
    ),
    class(RefusalKind::Overloaded, &["overloaded_error", "overloaded"]),
    class(
        RefusalKind::Unavailable,
        &[
            "UNAVAILABLE",
            "service_unavailable",
            "ServiceUnavailableException",
            "ModelNotReadyException",
        ],
    ),
    class(
        RefusalKind::Upstream,
        &[
            "server_error",
            "api_error",
            "internal_server_error",
            "InternalServerError",
            "INTERNAL",
            "UNKNOWN",
            "ABORTED",
            "DATA_LOSS",
            "CANCELLED",
            "InternalServerException",
            "InternalFailure",
            "generation",
        ],
    ),
    // The model failed, and not the request: 424 has it the other way about.
    against_status(
        RefusalKind::Upstream,
        &["ModelErrorException", "ModelStreamErrorException"],
    ),
];

/// The class that a provider calls `name`. Of an exception of AWS's, what stands around its name is no part of it.
pub(crate) fn named(name: &str) -> Option<&'static Class> {
    let name = name.rsplit_once('#').map_or(name, |(_, name)| name);
    let name = name.split(':').next().unwrap_or_default();
    CLASSES.iter().find(|class| {
        class
            .names
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    })
}

/// The kind of a failure that is known by its status alone.
pub(crate) fn kind_of_status(status: StatusCode) -> RefusalKind {
    match status.as_u16() {
        // The account is out of money.
        402 => RefusalKind::Forbidden,
        424 => RefusalKind::Upstream,
        _ => RefusalKind::from_status(status),
    }
}

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

/// The code by which clients know what a provider calls `name`.
pub(super) fn code(name: &str) -> Option<&'static str> {
    match name {
        "TOO_MANY_TOKENS" | "too_many_prompt_tokens" => Some("context_length_exceeded"),
        "ServiceQuotaExceededException" => Some("insufficient_quota"),
        _ => CODES.iter().find(|known| **known == name).copied(),
    }
}

/// How providers without a code for it say that a prompt is too long: what clients act on most.
const TOO_LONG: &[&str] = &[
    "prompt is too long",
    "prompt too long",
    "exceed context limit",
    "maximum context length",
    "max context length",
    "maximum number of tokens allowed",
    "number of input tokens exceeds maximum length",
    "input is too long for requested model",
    "too many tokens",
    "context window",
];

pub(super) fn says_too_long(words: &str) -> bool {
    let words = words.to_ascii_lowercase();
    TOO_LONG.iter().any(|sign| words.contains(sign))
}

pub(super) const fn own_words(kind: RefusalKind) -> &'static str {
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

pub(super) const fn own_code(kind: RefusalKind) -> &'static str {
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
