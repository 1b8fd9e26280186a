//! Routes, each with what its handler needs, takes and gives in the handler's type.

use std::fmt;
use std::sync::Arc;

use axum::extract::{RawPathParams, Request, State};
use axum::routing::{MethodFilter, MethodRouter, on};
use bartizan_auth::Keys;
use bartizan_core::{Body, ClientIp, Dialect, Refusal};
use http::request::Parts;
use http::{HeaderValue, Response, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::{HttpMethod, OpenApi};

use crate::capability::{Capability, Permitted};
use crate::document::{self, Document};
use crate::done::{Done, unsayable};
use crate::log::{AnyLog, Recorder};
use crate::spend::Csv;
use crate::{query, read};

/// What a request asks to change.
///
/// It is read strictly: a member that the type doesn't know is refused by its name. So let it deny unknown fields.
pub trait Wish: DeserializeOwned + ToSchema + Send + 'static {
    /// The public names of what is to be changed, for the record. A key's text is none.
    fn targets(&self) -> Vec<&str>;

    /// Takes the name that stood in the path, where the route has one.
    ///
    /// # Errors
    /// 400 when the body names another.
    fn in_path(&mut self, id: String) -> Result<(), Refusal> {
        let _ = id;
        Err(read::invalid("path", "nothing is named in this path"))
    }
}

/// What every handler works with.
#[derive(Clone)]
pub(crate) struct Admin {
    pub(crate) keys: Keys,
    pub(crate) log: Arc<dyn AnyLog>,
}

/// Routes of a management API, with their OpenAPI document. [`AdminRouter::routes`](crate::AdminRouter::routes) adds one's own to those that are here.
///
/// A handler is an `async fn` of three arguments, the second of which says what it needs:
///
/// ```
/// use bartizan_admin::{Permitted, Routes, capability::SeeSpend};
/// use bartizan_auth::Keys;
/// use bartizan_core::Refusal;
///
/// #[derive(serde::Deserialize, utoipa::ToSchema)]
/// #[serde(deny_unknown_fields)]
/// struct Asked {}
///
/// #[derive(serde::Serialize, utoipa::ToSchema)]
/// struct Told { spend: u64 }
///
/// async fn spend(_: Keys, by: Permitted<SeeSpend>, _: Asked) -> Result<Told, Refusal> {
///     tracing::debug!(reach = by.reach().as_str(), "asked");
///     Ok(Told { spend: 0 })
/// }
///
/// let routes = Routes::new().see("/spend", "Shows what was spent", spend);
/// # let _ = routes;
/// ```
///
/// One that names nothing is no handler:
///
/// ```compile_fail
/// # use bartizan_admin::{Permitted, Routes, capability::SeeSpend};
/// # use bartizan_auth::Keys;
/// # use bartizan_core::Refusal;
/// # #[derive(serde::Deserialize, utoipa::ToSchema)]
/// # #[serde(deny_unknown_fields)]
/// # struct Asked {}
/// # #[derive(serde::Serialize, utoipa::ToSchema)]
/// # struct Told { spend: u64 }
/// async fn spend(_: Keys, _: Asked) -> Result<Told, Refusal> {
///     Ok(Told { spend: 0 })
/// }
///
/// let routes = Routes::new().see("/spend", "Shows what was spent", spend);
/// ```
///
/// Nor does a route compile that only shows things and whose capability changes some, and the other way round, for those are recorded:
///
/// ```compile_fail
/// # use bartizan_admin::{Permitted, Routes, capability::ResetSpend};
/// # use bartizan_auth::Keys;
/// # use bartizan_core::Refusal;
/// # #[derive(serde::Deserialize, utoipa::ToSchema)]
/// # #[serde(deny_unknown_fields)]
/// # struct Asked {}
/// # #[derive(serde::Serialize, utoipa::ToSchema)]
/// # struct Told { spend: u64 }
/// async fn spend(_: Keys, _: Permitted<ResetSpend>, _: Asked) -> Result<Told, Refusal> {
///     Ok(Told { spend: 0 })
/// }
///
/// let routes = Routes::new().see("/spend", "Shows what was spent", spend);
/// ```
///
/// And nobody but the router makes what says that a caller may:
///
/// ```compile_fail
/// # use bartizan_admin::{Permitted, capability::SeeSpend};
/// # let parts = http::Request::new(()).into_parts().0;
/// let by: Permitted<SeeSpend> = Permitted::check(&parts).unwrap();
/// ```
#[derive(Default)]
pub struct Routes {
    pub(crate) router: axum::Router<Admin>,
    document: Document,
}

