//! The innermost service: sends a call to the deployment that was chosen for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan::core::{Body, Dialect, Refusal, RefusalKind};
use bartizan::egress::Client;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use tower::Service;

use super::catalogue::Served;
use super::{Chosen, failure};

/// Sends to providers.
#[derive(Clone, Debug)]
pub(crate) struct Upstream(Client);

impl Upstream {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    fn prepare(request: Request<Body>) -> Result<Request<Body>, Refusal> {
        let lost = || {
            Refusal::new(
                RefusalKind::Internal,
                "internal_error",
                "no provider was chosen",
            )
        };
        let (mut parts, body) = request.into_parts();
        let chosen = parts.extensions.remove::<Chosen>().ok_or_else(lost)?;
        let Served::By(deployment, _) = &*chosen.served else {
            return Err(lost());
        };
        let path = parts.uri.path().to_owned();
        let target = if chosen.stream {
            &deployment.stream_target
        } else {
            &deployment.target
        };
        let mut request = target.request(parts, &path, body).map_err(|_| {
            Refusal::new(
                RefusalKind::BadRequest,
                "invalid_model",
                "the model's name can't stand in a path",
            )
            .param("model")
        })?;
        request
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }
}

impl Service<Request<Body>> for Upstream {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let client = self.0.clone();
        Box::pin(async move {
            let dialect = request
                .extensions()
                .get::<Dialect>()
                .copied()
                .unwrap_or(Dialect::Other);
            let sent = match Self::prepare(request) {
                Ok(request) => client.send(request).await,
                Err(refusal) => Err(refusal),
            };
            Ok(match sent {
                Ok(response) => failure::told_anew(response, dialect),
                Err(refusal) => refusal.render(dialect),
            })
        })
    }
}
