//! A tower layer that knows who calls: master key and virtual keys.
//!
//! [`AuthLayer`] lets a request in when it carries a key of good standing, and puts the caller's [`Principal`](bartizan_core::Principal) into the
//! request's extensions, where limits, audit and routing find it. Everything else is refused: 401 without a good key, 403 for a blocked key or
//! account, or for what the key may not do, 503 when the store of keys can't tell. No path is open: route what must be (liveness) outside of
//! the layer.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use bartizan_auth::{AuthLayer, KeyRequest, Keys, MasterKey, MemoryStore, Pepper};
//! use bartizan_core::{Body, Models, Principal};
//! use http::{Request, Response};
//! use secrecy::{ExposeSecret, SecretString};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (master_secret, pepper_secret) = ("sk-5a0d83f7c2164be99e7b20f1d86c4a3e", "9f1c6bd2a07e43f58b3d6e2c914a7f05");
//! // Two secrets, read from where secrets are kept. Weak and published ones don't pass.
//! let master = MasterKey::new(SecretString::from(master_secret))?;
//! let pepper = Pepper::new(&SecretString::from(pepper_secret))?;
//! let keys = Keys::new(MemoryStore::new(), pepper);
//!
//! let layer = AuthLayer::new(keys.clone()).master_key(master.clone());
//! let service = layer.layer(service_fn(|request: Request<Body>| async move {
//!     let who = request.extensions().get::<Principal>().map(|principal| principal.key_id().to_owned());
//!     Ok::<_, Infallible>(Response::new(Body::from(who.unwrap_or_default())))
//! }));
//!
//! // Whoever holds the master key mints keys for others.
//! let admin = master.verify(master_secret).ok_or("wrong master key")?;
//! let mut wish = KeyRequest::default();
//! wish.models = Some(Models::Only(vec!["gpt-4o".to_owned()]));
//! wish.duration = Some("30d".parse()?);
//! let minted = keys.generate(&admin, wish).await?;
//!
//! let call = |key: &str| {
//!     Request::post("/v1/chat/completions")
//!         .header("authorization", format!("Bearer {key}"))
//!         .body(Body::from(r#"{"model":"gpt-4o","messages":[]}"#))
//! };
//! assert_eq!(service.clone().oneshot(call(minted.key.expose_secret())?).await?.status(), 200);
//! assert_eq!(service.clone().oneshot(call("sk-somebody-elses")?).await?.status(), 401);
//!
//! // From this moment on it opens nothing.
//! keys.revoke(&admin, minted.record.key_id.as_str()).await?;
//! assert_eq!(service.oneshot(call(minted.key.expose_secret())?).await?.status(), 401);
//! # Ok(())
//! # }
//! ```
//!
//! # What a key goes through
//!
//! 1. It is taken out of `authorization: Bearer`, `x-api-key`, `api-key`, `x-goog-api-key` or `x-litellm-api-key`. All of these are removed
//!    from the request, so that no provider ever sees a caller's key. Two that differ are refused.
//! 2. It is parsed: prefix, length, alphabet and checksum ([`VirtualKey`]). What has not the form of a virtual key can only be the
//!    master key, and is compared with it in constant time.
//! 3. It is hashed under the [`Pepper`]. A [`KeyStore`] is asked by [`KeyDigest`] and nothing else, so nothing that a caller sends reaches a
//!    query, and what lies in the database opens nothing.
//! 4. Its standing is checked at this moment, cached or not: revoked, blocked, expired; and that of the organisation, the team and the user
//!    that it belongs to (`blocked_organization`, `blocked_team`, `blocked_user`).
//! 5. What it is for is checked: a key for management calls no models, one for models manages nothing. The layer says what it stands before:
//!    [`for_models`](AuthLayer::for_models) by default, [`for_management`](AuthLayer::for_management), [`for_any`](AuthLayer::for_any). The master
//!    key is for management, unless it [is told otherwise](AuthLayer::master_key_may_call_models).
//! 6. From where it comes is checked by the [`ClientIp`](bartizan_core::ClientIp) in the request's extensions, and nothing else. A key that is bound to
//!    addresses is refused where there is none.
//! 7. Where it goes is checked by the [`MatchedRoute`](bartizan_core::MatchedRoute) in the extensions, or else by the path as it was sent: nothing is
//!    decoded, and a path that readers might read in two ways (`%`, `//`, `/./`, `;`) fits no pattern.
//! 8. An alias is replaced by the model that the key means by it; then the model is checked, if the key may not call all. A request in which no
//!    model can be read then passes only as GET or HEAD.
//!
//! In 5 to 8 everything binds that the key hangs on: its accounts, and the keys that it was minted with.
//!
//! # Organisations, teams, users
//!
//! A key may name a team, a user and an organisation. Where such an [`Account`] has a record, its models, paths, addresses, limits and budget bind
//! every key in it, from the moment at which it is made; where it has none, it is a name for the books.
//! [`Principal::scopes`](bartizan_core::Principal::scopes) lists whose limits and budgets bind a call.
//!
//! ```
//! use bartizan_auth::{AccountId, AccountKind, AccountRequest, KeyChange, KeyRequest, Keys, MasterKey, Member, MemoryStore, Pepper};
//! use bartizan_core::{Models, Role};
//! use secrecy::{ExposeSecret, SecretString};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (master_secret, pepper_secret) = ("sk-5a0d83f7c2164be99e7b20f1d86c4a3e", "9f1c6bd2a07e43f58b3d6e2c914a7f05");
//! # let admin = MasterKey::new(SecretString::from(master_secret))?.verify(master_secret).ok_or("wrong master key")?;
//! # let keys = Keys::new(MemoryStore::new(), Pepper::new(&SecretString::from(pepper_secret))?);
//! let search = AccountId::new(AccountKind::Team, "search");
//! let mut team = AccountRequest::of(search.clone());
//! team.rights.models = Models::Only(vec!["gpt-*".to_owned()]);
//! team.members = vec![Member { user_id: "robin".to_owned(), role: Role::TeamAdmin }];
//! keys.create_account(&admin, team).await?;
//!
//! // Robin's key may do what a team's administrator may: see `docs/roles.md`.
//! let mut wish = KeyRequest::default();
//! (wish.team_id, wish.user_id, wish.role) = (Some("search".to_owned()), Some("robin".to_owned()), Some(Role::TeamAdmin));
//! let robins = keys.generate(&admin, wish).await?;
//! let robin = keys.verify(robins.key.expose_secret()).await?;
//!
//! // A key of the team that is nobody's, for a service.
//! let service = keys.generate(&robin, KeyRequest::default()).await?;
//! let called = keys.verify(service.key.expose_secret()).await?;
//! assert_eq!(called.models(), &Models::Only(vec!["gpt-*".to_owned()]));
//!
//! // It changes what it likes, and widens nothing: the team is bound, and so is its administrator.
//! let mut change = KeyChange::default();
//! change.rights.models = Some(Models::All);
//! let changed = keys.update(&robin, service.record.key_id.as_str(), change, Some(1)).await?;
//! assert_eq!(changed.after.rights.models, Models::Only(vec!["gpt-*".to_owned()]));
//!
//! // Blocked, the team closes every key in it.
//! keys.set_account_blocked(&admin, &search, true).await?;
//! assert!(keys.verify(service.key.expose_secret()).await.is_err());
//! # Ok(())
//! # }
//! ```
//!
//! Who may do what is one table, [`reach`], by [`Action`] and role; [`allowed`] reads it for a caller, with what its key is for.
//!
//! # Other identities
//!
//! Off until they are set: tokens of an identity provider (feature `jwt`), client certificates ([`CertificateMap`]), the word of a trusted peer
//! ([`TrustedPeers`]), and whatever else can tell who calls ([`Outside`]). They name accounts or keys, which bind the caller as they bind a virtual
//! key. Two that speak of different callers are refused.
//!
//! # When the store fails
//!
//! Keys that were looked up in the last 30 seconds go on working, all others get 503 with `retry-after`. A store that hangs counts as failed
//! after a second. Nobody is ever let in without a record.
//!
//! # Delegation narrows
//!
//! [`Keys::generate`] gives a new key the meet of what was asked for and what its minter has. A member's key can't mint an administrator's, nor one
//! for more models, paths or addresses, a looser limit, a larger budget or a longer life than its own. A key that was minted with a virtual
//! key descends from it, and what binds the elder binds it for good, as it is at the moment of the call: who may mint many keys of ten
//! requests a minute has ten requests a minute. [`Keys::update`] widens nothing beyond whoever changes it nor beyond the elders, and
//! [`Keys::regenerate`] gives nobody the text of a key that may do more than their own.
//!
//! # Another text for the same key
//!
//! [`Keys::regenerate`] leaves name, rights and spending as they are; for a grace both texts work. [`Keys::rotate_due`] does so for keys with a
//! schedule, and hands the text to a [`Deliver`]. The pepper is changed by [`KeysBuilder::previous_pepper`].
//!
//! # Metrics
//!
//! `bartizan.auth.requests` by `outcome`; `bartizan.auth.key_lookups` by `outcome`; `bartizan.auth.cached_keys`; `bartizan.auth.keys_minted`;
//! `bartizan.auth.rotations` by `outcome`; `bartizan.auth.rewritten_digests` by `outcome`; `bartizan.auth.broken_feeds`.
//!
//! # Features
//!
//! `sqlite`: `SqliteStore`, for keys that outlive the process. `postgres`: `PostgresStore`, for keys that many processes share, and
//! `PostgresChanges`, by which they hear of changes. `redis`: `RedisChanges`, by which they hear of changes where the store can't tell.
//! `jwt`: tokens of an identity provider in the place of keys (the module `jwt`). `watch`: from where keys are used, and what of it is unusual (the
//! module `watch`). `geoip`: places of addresses for it.

