//! A tower layer that limits requests and tokens a minute.
//!
//! [`LimitLayer`] lets a call pass while its key and its model have requests and tokens left in this minute, refuses it with 429 and a
//! `retry-after` otherwise, and tells on every answer where the limits stand, in OpenAI's `x-ratelimit-*` headers. It goes inside the layer that
//! puts a [`Principal`](bartizan_core::Principal) into the request's extensions, and knows callers by that.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bartizan_core::{Body, Identity, Limits, Principal};
//! use bartizan_limit::LimitLayer;
//! use http::{Request, Response};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let layer = LimitLayer::new()
//!     .default_rpm(60) // each key, unless it carries a limit of its own
//!     .model("gpt-4o", Limits { rpm: Some(500), tpm: Some(30_000), ..Limits::default() }); // all callers together
//!
//! let service = layer.layer(service_fn(|_: Request<Body>| async {
//!     Ok::<_, Infallible>(Response::new(Body::from("answer")))
//! }));
//!
//! // As an authenticating layer would have done.
//! let caller = Principal::assume_verified(Identity::new("key_1").limits(Limits { rpm: Some(1), ..Limits::default() }));
//! let call = || {
//!     let body = Body::from(r#"{"model":"gpt-4o","messages":[{"role":"user","content":"Hello"}]}"#);
//!     Request::post("/v1/chat/completions").extension(caller.clone()).body(body)
//! };
//!
//! let answer = service.clone().oneshot(call()?).await?;
//! assert_eq!(answer.status(), 200);
//! assert_eq!(answer.headers()["x-ratelimit-remaining-requests"], "0");
//!
//! let answer = service.oneshot(call()?).await?;
//! assert_eq!(answer.status(), 429);
//! assert_eq!(answer.headers()["retry-after"], "60");
//! # Ok(())
//! # }
//! ```
//!
//! # Which limits bind
//!
//! Every one that applies, all or nothing, at one moment: a call that one refuses costs nothing in the others.
//!
//! - The caller's key: the limits of its principal (LiteLLM's `rpm_limit`, `tpm_limit`), where it has none those of
//!   [`default_rpm`](LimitLayer::default_rpm) and [`default_tpm`](LimitLayer::default_tpm).
//! - The model that the request names: [`model`](LimitLayer::model) for all callers together, [`model_per_key`](LimitLayer::model_per_key) for each.
//! - Calls without a principal share one count, under the default limits: a caller that nobody knows must not have a limit to itself.
//! - Proxy admins are bound by a model's limit and by limits of their own key, by the defaults only where [`limit_admins`](LimitLayer::limit_admins)
//!   says so.
//!
//! # What "a minute" means
//!
//! A limit of 60 requests a minute lets 60 through at once when nothing came before, and refills by one a second. So in any stretch of time no more
//! pass than the limit and what was refilled since: at once 60, within a minute at most 120, in the long run 60 a minute. There is no window
//! whose edge lets twice the limit through at one moment.
//!
//! # Tokens: reserved, then settled
//!
//! What a call costs is known at its end. So an estimate is reserved when it begins: a token for four bytes of its texts (two, outside of ASCII), and the
//! output that it asks for (`max_tokens`, times `n`), or [`default_output_tokens`](LimitLayer::default_output_tokens). When it ends it is settled to what
//! was used, and the limit then stands as though that had been charged from the start:
//!
//! | the call | costs |
//! |---|---|
//! | is answered, and the answer says its usage | that; beyond the estimate it is a debt that delays the next calls |
//! | is answered without usage, or its stream breaks, or the client leaves | its input, and the words that came, by estimate; the trail says so |
//! | is answered by what can't be read | its estimate |
//! | is refused inside, or the provider answers with an error | nothing |
//! | is left by the client, or its connection fails, before an answer | its input, by estimate: the provider may have read it |
//!
//! A call whose estimate alone is more than a limit could never pass: it is refused with 429 and `x-should-retry: false`. The answers of a call that
//! only looks (GET, HEAD, OPTIONS, DELETE) cost no tokens. The body is read only if tokens or a model are limited; what can't be read
//! counts as a request.
//!
//! # Headers
//!
//! Where any limit applies, all six `x-ratelimit-*` headers of the provider are taken away, and ours tell of the tightest limit of each kind, as of this
//! call's admission: `x-ratelimit-limit-requests`, `-remaining-requests`, `-reset-requests`, and the same for `-tokens`.
//!
//! # One process
//!
//! The count lives in this process: two of them let twice as much through. At most [`max_scopes`](LimitLayer::max_scopes) keys and models are remembered,
//! which idle ones leave; when all are active, calls of further ones are refused with 503, since forgetting a count would lift a limit.
//!
//! # Metrics
//!
//! `bartizan.limit.calls` by `outcome` (and `scope`, `measure` where refused); `bartizan.limit.settled_tokens` by `basis` (`reported`, `estimated`,
//! `refunded`); `bartizan.limit.scopes`.

mod bucket;
mod estimate;
mod headers;
mod layer;
mod ledger;
mod limiter;
mod local;
#[cfg(feature = "redis")]
mod redis;
mod refuse;
mod requests;
pub mod spend;
pub mod store;
mod tap;

pub use layer::{Limit, LimitLayer};
pub use local::Local;
#[cfg(feature = "redis")]
pub use redis::{Fallback, RedisBuilder, RedisConfigError, RedisStore};
pub use tap::LimitTap;
