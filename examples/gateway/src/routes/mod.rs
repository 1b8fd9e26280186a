//! What is behind the socket: finds the route of a request and hands it to the layers that it must pass.

mod managed;
mod models;
mod own;
mod query;
mod route;

use std::convert::Infallible;
use std::sync::Arc;

use bartizan::audit::Journal;
use bartizan::core::{Body, BodyLimit, Dialect, MatchedRoute, Refusal, RefusalKind};
use http::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, HeaderName, Method, Request, Response, StatusCode};
use tower::ServiceExt as _;
use tower::util::BoxCloneSyncService;

use crate::server::Front;

pub(crate) use managed::Managed;
pub(crate) use own::Answers;
pub(crate) use query::QueryLayer;
pub(crate) use route::Route;

/// Layers with their innermost service, whatever they are.
pub(crate) type Stack = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// The layers for each kind of route.
#[derive(Clone, Debug)]
pub(crate) struct Stacks {
    /// Calls of models.
    pub(crate) llm: Stack,
    /// Questions to the gateway itself.
    pub(crate) own: Stack,
    /// Management of keys and accounts.
    pub(crate) managed: Stack,
}

/// The gateway, without its sockets.
#[derive(Clone, Debug)]
pub(crate) struct Gateway {
    inner: Arc<Inner>,
    /// Whether the management API is here too.
    manages: bool,
}

#[derive(Debug)]
struct Inner {
    llm: Stack,
    own: Stack,
    managed: Stack,
    journal: Journal,
    body_limit: BodyLimit,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST_ID: usize = 128;
const PANICKED: &str = "gateway_failed";

/// What a caller is told whose call made a layer panic.
pub(crate) fn panicked() -> Refusal {
    Refusal::new(
        RefusalKind::Internal,
        PANICKED,
        "the gateway failed at this call",
    )
}

impl Front for Gateway {
    type Place = Route;

    fn place(&self, method: &Method, path: &str) -> Route {
        Route::of(method, path)
    }

    fn dialect(route: &Route) -> Dialect {
        route.dialect()
    }

    fn is_liveness(route: &Route) -> bool {
        matches!(route, Route::Liveliness)
    }

    async fn answer(&self, route: Route, request: Request<Body>) -> Response<Body> {
        Self::answer(self, route, request).await
    }
}

impl Gateway {
    /// Puts the layers behind one door, without the management API.
    pub(crate) fn new(stacks: Stacks, journal: Journal, body_limit: BodyLimit) -> Self {
        let Stacks { llm, own, managed } = stacks;
        let inner = Inner {
            llm,
            own,
            managed,
            journal,
            body_limit,
        };
        Self {
            inner: Arc::new(inner),
            manages: false,
        }
    }

    /// The same with the management API, if `manages`.
    pub(crate) fn managing(&self, manages: bool) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            manages,
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, route: Route, mut request: Request<Body>) -> Response<Body> {
        let stack = match &route {
            Route::Llm(_) => &self.inner.llm,
            Route::Own(_) => &self.inner.own,
            Route::Managed(_) if self.manages => &self.inner.managed,
            Route::Managed(_) => return nothing(),
            Route::Liveliness => return said(StatusCode::OK, "ok"),
            Route::Readiness => return self.readiness(),
            Route::OtherMethod(allowed) => return other_method(allowed),
            Route::Nothing => return nothing(),
        };
        let id = request_id(request.headers_mut());
        let dialect = route.dialect();
        let extensions = request.extensions_mut();
        extensions.insert(dialect);
        extensions.insert(self.inner.body_limit);
        extensions.insert(MatchedRoute(route.pattern().into()));
        extensions.insert(route);
        let Ok(mut response) = stack.clone().oneshot(request).await;
        if let Some(refusal) = response.extensions().get::<Refusal>()
            && refusal.code() == PANICKED
        {
            // Whoever caught the panic did not know what the caller speaks.
            response = refusal.clone().render(dialect);
        }
        if let Some(theirs) = response.headers_mut().insert(REQUEST_ID, id) {
            // LiteLLM's spelling for what a provider sent.
            response
                .headers_mut()
                .insert(HeaderName::from_static("llm_provider-x-request-id"), theirs);
        }
        response
    }

