//! The failures that Bedrock names in the frames of its streams.

/// One of those that a stream may have; what is new is a failure of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exception {
    Throttling,
    ModelTimeout,
    Validation,
    Unavailable,
    ModelStream,
    Internal,
}

impl Exception {
    /// By its name: `throttlingException` in a frame, `ThrottlingException` elsewhere.
    pub(super) fn named(name: &str) -> Self {
        let all = [
            Self::Throttling,
            Self::ModelTimeout,
            Self::Validation,
            Self::Unavailable,
            Self::ModelStream,
        ];
        all.into_iter()
            .find(|exception| exception.as_str().eq_ignore_ascii_case(name))
            .unwrap_or(Self::Internal)
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Throttling => "throttlingException",
            Self::ModelTimeout => "modelTimeoutException",
            Self::Validation => "validationException",
            Self::Unavailable => "serviceUnavailableException",
            Self::ModelStream => "modelStreamErrorException",
            Self::Internal => "internalServerException",
        }
    }

    /// Anthropic's word for an error of this class.
    pub(super) const fn anthropic(self) -> &'static str {
        match self {
            Self::Throttling => "rate_limit_error",
            Self::ModelTimeout => "timeout_error",
            Self::Validation => "invalid_request_error",
            Self::Unavailable => "overloaded_error",
            Self::ModelStream | Self::Internal => "api_error",
        }
    }
}
