//! What form an answer's body has.

use http::{HeaderMap, header};

use crate::call::is_encoded;

/// The form of an answer's body, and so what taps see of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// One JSON document: [`Tap::reply`](crate::Tap::reply) sees it.
    Json,
    /// Server-sent events: [`Tap::event`](crate::Tap::event) sees each.
    Events,
    /// Anything else, or an encoding that is not read: only its end is seen.
    Opaque,
}

impl Form {
    /// Tells the form from an answer's headers.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let Some(content_type) = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
        else {
            return Self::Opaque;
        };
        if is_encoded(headers) {
            return Self::Opaque;
        }
        let essence = content_type
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            "text/event-stream" => Self::Events,
            _ if essence.starts_with("application/") && essence.ends_with("+json") => Self::Json,
            _ => Self::Opaque,
        }
    }
}