    fn readiness(&self) -> Response<Body> {
        if self.inner.journal.is_healthy() {
            said(StatusCode::OK, "ok")
        } else {
            said(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    }
}

/// The id by which caller, log and record speak of one request: the caller's own, if it can stand anywhere.
fn request_id(headers: &mut HeaderMap) -> HeaderValue {
    if let Some(theirs) = headers.get(&REQUEST_ID)
        && (1..=LONGEST_ID).contains(&theirs.len())
        && theirs.as_bytes().iter().all(u8::is_ascii_graphic)
    {
        return theirs.clone();
    }
    let mut bytes = [0_u8; 16];
    // Without randomness an id is no more than empty; nothing rests on it.
    let _ = getrandom::fill(&mut bytes);
    let id: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let id = HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"));
    headers.insert(REQUEST_ID, id.clone());
    id
}

fn said(status: StatusCode, word: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(word));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

fn other_method(allowed: &'static str) -> Response<Body> {
    Refusal::new(
        RefusalKind::MethodNotAllowed,
        "method_not_allowed",
        format!("this path takes {allowed} only"),
    )
    .header(ALLOW, HeaderValue::from_static(allowed))
    .render(Dialect::Other)
}

fn nothing() -> Response<Body> {
    Refusal::new(
        RefusalKind::NotFound,
        "unknown_path",
        "there is no such path here",
    )
    .render(Dialect::Other)
}

#[cfg(test)]
mod tests {
    use bartizan::audit::MemorySink;
    use tower::{ServiceBuilder, service_fn};
    use tower_http::catch_panic::CatchPanicLayer;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_in_the_callers_dialect_and_for_that_caller_alone() {
        let panics = ServiceBuilder::new()
            .map_response(|response: Response<_>| response.map(Body::new))
            .layer(CatchPanicLayer::custom(crate::stack::panicked))
            .service(service_fn(async |request: Request<Body>| {
                assert!(request.headers().contains_key("well"), "canary");
                Ok::<_, Infallible>(Response::new(Body::empty()))
            }));
        let stack = BoxCloneSyncService::new(panics);
        let journal = Journal::builder().open(MemorySink::new()).await.unwrap();
        let stacks = Stacks {
            llm: stack.clone(),
            own: stack.clone(),
            managed: stack,
        };
        let gateway = Gateway::new(stacks, journal, BodyLimit::default());
        for (path, says) in [
            ("/v1/chat/completions", r#""code":"gateway_failed""#),
            (
                "/v1/messages",
                r#"{"type":"error","error":{"type":"api_error""#,
            ),
        ] {
            let route = Route::of(&Method::POST, path);
            let request = Request::post(path).body(Body::empty()).unwrap();
            let response = gateway.answer(route.clone(), request).await;
            assert_eq!(response.status(), 500);
            let body = response.into_body().into_bytes(1 << 20).await.unwrap();
            let body = String::from_utf8_lossy(&body);
            assert!(body.contains(says) && !body.contains("canary"), "{body}");
            let request = Request::post(path).header("well", "1").body(Body::empty());
            assert_eq!(gateway.answer(route, request.unwrap()).await.status(), 200);
        }
    }

    #[test]
    fn a_callers_id_is_kept_where_it_can_stand_anywhere() {
        for (theirs, kept) in [
            ("abc-1", true),
            ("", false),
            ("a b", false),
            (&"x".repeat(129), false),
            ("caf\u{e9}", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                REQUEST_ID,
                HeaderValue::from_bytes(theirs.as_bytes()).unwrap(),
            );
            let id = request_id(&mut headers);
            assert_eq!(id.as_bytes() == theirs.as_bytes(), kept, "{theirs}");
            assert_eq!(
                headers.get_all(&REQUEST_ID).iter().collect::<Vec<_>>(),
                [&id]
            );
        }
        let (mut one, mut two) = (HeaderMap::new(), HeaderMap::new());
        assert_ne!(request_id(&mut one), request_id(&mut two));
    }
}
