//! What a caller is told who is not let in.

use std::time::Duration;

use bartizan_core::{Refusal, RefusalKind};
use http::HeaderValue;
use http::header::WWW_AUTHENTICATE;

use crate::credential::Unreadable;
use crate::keys::Denied;

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
            Denied::Unchecked(_) => Self::new(
                RefusalKind::Unavailable,
                "auth_unavailable",
                "The API key can't be checked at the moment. Try again later.",
            )
            .retry_after(Duration::from_secs(1)),
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

pub(crate) fn role_required() -> Refusal {
    Refusal::new(
        RefusalKind::Forbidden,
        "role_required",
        "This API key has not the role that this needs.",
    )
}