mod account;
mod cache;
mod certificate;
mod chain;
mod credential;
mod digest;
mod error;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod feed;
mod identify;
#[cfg(feature = "jwt")]
pub mod jwt;
mod key;
mod keys;
mod layer;
mod master;
mod matrix;
mod metadata;
mod narrow;
mod outside;
mod peer;
mod random;
mod record;
mod refuse;
mod rights;
mod role;
mod route_groups;
mod sighting;
mod store;
mod strength;
#[cfg(feature = "watch")]
pub mod watch;

pub use account::{Account, AccountId, AccountKind, Member};
// What a record holds is read with nothing but this crate.
pub use bartizan_core::{Period, PeriodError};
pub use certificate::{CertificateField, CertificateMap};
pub use digest::{KeyDigest, Pepper};
pub use error::{ConfigError, Error};
#[cfg(feature = "postgres")]
pub use feed::PostgresChanges;
#[cfg(feature = "redis")]
pub use feed::RedisChanges;
pub use key::{KeyId, VirtualKey};
pub use keys::{
    AccountChange, AccountRequest, Changed, Claims, Deliver, Denied, KeyChange, KeyRequest, Keys,
    KeysBuilder, MintedKey, RightsChange,
};
pub use layer::{Auth, AuthLayer};
pub use master::MasterKey;
pub use matrix::{Action, Reach, allowed, reach};
pub use metadata::Metadata;
pub use outside::Outside;
pub use peer::TrustedPeers;
pub use record::{KeyRecord, Minter, Previous, Rotation, Standing};
pub use rights::{Addresses, Rights, Routes};
pub use role::{RequireRole, RequireRoleLayer, require_role};
pub use sighting::{Sighting, Spread};
#[cfg(feature = "sqlite")]
pub use store::SqliteStore;
pub use store::{
    AccountQuery, Change, Changes, KeyQuery, KeyStore, MemoryStore, SightingQuery, SpreadQuery,
    StoreError, Viewer,
};
#[cfg(feature = "postgres")]
pub use store::{PostgresSettings, PostgresStore};
