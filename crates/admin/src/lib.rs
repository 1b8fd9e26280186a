//! A management API for keys, teams, users and organizations: an axum router, in JSON, with LiteLLM's paths and fields.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use bartizan_admin::AdminRouter;
//! use bartizan_audit::{Journal, MemorySink};
//! use bartizan_auth::{Keys, MasterKey, MemoryStore, Pepper};
//! use http::Request;
//! use http_body_util::BodyExt;
//! use tower::ServiceExt;
//! # let random = |seed: u8| -> secrecy::SecretString {
//! #     (0..48_u8).map(|n| char::from(b'A' + n.wrapping_mul(29).wrapping_add(seed).rotate_left(3) % 57)).filter(char::is_ascii_alphabetic).collect::<String>().into()
//! # };
//! # let (pepper, master, text) = (random(1), random(2), random(2));
//!
//! let keys = Keys::new(MemoryStore::new(), Pepper::new(&pepper)?);
//! let journal = Journal::builder().open(MemorySink::new()).await?;
//! let master = MasterKey::new(master)?;
//! let admin = AdminRouter::new(keys, journal).auth(|layer| layer.master_key(master)).build();
//!
//! // One's own service, with the API on a path of it. It could as well be served on a listener of its own, which is better.
//! let service = axum::Router::new().nest("/admin", admin);
//!
//! # use secrecy::ExposeSecret;
//! let request = Request::post("/admin/key/generate")
//!     .header("authorization", format!("Bearer {}", text.expose_secret()))
//!     .body(axum::body::Body::from(r#"{"models":["gpt-4"],"max_budget":5000,"budget_duration":"30d"}"#))?;
//! let answer = service.oneshot(request).await?;
//! assert_eq!(answer.status(), 200);
//! let text = answer.into_body().collect().await?.to_bytes();
//! assert!(std::str::from_utf8(&text)?.contains(r#""max_budget":5000,"#));
//! # Ok(()) }
//! ```
//!
//! # What holds it together
//!
//! - A handler names what it needs in its type ([`Permitted`]); one that names nothing is none ([`Routes`]). Who may do it stands in one
//!   table, [`bartizan_auth::reach`]; whose things it reaches to is [`bartizan_auth::Keys`]' to see to.
//! - A capability belongs to the route that axum matched. No path, host or header is looked at to tell what a request may do. A path that is not
//!   known is refused: 401 without a key, 404 with one.
//! - What is sent is read strictly: JSON of 1 MiB and sixteen levels at most, whatever type it says it has; a field that is not known is refused by
//!   its name, and so is one that stands twice. `null` takes away what there is.
//! - What a browser sends for a page of another site is refused.
//! - A change is recorded before it is made and after ([`ChangeLog`]): where the first record can't be made durable, the answer is 503 and nothing
//!   was changed; where the second can't, it is 503 with another code, and the change stands. A key that was minted then is lost: nobody has
//!   its text.
//! - A key's text stands in the answer to its making and nowhere else, and is refused in a URL. No answer may be kept by a cache.
//! - Amounts of money go out with the digits that came in.
//!
//! # The document
//!
//! `GET /openapi.json` is made from the handlers' types, so that it tells each route with what it takes, gives and refuses.

mod account;
pub mod capability;
mod digits;
mod document;
mod done;
mod key;
mod log;
mod member;
mod money;
mod object;
mod organization;
mod page;
mod query;
mod read;
mod rights;
mod role;
mod router;
mod routes;
mod sighting;
mod spend;
mod team;
mod user;
mod widths;

pub use capability::{Capability, Permitted};
pub use done::Done;
pub use log::{ChangeLog, LogError, NoChangeLog};
pub use router::AdminRouter;
pub use routes::{Routes, Verbs, Wish};
