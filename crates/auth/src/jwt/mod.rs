//! Tokens of an identity provider (JWT, OpenID Connect) in the place of keys.
//!
//! [`Jwt`] verifies what an issuer signed and says what it means here; [`AuthLayer::jwt`](crate::AuthLayer::jwt) lets its bearers in. What has the form of
//! a token is tried as a token and as nothing else.
//!
//! ```
//! use bartizan_auth::jwt::{Algorithm, ClaimMap, Fetch, FetchError, Fetched, Issuer, Jwt};
//! # use http::{StatusCode, Uri};
//! # struct Client;
//! # impl Fetch for Client {
//! #     async fn get(&self, _: &Uri, _: usize) -> Result<Fetched, FetchError> {
//! #         Ok(Fetched::new(StatusCode::OK, Vec::new()))
//! #     }
//! # }
//! # let client = Client;
//! let mut claims = ClaimMap::default();
//! claims.team_ids_jwt_field = Some("groups".parse()?);
//!
//! let issuer = Issuer::new("https://login.example.com/realms/staff", ["llm-gateway"])?
//!     .algorithms([Algorithm::Es256])
//!     .claims(claims);
//! let jwt = Jwt::builder(client).issuer(issuer).build()?;
//!
//! assert!(Jwt::claimed_by("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"));
//! assert!(!Jwt::claimed_by("sk-bz-0123456789"));
//! # let _ = jwt;
//! # Ok::<(), bartizan_auth::ConfigError>(())
//! ```
//!
//! # What a token goes through
//!
//! 1. At most 8 KB, three parts of base64url without padding, strict JSON without duplicate keys, no `crit`, a `typ` that gives access.
//! 2. Its `iss` is one of those configured, and its `alg` one that is configured for this issuer. Only signatures that the issuer alone can make can be
//!    configured ([`Algorithm`]).
//! 3. Its `kid` names a key that the issuer publishes for that algorithm and for signing (`kty`, `crv`, `alg`, `use`, `key_ops`). Without a `kid` the
//!    issuer must have one key only. Nothing in the token brings a key of its own: `jwk`, `jku`, `x5c` and `x5u` are not looked at. RSA keys under 2048 bits
//!    are left out of a set.
//! 4. The signature is checked by ring.
//! 5. `aud` has one of the audiences configured; `exp`, `nbf` and `iat` fit, with a leeway; it is not older than configured.
//! 6. Its claims are read as [`ClaimMap`] says, and [`Keys::principal_of`](crate::Keys::principal_of) makes a principal of them: accounts that it names
//!    bind it, with their budgets, limits and models, and may be blocked.
//!
//! A verified token is remembered for 30 seconds (by the SHA-256 of all of it, never longer than it is valid or its key is published), so that a
//! signature isn't paid for at each call.
//!
//! # When the issuer fails
//!
//! Its keys are fetched again before their time is over, by the way, while those at hand serve. A key that is not among them makes it be asked again,
//! once in 30 seconds at most, once for all who wait. While it can't be asked, the keys serve on for
//! [`public_key_stale_ttl`](Issuer::public_key_stale_ttl); after that its tokens get 503. Never is somebody let in who can't be checked.
//!
//! # jsonwebtoken
//!
//! That crate reads headers and keys here. It would check signatures by a second stack of cryptography beside ring or by a provider that is set for the
//! whole process, its claims by the system's clock, and would take duplicate keys; so these three stand here.
//!
//! # Metrics
//!
//! `bartizan.auth.jwt.tokens` by `outcome` (`seen`, `verified`, or the reason of a refusal), `bartizan.auth.jwt.key_fetches` by `outcome`,
//! `bartizan.auth.jwt.stale_keys`, `bartizan.auth.jwt.seen_tokens`.

mod algorithm;
mod claim_map;
mod claim_path;
mod denied;
mod fetch;
mod issuer;
mod key_set;
mod seen;
mod source;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bartizan_core::{Clock, SystemClock};

pub use algorithm::Algorithm;
pub use claim_map::{ClaimMap, RoleMapping, ScopeMapping};
pub use claim_path::ClaimPath;
pub use denied::JwtDenied;
use fetch::AnyFetch;
pub use fetch::{Fetch, FetchError, Fetched};
pub use issuer::Issuer;
use seen::{Seen, TokenDigest, Verified};
use source::{Held, Source};
use token::Token;

use crate::ConfigError;
use crate::keys::Claims;

/// Verifies tokens. Clones share the issuers' keys and the memory of tokens. See the [module's documentation](self).
#[derive(Clone)]
pub struct Jwt(Arc<Issuers>);

struct Issuers {
    all: Vec<(Issuer, Arc<Source>)>,
    seen: Seen,
    memory: Duration,
    clock: Arc<dyn Clock>,
}

/// Sets up [`Jwt`].
#[must_use]
pub struct JwtBuilder {
    fetch: Arc<dyn AnyFetch>,
    issuers: Vec<Issuer>,
    memory: Duration,
    capacity: usize,
    clock: Arc<dyn Clock>,
}

impl Jwt {
    /// Sets up the verifying of tokens. The issuers' keys are had through `fetch`.
    pub fn builder(fetch: impl Fetch) -> JwtBuilder {
        JwtBuilder {
            fetch: Arc::new(fetch),
            issuers: Vec::new(),
            memory: Duration::from_secs(30),
            capacity: 10_000,
            clock: Arc::new(SystemClock::new()),
        }
    }

    /// Whether `text` has the form of a token: three parts of base64url, the first of which begins an object of JSON.
    #[must_use]
    pub fn claimed_by(text: &str) -> bool {
        token::has_form(text)
    }

