//! An axum service that was there before, with Bartizan's layers around it.

use axum::routing::{get, post};
use axum::{Json, Router};
use bartizan::auth::{AuthLayer, Keys, MasterKey, MemoryStore, Pepper};
use bartizan::guard::GuardLayer;
use bartizan::limit::LimitLayer;
use bartizan::pii::PiiLayer;
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceBuilder;

/// The handler that was there before: it would call a model; this one says back what it was sent.
async fn chat(Json(request): Json<Value>) -> Json<Value> {
    let member = |path: &str| request.pointer(path).cloned().unwrap_or_default();
    Json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": member("/model"),
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": member("/messages/0/content")}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18},
    }))
}

/// The service: one `ServiceBuilder` with every layer, so that a body is read once, and outside of it what needs no key.
///
/// # Errors
///
/// A master key or pepper that is weak or published.
pub fn app(
    master_key: SecretString,
    pepper: &SecretString,
) -> Result<Router, Box<dyn std::error::Error>> {
    let keys = Keys::new(MemoryStore::new(), Pepper::new(pepper)?);
    let layers = ServiceBuilder::new()
        .layer(
            AuthLayer::new(keys)
                .master_key(MasterKey::new(master_key)?)
                // Nothing here mints other keys.
                .master_key_may_call_models(),
        )
        .layer(LimitLayer::new().default_rpm(600).default_tpm(200_000))
        .layer(GuardLayer::default())
        .layer(PiiLayer::default());
    Ok(Router::new()
        .route("/v1/chat/completions", post(chat))
        .layer(layers)
        .route("/healthz", get(|| async { "ok" })))
}