/// By which methods a change is asked for. The first is in the documentation's examples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbs {
    /// `POST`.
    Post,
    /// `POST`, or `PATCH` as LiteLLM has it at some places.
    PostOrPatch,
    /// `POST`, or `DELETE` as LiteLLM has it at some places.
    PostOrDelete,
}

impl Verbs {
    const fn filter(self) -> MethodFilter {
        match self {
            Self::Post => MethodFilter::POST,
            Self::PostOrPatch => MethodFilter::POST.or(MethodFilter::PATCH),
            Self::PostOrDelete => MethodFilter::POST.or(MethodFilter::DELETE),
        }
    }

    const fn all(self) -> &'static [HttpMethod] {
        match self {
            Self::Post => &[HttpMethod::Post],
            Self::PostOrPatch => &[HttpMethod::Post, HttpMethod::Patch],
            Self::PostOrDelete => &[HttpMethod::Post, HttpMethod::Delete],
        }
    }
}

impl Routes {
    /// Begins with no route.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a route that shows something, by `GET`. What is asked for stands in the query.
    ///
    /// # Panics
    /// When the path is taken, or is none, as axum does.
    #[must_use]
    pub fn see<C, I, O, F>(
        mut self,
        path: &'static str,
        summary: &'static str,
        handler: impl Fn(Keys, Permitted<C>, I) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        C: Capability,
        I: DeserializeOwned + ToSchema + Send + 'static,
        O: Serialize + ToSchema + 'static,
        F: Future<Output = Result<O, Refusal>> + Send,
    {
        const { assert!(!C::ACTION.changes(), "what changes something is recorded") };
        self.document.add::<O>(
            path,
            summary,
            C::ACTION,
            &[HttpMethod::Get],
            document::query::<I>(),
        );
        self.router = self.router.route(path, serve_seen(handler, told));
        self
    }

    /// Adds a route that shows a table, as [`see`](Self::see) does.
    #[must_use]
    pub(crate) fn see_csv<C, I, F>(
        mut self,
        path: &'static str,
        summary: &'static str,
        handler: impl Fn(Keys, Permitted<C>, I) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        C: Capability,
        I: DeserializeOwned + ToSchema + Send + 'static,
        F: Future<Output = Result<Csv, Refusal>> + Send,
    {
        const { assert!(!C::ACTION.changes(), "what changes something is recorded") };
        let query = document::query::<I>().answered_as(CSV);
        self.document
            .add::<Csv>(path, summary, C::ACTION, &[HttpMethod::Get], query);
        let serve = serve_seen(handler, |table| match table {
            Ok(Csv(text)) => written(text, CSV),
            Err(refusal) => refusal.render(Dialect::Json),
        });
        self.router = self.router.route(path, serve);
        self
    }

    /// Adds a route that changes something. It is recorded before it is done, and after.
    ///
    /// # Panics
    /// As [`see`](Self::see).
    #[must_use]
    pub fn change<C, I, O, F>(
        mut self,
        verbs: Verbs,
        path: &'static str,
        summary: &'static str,
        handler: impl Fn(Keys, Permitted<C>, I) -> F + Clone + Send + Sync + 'static,
    ) -> Self
    where
        C: Capability,
        I: Wish,
        O: Serialize + ToSchema + Send + 'static,
        F: Future<Output = Result<Done<O>, Refusal>> + Send + 'static,
    {
        const { assert!(C::ACTION.changes(), "what changes nothing is not recorded") };
        self.document.add::<O>(
            path,
            summary,
            C::ACTION,
            verbs.all(),
            document::body::<I>(path),
        );
        let serve = move |State(admin): State<Admin>, named: RawPathParams, request: Request| async move {
            let named: Vec<String> = named.iter().map(|(_, value)| value.to_owned()).collect();
            // A task of its own: what was begun is recorded to the end, even when the caller leaves.
            let changing =
                tokio::spawn(Box::pin(make::<C, I, O, F>(admin, handler, named, request)));
            told(changing.await.unwrap_or_else(|_| {
                Err(Refusal::new(
                    bartizan_core::RefusalKind::Internal,
                    "failed",
                    "this failed on our side: look at what was changed before you ask again",
                ))
            }))
        };
        self.router = self.router.route(path, on(verbs.filter(), serve));
        self
    }

    /// The OpenAPI document of the routes.
    #[must_use]
    pub fn document(&self) -> OpenApi {
        self.document.build()
    }
}

/// Asks a handler that shows something.
fn serve_seen<C, I, O, F>(
    handler: impl Fn(Keys, Permitted<C>, I) -> F + Clone + Send + Sync + 'static,
    told: impl Fn(Result<O, Refusal>) -> Response<Body> + Clone + Send + Sync + 'static,
) -> MethodRouter<Admin>
where
    C: Capability,
    I: DeserializeOwned + Send + 'static,
    O: 'static,
    F: Future<Output = Result<O, Refusal>> + Send,
{
    let serve = move |State(admin): State<Admin>, request: Request| async move {
        let (parts, _) = request.into_parts();
        let answer = async {
            let by = Permitted::<C>::check(&parts)?;
            let asked = query::read(parts.uri.query())?;
            Box::pin(handler(admin.keys, by, asked)).await
        };
        told(answer.await)
    };
    on(MethodFilter::GET, serve)
}

/// Makes a change, between its records.
async fn make<C, I, O, F>(
    admin: Admin,
    handler: impl Fn(Keys, Permitted<C>, I) -> F + Send,
    named: Vec<String>,
    request: Request,
) -> Result<O, Refusal>
where
    C: Capability,
    I: Wish,
    F: Future<Output = Result<Done<O>, Refusal>> + Send,
{
    let (parts, body) = request.into_parts();
    let recorder = recorder::<C>(&admin, &parts);
    let by = match Permitted::<C>::check(&parts) {
        Ok(by) => by,
        Err(refusal) => {
            recorder.refused(&[], refusal.code()).await;
            return Err(refusal);
        }
    };
    refuse_key_in_query(&parts)?;
    let mut wish: I = read::body(Body::new(body)).await?;
    for name in named {
        read::refuse_key_in_url(&name)?;
        wish.in_path(name)?;
    }
    let targets: Vec<String> = wish.targets().into_iter().map(str::to_owned).collect();
    let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
    recorder.intend(&targets).await?;
    match Box::pin(handler(admin.keys, by, wish)).await {
        Ok(done) => {
            recorder.made(done.touched).await?;
            Ok(done.answer)
        }
        Err(refusal) => {
            recorder.refused(&targets, refusal.code()).await;
            Err(refusal)
        }
    }
}

fn recorder<C: Capability>(admin: &Admin, parts: &Parts) -> Recorder {
    Recorder::new(
        Arc::clone(&admin.log),
        C::ACTION.as_str(),
        parts.extensions.get(),
        parts.extensions.get::<ClientIp>().map(|from| from.0),
    )
}

/// What changes something takes all that it is told from the body.
fn refuse_key_in_query(parts: &Parts) -> Result<(), Refusal> {
    let Some(query) = parts.uri.query().filter(|query| !query.is_empty()) else {
        return Ok(());
    };
    let plain = percent_encoding::percent_decode_str(query).decode_utf8_lossy();
    read::refuse_key_in_url(&plain)?;
    Err(read::invalid(
        "query",
        "nothing is read from a query here: put it into the body",
    ))
}

/// An answer, or a refusal, in JSON.
fn told<O: Serialize>(answer: Result<O, Refusal>) -> Response<Body> {
    let text = answer.and_then(|answer| serde_json::to_string(&answer).map_err(|_| unsayable()));
    match text {
        Ok(text) => written(text, "application/json"),
        Err(refusal) => refusal.render(Dialect::Json),
    }
}

const CSV: &str = "text/csv; charset=utf-8";

fn written(text: String, media: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let media = HeaderValue::from_static(media);
    response.headers_mut().insert(header::CONTENT_TYPE, media);
    response
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Routes").finish_non_exhaustive()
    }
}
