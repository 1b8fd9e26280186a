//! The gateway's own answers, and who may have them.
//!
//! Whoever answers takes a [`Verified`] caller, whose type says which role was checked. It can't be made without that check, so an
//! answer that asks for no role can't be written.

use std::marker::PhantomData;
use std::sync::Arc;

use bartizan::auth::{Keys, require_role};
use bartizan::core::{Body, Dialect, Principal, Refusal, RefusalKind, Role};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use serde::Serialize;

use super::route::{Own, Route};
use super::{keys, models};
use crate::provider::Catalogue;

/// A role, as a type.
pub(super) trait Capability {
    const ROLE: Role;
}

/// Whoever manages keys.
pub(super) struct Admin;

/// Whoever has a key.
pub(super) struct Caller;

impl Capability for Admin {
    const ROLE: Role = Role::ProxyAdmin;
}

impl Capability for Caller {
    const ROLE: Role = Role::InternalUser;
}

/// A caller whose role was checked.
pub(super) struct Verified<C> {
    principal: Principal,
    capability: PhantomData<C>,
}

impl<C: Capability> Verified<C> {
    fn check(parts: &Parts) -> Result<Self, Refusal> {
        Ok(Self {
            principal: require_role(parts, C::ROLE)?.clone(),
            capability: PhantomData,
        })
    }

    pub(super) fn principal(&self) -> &Principal {
        &self.principal
    }
}

/// What the answers are made from.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) keys: Keys,
    pub(crate) catalogue: Arc<Catalogue>,
    pub(crate) body_limit: usize,
}

impl Answers {
    /// Answers a request that has passed the layers.
    pub(crate) async fn answer(&self, request: Request<Body>) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let dialect = parts
            .extensions
            .get::<Route>()
            .map_or(Dialect::Other, Route::dialect);
        self.find(&parts, body)
            .await
            .unwrap_or_else(|refusal| refusal.render(dialect))
    }

    async fn find(&self, parts: &Parts, body: Body) -> Result<Response<Body>, Refusal> {
        let query = parts.uri.query().unwrap_or_default();
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
            Some(Route::Own(Own::KeyGenerate)) => {
                let by = Verified::check(parts)?;
                let body = body
                    .into_bytes(self.body_limit.min(keys::LARGEST_BODY))
                    .await?;
                json(&keys::generate(&by, &self.keys, &body).await?)
            }
            Some(Route::Own(Own::KeyInfo)) => {
                json(&keys::info(&Verified::check(parts)?, &self.keys, query).await?)
            }
            Some(Route::Own(Own::KeyDelete)) => {
                let by = Verified::check(parts)?;
                let body = body
                    .into_bytes(self.body_limit.min(keys::LARGEST_BODY))
                    .await?;
                json(&keys::delete(&by, &self.keys, &body).await?)
            }
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
    // An answer may hold a key.
    headers.insert(
        http::header::CACHE_CONTROL,
        HeaderValue::from_static("no-store"),
    );
    Ok(response)
}
