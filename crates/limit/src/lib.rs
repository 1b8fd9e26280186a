//! A tower layer that limits requests, tokens, calls at once and money.
//!
//! [`LimitLayer`] lets a call pass while all that binds it has room, refuses it with 429 otherwise, and tells on every answer where the limits of
//! the caller's own key stand, in OpenAI's `x-ratelimit-*` headers. It goes inside the layer that puts a
//! [`Principal`](bartizan_core::Principal) into the request's extensions, and knows callers by that.
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
//! let seconds: u64 = answer.headers()["retry-after"].to_str()?.parse()?;
//! assert!((60..=61).contains(&seconds));
//! # Ok(())
//! # }
//! ```
//!
//! # What binds
//!
//! Every scope that a call falls under, all or nothing, at one moment: a call that one refuses costs nothing in the others.
//!
//! - What the principal carries: the bounds of its organisation, its team, its user, the keys that its key was minted with, and its key, each for
//!   all models and for single ones; where it carries no scopes, its limits (LiteLLM's `rpm_limit`, `tpm_limit`, `max_parallel_requests`).
//!   Where they say nothing, [`default_limits`](LimitLayer::default_limits).
//! - A [`tier`](LimitLayer::tier) that one of these names.
//! - [`global`](LimitLayer::global), [`model`](LimitLayer::model), [`model_per_key`](LimitLayer::model_per_key), [`tag`](LimitLayer::tag),
//!   [`end_users`](LimitLayer::end_users).
//! - Calls without a principal share one count, under the default limits of keys: a caller that nobody knows must not have a limit to itself.
//! - Proxy admins are bound by the scopes and models' limits, by the defaults only where [`limit_admins`](LimitLayer::limit_admins) says so.
//!
//! An [`Allowance`] says what a scope may take: requests and tokens in windows of any length, calls and streams at once, money in periods.
//!
//! # Windows
//!
//! A window slides: a limit of 60 requests a minute lets no more than 60 through in any minute, whenever it begins. Time is divided into
//! sixtieths of the window, and what was taken counts until its sixtieth has wholly left: for one window, and for up to a sixtieth more.
//! That is the whole error, and it never lets more through than the limit. `retry-after` is exact: the call passes then, if nothing else comes
//! meanwhile, and not a millisecond earlier.
//!
//! # Periods
//!
//! Money is counted in periods of a calendar, in one [time zone](LimitLayer::time_zone): days and what is shorter begin at midnight, weeks on Monday, blocks of
//! several days or weeks are counted from 1970, months begin on the first. Nothing begins with a first call, so that a budget's days are
//! everybody's. `24h` is a day and `7d` is a week. Prices and costs are exact to 10⁻¹⁵ dollars; budgets count 10⁻⁹, a part of one as one.
//!
//! # Reserved, then settled
//!
//! What a call costs is known at its end. So the most is reserved when it begins: its input by estimate, and the output that it asks for (`max_tokens`,
//! times `n`). Where it doesn't say, [`default_output_tokens`](LimitLayer::default_output_tokens) against limits of tokens, and against budgets the
//! longest answer of the model where the [price list](PriceList) knows it. When it ends, it is settled to what was used:
//!
//! | the call | costs |
//! |---|---|
//! | is answered, and the answer says its usage | that; beyond what was reserved it is a debt that delays the next calls |
//! | is answered without usage, or its stream breaks, or the client leaves | its input, and the words that came, by estimate; the trail says so |
//! | is answered by what can't be read | what was reserved |
//! | is refused inside, or the provider answers with an error | nothing but the request |
//! | is left by the client, or its connection fails, before an answer | its input, by estimate: the provider may have read it |
//!
//! So a limit or budget is exceeded by no more than what the estimates of the inputs under way fell short, and by answers longer than they were
//! allowed to be, which a provider that keeps to `max_tokens` doesn't give. Money is settled at the prices of who answered
//! ([`Served`](bartizan_core::Served)). A call whose reservation alone is more than a limit could never pass: it is refused with `x-should-retry: false`.
//!
//! Calls that only look (GET, HEAD, OPTIONS, DELETE) cost a request and nothing more. The body is read only if something in it matters.
//!
//! # Answers
//!
//! | reached | answer |
//! |---|---|
//! | a window | 429 `rate_limit_exceeded`, `retry-after` |
//! | calls or streams at once | the same, with a second |
//! | a budget | 429 `insufficient_quota`, `x-should-retry: false` |
//! | a model without a price, where a budget binds | 403 `unknown_price` |
//! | the store, its memory, or the record of spend | 503 |
//!
//! Messages name the scope by what it is to the caller (this key, this key's team, model X); numbers are told of the own key alone, in messages as in
//! headers, since others' use could be read from what is shared. Where anything binds a call, all six `x-ratelimit-*` headers of the provider are taken away.
//!
//! # Where counts are
//!
//! In this process by default ([`Local`]): two of them let twice as much through. Any [`store::LimitStore`] can take its place. What was spent before a
//! store knew of a period, it is told by who keeps the record: [`Spent`], [`Record`].
//!
//! # Metrics
//!
//! `bartizan.limit.calls` by `outcome` (and `scope`, `measure` where refused); `bartizan.limit.settled_tokens` by `basis` (`reported`, `estimated`,
//! `refunded`); `bartizan.limit.unpriced`; `bartizan.limit.budget_alerts` by `scope` and `share`.

mod admission;
mod alerts;
mod allowance;
mod calendar;
mod end_user;
mod estimate;
#[cfg(feature = "exact")]
mod exact;
mod filter;
mod headers;
mod layer;
mod local;
mod measure;
mod plan;
mod prices;
#[cfg(feature = "redis")]
mod redis;
mod refuse;
mod rules;
mod scope;
mod settled;
pub mod spend;
pub mod store;
mod tap;

pub use alerts::{BudgetAlerts, Reached};
pub use allowance::{Allowance, NoBudget};
pub use calendar::NoZone;
pub use end_user::{EndUsers, ShortSecret};
#[cfg(feature = "exact")]
pub use exact::{ExactCount, ExactTokens};
pub use layer::{Limit, LimitLayer};
pub use local::Local;
pub use measure::TokenKind;
pub use prices::{PriceList, UnknownPrices};
#[cfg(feature = "redis")]
pub use redis::{Fallback, RedisBuilder, RedisConfigError, RedisStore};
pub use settled::{Outcome, Payer, Record, Settled, Spent};
pub use tap::LimitTap;
