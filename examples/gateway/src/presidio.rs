//! Presidio: its API served at an address of its own, and its analyzer asked for names and places.

use std::convert::Infallible;
use std::sync::Arc;

use bartizan::core::{Body, Dialect};
use bartizan::egress::{Client, Policy, Timeouts};
use bartizan::pii::{Model, Presidio, PresidioService};
use http::{Method, Request, Response, StatusCode};
use tower::util::BoxCloneSyncService;
use tower::{ServiceBuilder, ServiceExt as _};
use tower_http::catch_panic::CatchPanicLayer;

use crate::config::{AnalyzerSettings, Finder, PresidioSettings, Settings};
use crate::routes::Stack;
use crate::server::Front;
use crate::stack::StackError;

/// What answers at `bartizan.presidio.listen`.
#[derive(Clone, Debug)]
pub(crate) struct PresidioFront(Stack);

/// What is asked for, as far as the listener has to know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Health,
    Other,
}

impl PresidioFront {
    /// # Errors
    /// A kind that only a model finds, and no such model; no TLS for the way to that.
    pub(crate) fn new(settings: &Settings, own: &PresidioSettings) -> Result<Self, StackError> {
        let mut builder = PresidioService::builder().body_limit(settings.server.body_limit.request);
        builder = builder.analyzer(settings.pii.detection.own(), |builder| {
            settings.pii.detection.set_up(builder)
        });
        if let Some(key) = &own.api_key {
            builder = builder.bearer(key.clone());
        }
        if let Some(entities) = &own.entities {
            builder = builder.entities(entities.iter().copied());
        }
        if let Some(score) = own.score_threshold {
            builder = builder.score_threshold(score);
        }
        let analyzer = settings.guardrails.pii.as_ref();
        if let Some(analyzer) = analyzer.and_then(|pii| pii.analyzer.as_ref()) {
            builder = builder.model(model(analyzer)?);
        }
        let layers = ServiceBuilder::new()
            .map_response(|response: Response<_>| response.map(Body::new))
            .layer(CatchPanicLayer::custom(|_| {
                let error = r#"{"error":"Internal server error"}"#;
                let mut response = Response::new(Body::from(error));
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }))
            .service(builder.build()?);
        Ok(Self(BoxCloneSyncService::new(layers)))
    }
}

impl Front for PresidioFront {
    type Place = Place;

    fn place(&self, method: &Method, path: &str) -> Place {
        if method == Method::GET && path == "/health" {
            Place::Health
        } else {
            Place::Other
        }
    }

    fn dialect(_: &Place) -> Dialect {
        Dialect::Other
    }

    fn is_liveness(place: &Place) -> bool {
        *place == Place::Health
    }

    async fn answer(&self, _: Place, request: Request<Body>) -> Response<Body> {
        let answered: Result<_, Infallible> = self.0.clone().oneshot(request).await;
        let Ok(response) = answered;
        response
    }
}

/// Who finds what only a model finds: a model in this process, or a Presidio elsewhere, asked by a client of its own that reaches nothing
/// else.
///
/// # Errors
/// No TLS; an address that can't be asked.
pub(crate) fn model(settings: &AnalyzerSettings) -> Result<Arc<dyn Model>, StackError> {
    let presidio = match &settings.by {
        Finder::Onnx(loaded) => {
            // It was loaded with the configuration, which says how to log.
            tracing::info!(model = ?loaded, "a model looks for personal data");
            return Ok(loaded.model());
        }
        Finder::Presidio(presidio) => presidio,
    };
    let origin = presidio.origin.clone();
    let policy = if presidio.private {
        Policy::closed().allow_private(origin)
    } else {
        Policy::closed().allow(origin)
    };
    let limit = settings.timeout;
    let times = Timeouts::default().head(limit).idle(limit).total(limit);
    let client = Client::builder(policy).timeouts(times).build()?;
    let model = Presidio::at(&presidio.base, move |request: Request<Body>| {
        let client = client.clone();
        async move { client.send(request).await }
    })?;
    Ok(Arc::new(
        model
            .entities(presidio.entities.iter().copied())
            .language(&presidio.language),
    ))
}
