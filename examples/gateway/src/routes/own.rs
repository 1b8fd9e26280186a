//! The gateway's own answers, and who may have them.
//!
//! Whoever answers takes a [`Verified`] caller, which can't be made without a check.

use std::sync::Arc;

use bartizan::auth::require_role;
use bartizan::core::{Body, Dialect, Principal, Refusal, RefusalKind, Role};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use serde::Serialize;

use super::models;
use super::route::{Own, Route};
use crate::provider::Catalogue;

/// A caller who has a key.
pub(super) struct Verified(Principal);

impl Verified {
    fn check(parts: &Parts) -> Result<Self, Refusal> {
        Ok(Self(require_role(parts, Role::InternalUser)?.clone()))
    }

    pub(super) fn principal(&self) -> &Principal {
        &self.0
    }
}

/// What the answers are made from.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) catalogue: Arc<Catalogue>,
}

impl Answers {
    /// Answers a request that has passed the layers.
    pub(crate) fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, _) = request.into_parts();
        let dialect = parts
            .extensions
            .get::<Route>()
            .map_or(Dialect::Other, Route::dialect);
        self.find(&parts)
            .unwrap_or_else(|refusal| refusal.render(dialect))
    }

    fn find(&self, parts: &Parts) -> Result<Response<Body>, Refusal> {
        match parts.extensions.get::<Route>() {
            Some(Route::Own(Own::Models)) => {
                json(&models::all(&Verified::check(parts)?, &self.catalogue))
            }
            Some(Route::Own(Own::Model(name))) => json(&models::one(
                &Verified::check(parts)?,
                &self.catalogue,
                name,
            )?),
            Some(Route::Own(Own::GoogleModels)) => json(&models::all_of_googles(
                &Verified::check(parts)?,
                &self.catalogue,
            )),
            Some(Route::Own(Own::GoogleModel(name))) => json(&models::one_of_googles(
                &Verified::check(parts)?,
                &self.catalogue,
                name,
            )?),
            _ => Err(Refusal::new(
                RefusalKind::NotFound,
                "unknown_path",
                "there is no such path here",
            )),
        }
    }
}

fn json(value: &impl Serialize) -> Result<Response<Body>, Refusal> {
    let text = serde_json::to_string(value).map_err(|_| {
        Refusal::new(
            RefusalKind::Internal,
            "internal_error",
            "the answer can't be written",
        )
    })?;
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What a key may call is nobody else's.
    headers.insert(
        http::header::CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    );
    Ok(response)
}
