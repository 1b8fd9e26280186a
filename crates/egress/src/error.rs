use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Refusal, RefusalKind};

use crate::address::Class;

/// Why something isn't reached.
///
/// No message holds an address that a name resolved to, or a credential.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A URL that configuration or a caller gave can't be used.
    #[error("{0}")]
    Url(UrlFault),
    /// The origin isn't on the list of what may be reached.
    #[error("{0} isn't an allowed origin: name it in the egress policy")]
    NotAllowed(String),
    /// A method that asks for something else than an answer.
    #[error("CONNECT and TRACE aren't sent on")]
    Method,
    /// The address is of a class that the origin's configuration doesn't open.
    #[error(
        "{origin} is at {class}: if that is meant, allow the origin with `allow_private`, or by its literal address"
    )]
    ForbiddenAddress {
        /// What was to be reached.
        origin: String,
        /// What kind of address it has.
        class: Class,
    },
    /// The name couldn't be resolved.
    #[error("the name couldn't be resolved: {0}")]
    Dns(#[source] Arc<io::Error>),
    /// No connection was made.
    #[error("no connection could be made: {0}")]
    Connect(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The TLS handshake failed.
    #[error("the TLS handshake failed: {0}")]
    Tls(#[source] Arc<io::Error>),
    /// The provider broke the call off.
    #[error("the provider broke the call off: {0}")]
    Call(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// A step took too long.
    #[error("{0} took too long")]
    TimedOut(Step),
    /// A root certificate can't be read.
    #[error("the root certificates can't be read: {0}")]
    Roots(String),
    /// A credential's text can't stand in a header.
    #[error(
        "the credential can't stand in a header: it has a line break, or a character beyond ASCII"
    )]
    Credential,
    /// A credential, or what it is to be used for, doesn't fit its kind.
    #[error("the credential can't be used: {0}")]
    Unusable(&'static str),
    /// No access token could be had for the call.
    #[cfg(feature = "google")]
    #[error("no access token could be had: {0}")]
    NoToken(#[source] Arc<TokenFault>),
    /// The request's body couldn't be read, which a signature needs.
    #[error("the request's body couldn't be read")]
    Body(Refusal),
}

/// Why no access token could be had. No message holds the key, the assertion or a token.
#[cfg(feature = "google")]
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFault {
    /// The token endpoint gave no answer, or isn't allowed.
    #[error("the token endpoint gave no answer: {0}")]
    Unreachable(#[source] Arc<Error>),
    /// The token endpoint refused.
    #[error("the token endpoint refused ({status} {word})")]
    Refused {
        /// With what status.
        status: http::StatusCode,
        /// OAuth's word for it, such as `invalid_grant`; empty where there was none.
        word: String,
    },
    /// The token endpoint's answer holds no token.
    #[error("the token endpoint's answer can't be read, or has no `access_token` and `expires_in`")]
    Malformed,
    /// The key signed nothing.
    #[error("the assertion couldn't be signed")]
    Unsigned,
    /// The exchange was given up, as when a runtime ends.
    #[error("the exchange was given up")]
    Dropped,
}

#[cfg(feature = "google")]
impl TokenFault {
    /// Whether it may be over by itself.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(error) => !matches!(
                **error,
                Error::Url(_) | Error::NotAllowed(_) | Error::ForbiddenAddress { .. }
            ),
            Self::Refused { status, .. } => {
                status.is_server_error() || *status == http::StatusCode::TOO_MANY_REQUESTS
            }
            Self::Malformed | Self::Dropped => true,
            Self::Unsigned => false,
        }
    }
}

/// A step of a connection or a call that has a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Resolving the name.
    Dns,
    /// Connecting.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Waiting for the answer's head.
    Head,
    /// Waiting for more of the answer.
    Idle,
    /// The whole call.
    Total,
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "resolving the name",
            Self::Connect => "connecting",
            Self::Tls => "the TLS handshake",
            Self::Head => "the answer's head",
            Self::Idle => "the rest of the answer",
            Self::Total => "the whole call",
        })
    }
}

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlFault {
    /// It can't be read.
    #[error("this isn't a URL with a scheme, a host and perhaps a port")]
    Unreadable,
    /// Another scheme.
    #[error("only http and https are spoken")]
    Scheme,
    /// A user name or password.
    #[error("a URL holds no user name or password: give the credential apart from it")]
    UserInfo,
    /// Not a host name.
    #[error("the host is no name of letters, digits, dashes and dots, and no address")]
    Host,
    /// An address in decimal, octal, hexadecimal or short form.
    #[error("the host is a number that isn't a plain IPv4 address of four decimal parts")]
    NumberSpelling,
    /// Port 0, or none where a colon promises one.
    #[error("the port isn't a number from 1 to 65535")]
    Port,
    /// A path, where there may be none.
    #[error("an origin has no path")]
    Path,
    /// A query or fragment, where there may be none.
    #[error("a base URL has no query and no fragment: set query parameters apart from it")]
    Query,
    /// A path that climbs.
    #[error("the path has an empty, `.` or `..` segment, a backslash, or an encoded slash or dot")]
    Climbs,
}

impl From<UrlFault> for Error {
    fn from(fault: UrlFault) -> Self {
        Self::Url(fault)
    }
}

impl Error {
    /// The word that stands for this error in metrics and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Url(_) | Self::Method => "url",
            Self::NotAllowed(_) | Self::ForbiddenAddress { .. } => "refused",
            Self::Dns(_) => "dns",
            Self::Connect(_) => "connect",
            Self::Tls(_) => "tls",
            Self::Call(_) => "call",
            Self::TimedOut(_) => "timeout",
            Self::Roots(_) | Self::Credential | Self::Unusable(_) => "configuration",
            Self::Body(_) => "body",
            #[cfg(feature = "google")]
            Self::NoToken(_) => "token",
        }
    }

    /// What the caller is told: which kind of thing went wrong, and nothing of where.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        let soon = Duration::from_secs(1);
        match self {
            Self::TimedOut(step) => Refusal::new(
                RefusalKind::UpstreamTimeout,
                "upstream_timeout",
                format!("the provider took too long: {step}"),
            )
            .retry_after(soon),
            Self::Url(_) | Self::Method | Self::NotAllowed(_) | Self::ForbiddenAddress { .. } => {
                Refusal::new(
                    RefusalKind::Upstream,
                    "egress_refused",
                    "the provider isn't one that may be reached",
                )
            }
            Self::Dns(_) | Self::Connect(_) | Self::Tls(_) => Refusal::new(
                RefusalKind::Upstream,
                "upstream_unreachable",
                "the provider couldn't be reached",
            )
            .retry_after(soon),
            Self::Call(_) => Refusal::new(
                RefusalKind::Upstream,
                "upstream_failed",
                "the provider broke the call off",
            )
            .retry_after(soon),
            Self::Body(refusal) => refusal.clone(),
            #[cfg(feature = "google")]
            Self::NoToken(fault) => {
                let refusal = Refusal::new(
                    RefusalKind::Unavailable,
                    "credential_unavailable",
                    "the credential for the provider couldn't be renewed",
                );
                if fault.may_pass() {
                    refusal.retry_after(soon)
                } else {
                    refusal
                }
            }
            Self::Roots(_) | Self::Credential | Self::Unusable(_) => Refusal::new(
                RefusalKind::Internal,
                "egress_configuration",
                "the provider isn't configured rightly",
            ),
        }
    }
}
