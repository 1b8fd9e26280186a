//! The whole API, behind its layers.

use std::fmt;
use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use bartizan_auth::{AuthLayer, Keys};
use bartizan_core::{Body, Dialect, MatchedRoute, Refusal, RefusalKind};
use bartizan_limit::spend::Spend;
use http::header::{CACHE_CONTROL, ORIGIN};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use crate::capability::{Permitted, SeeKeys};
use crate::log::{AnyLog, ChangeLog};
use crate::routes::{Admin, Routes};
use crate::{key, organization, sighting, spend, team, user};

/// The management API: builds the router. See the [crate's documentation](crate).
pub struct AdminRouter {
    keys: Keys,
    log: Arc<dyn AnyLog>,
    auth: AuthLayer,
    routes: Routes,
    spend: Option<Spend>,
}

impl AdminRouter {
    /// Creates the API over `keys`, whose changes are recorded in `log`. Virtual keys are let in, and no master key unless
    /// [`auth`](Self::auth) is told one.
    #[must_use]
    pub fn new(keys: Keys, log: impl ChangeLog) -> Self {
        Self {
            auth: AuthLayer::new(keys.clone()),
            keys,
            log: Arc::new(log),
            routes: standard(),
            spend: None,
        }
    }

    /// Says who else is let in: the master key, identities from outside.
    ///
    /// What the layer stands before is set by this crate.
    #[must_use]
    pub fn auth(mut self, edit: impl FnOnce(AuthLayer) -> AuthLayer) -> Self {
        self.auth = edit(self.auth);
        self
    }

    /// Adds the routes of what was spent, which `spend` knows, and tells it of each key and account that is shown.
    #[must_use]
    pub fn spend(mut self, spend: &Spend) -> Self {
        self.routes = spend::routes(self.routes, spend);
        self.spend = Some(spend.clone());
        self
    }

    /// Adds routes.
    #[must_use]
    pub fn routes(mut self, add: impl FnOnce(Routes) -> Routes) -> Self {
        self.routes = add(self.routes);
        self
    }

    /// The OpenAPI document of all routes, which `GET /openapi.json` answers.
    #[must_use]
    pub fn document(&self) -> OpenApi {
        self.routes.document()
    }

    /// Builds the router, with its layers. Serve it as it is, or nest it: what it doesn't know it refuses, so it can't be merged with a router
    /// that has a fallback of its own.
    pub fn build(self) -> axum::Router {
        let Self {
            keys,
            log,
            auth,
            routes,
            spend,
        } = self;
        let text = Arc::new(OnceLock::new());
        let serve = Arc::clone(&text);
        let routes = routes.see(
            "/openapi.json",
            "Shows this document",
            move |_: Keys, _: Permitted<SeeKeys>, _: Nothing| {
                let text = Arc::clone(&serve);
                async move {
                    let text: Option<&Box<RawValue>> = text.get();
                    text.cloned().map(Shown).ok_or_else(crate::done::unsayable)
                }
            },
        );
        if let Ok(raw) = serde_json::value::to_raw_value(&routes.document()) {
            let _ = text.set(raw);
        }
        routes
            .router
            .with_state(Admin { keys, log })
            .fallback(async || nothing())
            .method_not_allowed_fallback(async || other_method())
            .layer(auth.for_management())
            .layer(middleware::map_request(move |mut request: Request| {
                let spend = spend.clone();
                async move {
                    if let Some(spend) = spend {
                        request.extensions_mut().insert(spend);
                    }
                    request
                }
            }))
            .layer(middleware::from_fn(before))
            .layer(middleware::map_response(after))
    }
}

/// Every route of this crate.
fn standard() -> Routes {
    let routes = key::routes(Routes::new());
    let routes = sighting::routes(routes);
    let routes = team::routes(routes);
    let routes = user::routes(routes);
    organization::routes(routes)
}

/// Nothing is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// The document itself.
#[derive(Serialize, ToSchema)]
#[schema(value_type = Object)]
struct Shown(Box<RawValue>);

/// Says which route was matched, so that nobody reads the path again; and refuses what a page of another site sends.
async fn before(mut request: Request, next: Next) -> Response {
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map(|matched| MatchedRoute(matched.as_str().into()));
    let extensions = request.extensions_mut();
    match route {
        Some(route) => extensions.insert(route),
        None => extensions.remove(),
    };
    extensions.insert(Dialect::Json);
    if comes_from_another_site(request.headers()) {
        return rendered(Refusal::new(
            RefusalKind::Forbidden,
            "cross_site",
            "a page of another site asks for this: it is refused whatever key it brings",
        ));
    }
    next.run(request).await
}

/// A browser says from where a page asks. Where it names a page's origin and doesn't say that it is this one, it is another: what `Host` says is
/// no proof of anything.
fn comes_from_another_site(headers: &HeaderMap) -> bool {
    match headers.get("sec-fetch-site") {
        Some(site) => !matches!(site.as_bytes(), b"same-origin" | b"none"),
        None => headers.contains_key(ORIGIN),
    }
}

/// What is told here is for nobody's cache.
async fn after(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn nothing() -> Response {
    rendered(Refusal::new(
        RefusalKind::NotFound,
        "unknown_path",
        "there is no such path here",
    ))
}

fn other_method() -> Response {
    rendered(Refusal::new(
        RefusalKind::MethodNotAllowed,
        "method_not_allowed",
        "this path takes other methods; `allow` lists them",
    ))
}

fn rendered(refusal: Refusal) -> Response {
    let response: http::Response<Body> = refusal.render(Dialect::Json);
    response.map(axum::body::Body::new).into_response()
}

impl fmt::Debug for AdminRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdminRouter")
            .field("keys", &self.keys)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}
