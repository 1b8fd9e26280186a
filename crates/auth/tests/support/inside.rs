//! A service behind the layer, and requests to it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bartizan_auth::{AuthLayer, KeyRequest, Keys};
use bartizan_core::{Body, Refusal};
use http::{HeaderValue, Request, Response};
use secrecy::ExposeSecret;
use tower::{Layer, ServiceExt, service_fn};

use super::admin;

pub(crate) const CHAT: &str = r#"{"model":"gpt-4o","messages":[]}"#;

/// What reached the inner service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Inside(Arc<Mutex<Vec<(http::request::Parts, String)>>>);

impl Inside {
    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    pub(crate) fn last(&self) -> http::request::Parts {
        self.0.lock().unwrap().last().unwrap().0.clone()
    }

    /// The body of the last.
    pub(crate) fn said(&self) -> String {
        self.0.lock().unwrap().last().unwrap().1.clone()
    }

    pub(crate) async fn send(&self, layer: &AuthLayer, request: Request<Body>) -> Response<Body> {
        let inside = self.clone();
        let service = layer.layer(service_fn(move |request: Request<Body>| {
            let inside = inside.clone();
            async move {
                let (parts, body) = request.into_parts();
                let said = body.into_bytes(1 << 20).await.unwrap();
                let said = String::from_utf8_lossy(&said).into_owned();
                inside.0.lock().unwrap().push((parts, said));
                Ok::<_, Infallible>(Response::new(Body::from("in")))
            }
        }));
        service.oneshot(request).await.unwrap()
    }
}

pub(crate) fn post(key: &[u8], body: &str) -> Request<Body> {
    let bearer = [b"Bearer ", key].concat();
    Request::post("/v1/chat/completions")
        .header("authorization", HeaderValue::from_bytes(&bearer).unwrap())
        .body(Body::from(body.to_owned()))
        .unwrap()
}

pub(crate) fn code(response: &Response<Body>) -> &'static str {
    response.extensions().get::<Refusal>().unwrap().code()
}

pub(crate) async fn mint(keys: &Keys, edit: impl FnOnce(&mut KeyRequest)) -> String {
    let mut request = KeyRequest::default();
    edit(&mut request);
    keys.generate(&admin(), request)
        .await
        .unwrap()
        .key
        .expose_secret()
        .to_owned()
}