    /// Gives what a token says, for the team that the request picks, once it is verified.
    ///
    /// # Errors
    /// [`JwtDenied`], for every text that is not a valid token of a trusted issuer, and whenever its keys can't be had.
    pub async fn verify(&self, token: &str, team: Option<&str>) -> Result<Claims, JwtDenied> {
        let judged = self.judge(token).await;
        let outcome = match &judged {
            Ok((_, outcome)) => outcome,
            Err(denied) => denied.reason(),
        };
        metrics::counter!("bartizan.auth.jwt.tokens", "outcome" => outcome).increment(1);
        let (verified, _) = judged?;
        verified.said.claims(team)
    }

    /// Fetches the issuers' keys before they are needed, and again before their time is over. It never ends: spawn it, and abort the task at the end.
    /// Without it, the first caller waits for the keys, and so does who comes after a pause.
    pub async fn keep_fresh(&self) {
        loop {
            for (_, source) in &self.0.all {
                source.keep_fresh();
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    async fn judge(&self, token: &str) -> Result<(Verified, &'static str), JwtDenied> {
        let clock = &self.0.clock;
        let digest = TokenDigest::of(token);
        if let Some(verified) = self.0.seen.get(&digest, clock.unix(), clock.monotonic())
            && let Some((_, source)) = self.0.all.get(verified.issuer)
            && source.held().await?.edition == verified.edition
        {
            return Ok((verified, "seen"));
        }
        let verified = self.examine(token).await?;
        if !self.0.memory.is_zero() {
            self.0.seen.insert(digest, verified.clone());
            metrics::gauge!("bartizan.auth.jwt.seen_tokens").set(self.0.seen.len() as f64);
        }
        Ok((verified, "verified"))
    }

    async fn examine(&self, text: &str) -> Result<Verified, JwtDenied> {
        let token = Token::read(text)?;
        let root = token.claims.root();
        let named = root.get("iss").ok_or(JwtDenied::Issuer)?;
        let (at, (issuer, source)) = self
            .0
            .all
            .iter()
            .enumerate()
            .find(|(_, (issuer, _))| named.is(issuer.name()))
            .ok_or(JwtDenied::Issuer)?;
        let algorithm = issuer.expects(&token)?;
        let mut held = source.held().await?;
        let kid = token.header.kid.as_deref();
        if held.keys.find(kid, algorithm).is_err()
            && let Some(newer) = missed(source, &held, kid).await?
        {
            held = newer;
        }
        let verified = held
            .keys
            .find(kid, algorithm)
            .and_then(|key| key.verify(algorithm, token.message, &token.signature));
        if let Err(denied) = verified {
            tracing::debug!(
                issuer = source.issuer(),
                kid,
                reason = denied.reason(),
                "a token was refused"
            );
            return Err(denied);
        }
        let ends_at = issuer.judge(root, self.0.clock.unix())?;
        let said = issuer.claim_map().read(issuer.name(), root)?;
        Ok(Verified {
            issuer: at,
            edition: held.edition,
            ends_at,
            rests_until: self.0.clock.monotonic().saturating_add(self.0.memory),
            said: Arc::new(said),
        })
    }
}

/// Keys that the issuer may have published since. A token that names no key, or one that is known but not fit, doesn't make it be asked.
async fn missed(
    source: &Arc<Source>,
    held: &Held,
    kid: Option<&str>,
) -> Result<Option<Held>, JwtDenied> {
    if kid.is_none() || held.keys.names(kid) {
        return Ok(None);
    }
    source.newer(held).await
}

impl JwtBuilder {
    /// Trusts an issuer.
    pub fn issuer(mut self, issuer: Issuer) -> Self {
        self.issuers.push(issuer);
        self
    }

    /// How long a verified token is remembered, so that its signature isn't checked again. 30 seconds by default and at most; zero checks every time.
    pub fn token_ttl(mut self, memory: Duration) -> Self {
        self.memory = memory.min(Duration::from_secs(30));
        self
    }

    /// How many verified tokens are remembered at most. 10,000 by default.
    pub fn token_capacity(mut self, tokens: usize) -> Self {
        self.capacity = tokens;
        self
    }

    /// Where validity and the age of keys take the time from. The machine's clocks by default.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Creates the verifier.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] without an issuer, for one that is named twice, and for keys at an address that is not `https`.
    pub fn build(self) -> Result<Jwt, ConfigError> {
        if self.issuers.is_empty() {
            return Err(ConfigError::Invalid {
                what: "the issuers of tokens",
                mend: "name one at least",
            });
        }
        let mut all: Vec<(Issuer, Arc<Source>)> = Vec::new();
        for issuer in self.issuers {
            if all.iter().any(|(other, _)| other.name() == issuer.name()) {
                return Err(ConfigError::Invalid {
                    what: "the issuers of tokens",
                    mend: "name each once, with all its audiences",
                });
            }
            let source = Source::new(
                issuer.name().to_owned(),
                issuer.place()?,
                issuer.terms(),
                Arc::clone(&self.fetch),
                Arc::clone(&self.clock),
            );
            all.push((issuer, Arc::new(source)));
        }
        Ok(Jwt(Arc::new(Issuers {
            all,
            seen: Seen::new(self.capacity),
            memory: self.memory,
            clock: self.clock,
        })))
    }
}

impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.0.all.iter().map(|(issuer, _)| issuer.name()).collect();
        f.debug_struct("Jwt")
            .field("issuers", &names)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for JwtBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtBuilder")
            .field("issuers", &self.issuers)
            .finish_non_exhaustive()
    }
}
