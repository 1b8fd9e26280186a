//! What goes wrong, as Presidio tells it: a status and `{"error": "..."}`.

use std::borrow::Cow;

use bartizan_core::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};

/// A request that isn't done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    status: u16,
    error: Cow<'static, str>,
}

impl Fault {
    pub(super) fn new(status: u16, error: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            error: error.into(),
        }
    }

    /// 400: the request has another shape.
    pub(super) fn bad(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, error)
    }

    /// 422: the anonymizer's, for a parameter that can't be meant.
    pub(super) fn invalid(error: impl Into<Cow<'static, str>>) -> Self {
        Self::new(422, error)
    }

    pub(super) fn internal() -> Self {
        Self::new(500, "Internal server error")
    }

    /// 503: it took too long.
    pub(super) fn late() -> Self {
        Self::new(503, "the request took too long")
    }

    pub(super) fn response(&self) -> Response<Body> {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        json(status, &serde_json::json!({ "error": self.error }))
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl serde::Serialize) -> Response<Body> {
    // What is written here has texts for keys and no number that JSON lacks.
    let body = serde_json::to_string(value).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
