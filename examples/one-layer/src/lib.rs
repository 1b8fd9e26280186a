//! `PiiLayer` alone, around any service that takes and gives JSON: here one that is no LLM API at all.

use std::convert::Infallible;

use bartizan::core::{Body, Dialect, Refusal};
use bartizan::pii::{ConfigError, Entity, PiiLayer};
use http::{Request, Response};
use tower::{Layer, Service};

/// The service that was there before: a ticket desk that files what it is sent and says it back.
async fn file_ticket(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let ticket = match request.into_body().into_bytes(1024 * 1024).await {
        Ok(ticket) => ticket,
        Err(refusal) => return Ok(Refusal::render(&refusal, Dialect::Json)),
    };
    let mut response = Response::new(Body::from(ticket.clone()));
    response.headers_mut().insert(
        "content-type",
        http::HeaderValue::from_static("application/json"),
    );
    // What an audit of the desk's disk would find.
    response
        .extensions_mut()
        .insert(Filed(String::from_utf8_lossy(&ticket).into_owned()));
    Ok(response)
}

/// What the desk filed.
#[derive(Clone, Debug)]
pub struct Filed(pub String);

/// The desk with masking around it: it files placeholders, and whoever wrote reads their own words.
///
/// # Errors
///
/// None with this configuration; the builder refuses contradictory ones.
pub fn desk() -> Result<
    impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone,
    ConfigError,
> {
    let layer = PiiLayer::builder()
        .mask([
            Entity::Email,
            Entity::Phone,
            Entity::InAadhaar,
            Entity::InPan,
        ])
        .block([Entity::Card])
        .dialect(Dialect::Json)
        .build()?;
    Ok(layer.layer(tower::service_fn(file_ticket)))
}
