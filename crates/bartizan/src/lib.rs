//! Security layers for LLM traffic, under one name.
//!
//! Each layer is a crate of its own that knows [`core`] and no other layer; this crate re-exports them, a feature each, so that one line in
//! `Cargo.toml` brings what a service needs:
//!
//! ```toml
//! bartizan = { version = "0.1", features = ["audit", "auth", "limit", "pii"] }
//! ```
//!
//! | feature | module | its layer |
//! |---|---|---|
//! | `audit` | `audit` | `AuditLayer`: one tamper-evident line a call |
//! | `auth` | `auth` | `AuthLayer`: master key and virtual keys |
//! | `limit` | `limit` | `LimitLayer`: requests and tokens a minute |
//! | `guard` | `guard` | `GuardLayer`: injection, invisible text, deny-lists, leaking secrets |
//! | `pii` | `pii` | `PiiLayer`: masks personal data, and restores it in the answer |
//! | `translate` | `translate` | `TranslateLayer`: one API's clients on another's provider |
//! | `egress` | `egress` | `EgressLayer` and a client: reaches nothing that is not allowed |
//! | `full` | | all of them |
//! | `admin` | `admin` | no layer: a router that manages keys, teams, users and organizations |
//! | `jwt` | | tokens of identity providers, for `auth` |
//! | `sqlite` | | keys in a SQLite file |
//! | `postgres` | | keys in a PostgreSQL database that many processes share |
//! | `redis` | | word of changed keys from process to process |
//! | `aws` | | requests signed for Amazon Bedrock |
//! | `google` | | access tokens of a service account, for Vertex AI |
//! | `http2` | | HTTP/2 towards providers |
//!
//! No feature is on by default.
//!
//! # Order
//!
//! Outermost first: audit, auth, limit, guard, pii, translate, egress. Audit then sees refusals too; the cheap refusals come before
//! the costly looks at content; guard sees the raw prompt, and whatever leaves the machine is masked. Stacked in one
//! `tower::ServiceBuilder` they read each body once.

#[cfg(feature = "admin")]
pub use bartizan_admin as admin;
#[cfg(feature = "audit")]
pub use bartizan_audit as audit;
#[cfg(feature = "auth")]
pub use bartizan_auth as auth;
pub use bartizan_core as core;
#[cfg(feature = "egress")]
pub use bartizan_egress as egress;
#[cfg(feature = "guard")]
pub use bartizan_guard as guard;
#[cfg(feature = "limit")]
pub use bartizan_limit as limit;
#[cfg(feature = "pii")]
pub use bartizan_pii as pii;
#[cfg(feature = "translate")]
pub use bartizan_translate as translate;
