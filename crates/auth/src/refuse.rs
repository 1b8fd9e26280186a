//! What a caller is told who is not let in.

use std::time::Duration;

use bartizan_core::{Refusal, RefusalKind};
use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use crate::credential::Unreadable;
use crate::keys::Denied;
use crate::{AccountKind, Error, StoreError};

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Missing => unauthorized(
                "invalid_api_key",
                "You didn't provide an API key. Provide it in an Authorization header using Bearer auth (Authorization: Bearer YOUR_KEY), or in \
                 an x-api-key or api-key header.",
            ),
            Unreadable::Malformed => unauthorized("invalid_api_key", INCORRECT),
            Unreadable::Ambiguous => unauthorized(
                "invalid_api_key",
                "Several API keys that differ were provided. Provide one, in one header.",
            ),
        }
    }
}

impl From<&Denied> for Refusal {
    fn from(denied: &Denied) -> Self {
        match denied {
            Denied::Unknown => unauthorized("invalid_api_key", INCORRECT),
            Denied::Expired => unauthorized("expired_key", "The API key provided has expired."),
            Denied::Revoked => unauthorized("revoked_key", "The API key provided was revoked."),
            Denied::Blocked => Self::new(
                RefusalKind::Forbidden,
                "blocked_key",
                "The API key provided is blocked. Ask an administrator.",
            ),
            Denied::BlockedAccount(kind) => {
                let (code, message) = match kind {
                    AccountKind::Organization => (
                        "blocked_organization",
                        "The organization of this API key is blocked. Ask an administrator.",
                    ),
                    AccountKind::Team => (
                        "blocked_team",
                        "The team of this API key is blocked. Ask an administrator.",
                    ),
                    AccountKind::User => (
                        "blocked_user",
                        "The user of this API key is blocked. Ask an administrator.",
                    ),
                };
                Self::new(RefusalKind::Forbidden, code, message)
            }
            Denied::Unchecked(_) => Self::new(
                RefusalKind::Unavailable,
                "auth_unavailable",
                "The API key can't be checked at the moment. Try again later.",
            )
            .retry_after(Duration::from_secs(1)),
        }
    }
}

/// For the answers of an administration API.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::NotFound => Self::new(RefusalKind::NotFound, "key_not_found", message),
            Error::NoAccount(kind) => Self::new(
                RefusalKind::NotFound,
                match kind {
                    AccountKind::Organization => "organization_not_found",
                    AccountKind::Team => "team_not_found",
                    AccountKind::User => "user_not_found",
                },
                message,
            ),
            Error::Forbidden(_) => Self::new(RefusalKind::Forbidden, "not_allowed", message),
            Error::Invalid { field, .. } => {
                Self::new(RefusalKind::BadRequest, "invalid_field", message).param(field)
            }
            Error::Conflict => Self::new(RefusalKind::Conflict, "version_conflict", message),
            Error::Randomness => Self::new(RefusalKind::Internal, "no_randomness", message),
            Error::Store(StoreError::Taken(field)) => {
                Self::new(RefusalKind::BadRequest, "already_taken", message).param(field)
            }
            Error::Store(_) => {
                Self::new(RefusalKind::Unavailable, "key_store_unavailable", message)
                    .retry_after(Duration::from_secs(1))
            }
        }
    }
}

const INCORRECT: &str = "Incorrect API key provided.";

fn unauthorized(code: &'static str, message: &'static str) -> Refusal {
    Refusal::new(RefusalKind::Unauthorized, code, message)
        .header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

pub(crate) fn model_not_allowed() -> Refusal {
    let message =
        "key_model_access_denied: this API key may not call the model that the request names.";
    Refusal::new(RefusalKind::Forbidden, "model_not_allowed", message).param("model")
}

pub(crate) fn model_not_told() -> Refusal {
    let message = "key_model_access_denied: this API key may call certain models only, and the request names none that can be checked.";
    Refusal::new(RefusalKind::Forbidden, "model_not_allowed", message).param("model")
}

pub(crate) fn alias() -> Refusal {
    Refusal::new(
        RefusalKind::BadRequest,
        "alias_not_possible",
        "This API key means another model by the name in the request, which can't be put in its place here. Name that model itself.",
    )
    .param("model")
}

pub(crate) fn key_type() -> Refusal {
    Refusal::new(
        RefusalKind::Forbidden,
        "key_type_not_allowed",
        "This API key is not for this: a key for management calls no models, and a key for models manages nothing. Use another.",
    )
}

pub(crate) fn address() -> Refusal {
    Refusal::new(
        RefusalKind::Forbidden,
        "address_not_allowed",
        "This API key may not be used from this address.",
    )
}

pub(crate) fn route() -> Refusal {
    Refusal::new(
        RefusalKind::Forbidden,
        "route_not_allowed",
        "This API key may not be used for this path.",
    )
}

pub(crate) fn guardrail() -> Refusal {
    Refusal::new(
        RefusalKind::Forbidden,
        "guardrail_not_configured",
        "This API key's calls must pass a guardrail that isn't configured here. Ask an administrator.",
    )
}

pub(crate) fn ambiguous_identity() -> Refusal {
    unauthorized(
        "ambiguous_identity",
        "The request speaks of several callers: its credential, its client certificate or what a trusted peer says. Let them speak of one.",
    )
}

pub(crate) fn unclear_peer() -> Refusal {
    unauthorized(
        "unclear_identity",
        "The headers of the trusted peer name no caller that can be told: name one key, or accounts, each once.",
    )
}

pub(crate) fn certificate_required() -> Refusal {
    Refusal::new(
        RefusalKind::Forbidden,
        "certificate_required",
        "This API key may be used only with its client certificate.",
    )
}

pub(crate) fn role_required() -> Refusal {
    Refusal::new(
        RefusalKind::Forbidden,
        "role_required",
        "This API key has not the role that this needs.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_of_the_store_tell_the_caller_nothing_of_it() {
        let error = || StoreError::unavailable("disk I/O error at /var/lib/keys.db");
        for refusal in [
            Refusal::from(Error::Store(error())),
            Refusal::from(&Denied::Unchecked(error())),
        ] {
            assert_eq!(refusal.kind(), RefusalKind::Unavailable);
            assert!(
                !refusal.message().contains("/var/lib"),
                "{}",
                refusal.message()
            );
        }
    }
}
