//! The innermost service: sends a call to the deployment that was chosen for it.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bartizan::core::{Body, Dialect, Refusal, RefusalKind, Served};
use bartizan::egress::{Client, Target};
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Request, Response};
use percent_encoding::percent_decode_str;
use tower::Service;

use super::{Chosen, failure};
use crate::config::Leg;

/// Sends to providers.
#[derive(Clone, Debug)]
pub(crate) struct Upstream(Client);

impl Upstream {
    pub(crate) fn new(client: Client) -> Self {
        Self(client)
    }

    /// The request as it leaves, and what its answer says of who gave it.
    fn prepare(request: Request<Body>) -> Result<(Request<Body>, Served), Refusal> {
        let lost = || {
            Refusal::new(
                RefusalKind::Internal,
                "internal_error",
                "no provider was chosen",
            )
        };
        let (mut parts, body) = request.into_parts();
        let chosen = parts.extensions.remove::<Chosen>().ok_or_else(lost)?;
        let leg = chosen.leg.ok_or_else(lost)?;
        let uri = parts.uri.clone();
        let target = with_query(&leg, uri.query().unwrap_or_default());
        let mut request = target.request(parts, uri.path(), body).map_err(|_| {
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
        Ok((request, chosen.told))
    }
}

/// The target with what of `query` may leave: what the provider's own path says, and how Google frames an answer. All else is the caller's.
fn with_query(leg: &Leg, query: &str) -> Target {
    let own = leg.query.as_deref().unwrap_or_default();
    let may = |word: &str| {
        let framing = word
            .strip_prefix('$')
            .or(word.strip_prefix("%24"))
            .unwrap_or(word);
        own.split('&').any(|own| own == word) || matches!(framing, "alt=sse" | "alt=json")
    };
    let words = query
        .split('&')
        .filter(|word| !word.is_empty() && may(word));
    words.fold(leg.target.clone(), |target, word| {
        let (name, value) = word.split_once('=').unwrap_or((word, ""));
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        target.query(&plain(name), &plain(value))
    })
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
            let (request, served) = match Self::prepare(request) {
                Ok(prepared) => prepared,
                Err(refusal) => return Ok(refusal.render(dialect)),
            };
            Ok(match client.send(request).await {
                Ok(response) => {
                    let mut response = failure::told_anew(response, dialect).await;
                    response.extensions_mut().insert(served);
                    response
                }
                Err(refusal) => refusal.render(dialect),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_query_of_a_callers_leaves() {
        for (own, query, sent) in [
            (None, "", ""),
            (None, "beta=true&key=k", ""),
            (
                Some("api-version=2024-10-21"),
                "api-version=2024-10-21",
                "?api-version=2024-10-21",
            ),
            (Some("api-version=2024-10-21"), "api-version=x", ""),
            (Some("alt=sse"), "alt=sse&key=k", "?alt=sse"),
            (None, "$alt=sse", "?%24alt=sse"),
            (None, "alt=media", ""),
        ] {
            let leg = Leg {
                target: Target::new("https://provider.example").unwrap(),
                query: own.map(Into::into),
            };
            let (parts, ()) = Request::post("/x").body(()).unwrap().into_parts();
            let request = with_query(&leg, query).request(parts, "/x", ()).unwrap();
            assert_eq!(
                *request.uri(),
                *format!("https://provider.example/x{sent}"),
                "{query}"
            );
        }
    }
}
