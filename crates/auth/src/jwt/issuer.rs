//! An issuer whose tokens are trusted, and how far.

use std::time::Duration;

use bartizan_core::json::{Kind, Value};
use http::Uri;

use super::algorithm::Algorithm;
use super::claim_map::ClaimMap;
use super::denied::JwtDenied;
use super::source::{Place, Terms, fit};
use super::token::Token;
use crate::ConfigError;

const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// An issuer of tokens, and what its tokens have to be.
///
/// Its keys are found by OpenID Connect's discovery (`/.well-known/openid-configuration` behind the issuer) unless [`jwks_uri`](Self::jwks_uri) names
/// their address.
///
/// ```
/// use std::time::Duration;
/// use bartizan_auth::jwt::{Algorithm, Issuer};
///
/// let okta = Issuer::new("https://example.okta.com/oauth2/default", ["api://gateway"])?
///     .algorithms([Algorithm::Rs256])
///     .max_age(Some(Duration::from_secs(3600)));
/// assert!(Issuer::new("https://example.okta.com", Vec::<String>::new()).is_err(), "an audience is needed");
/// # let _ = okta;
/// # Ok::<(), bartizan_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Issuer {
    name: String,
    audiences: Vec<String>,
    algorithms: Vec<Algorithm>,
    types: Vec<String>,
    type_required: bool,
    leeway: Duration,
    max_age: Option<Duration>,
    keys: Option<Uri>,
    terms: Terms,
    claims: ClaimMap,
}

impl Issuer {
    /// Trusts tokens whose `iss` is `name` to the letter and whose `aud` has one of `audiences`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for an empty name, and without an audience: an issuer makes tokens for many services, and each of them could
    /// then call this one with what it was sent.
    pub fn new(
        name: impl Into<String>,
        audiences: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, ConfigError> {
        let name = name.into();
        let audiences: Vec<String> = audiences.into_iter().map(Into::into).collect();
        if name.is_empty() {
            return Err(ConfigError::Invalid {
                what: "the issuer of tokens",
                mend: "write it as the tokens have it in `iss`",
            });
        }
        if audiences.is_empty() || audiences.iter().any(String::is_empty) {
            return Err(ConfigError::Invalid {
                what: "the audience of tokens",
                mend: "write what the tokens that are made for this service have in `aud`",
            });
        }
        Ok(Self {
            name,
            audiences,
            algorithms: vec![Algorithm::Rs256],
            types: vec!["JWT".to_owned(), "at+jwt".to_owned()],
            type_required: false,
            leeway: Duration::from_secs(60),
            max_age: Some(Duration::from_secs(24 * 60 * 60)),
            keys: None,
            terms: Terms {
                ttl: Duration::from_secs(600),
                stale: Duration::from_secs(3_600),
                patience: FIVE_SECONDS,
                plain_http: false,
            },
            claims: ClaimMap::default(),
        })
    }

    /// The algorithms that it signs with; a token that names another is refused before a key is looked for. RS256 by default.
    pub fn algorithms(mut self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        self.algorithms = algorithms.into_iter().collect();
        self
    }

    /// What `typ` may say, without regard to case. `JWT` and `at+jwt` by default. Many issuers leave it out, which is let pass unless it is `required`.
    pub fn token_types(
        mut self,
        types: impl IntoIterator<Item = impl Into<String>>,
        required: bool,
    ) -> Self {
        self.types = types.into_iter().map(Into::into).collect();
        self.type_required = required;
        self
    }

    /// How far the clocks of issuer and gateway may be apart, where `exp`, `nbf` and `iat` are read. 60 seconds by default.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// How long after its `iat` a token is accepted at most, whatever its `exp` says. 24 hours by default; `None` asks for no `iat`.
    pub fn max_age(mut self, most: Option<Duration>) -> Self {
        self.max_age = most;
        self
    }

    /// Where the keys are, without discovery.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for what is no address.
    pub fn jwks_uri(mut self, keys: &str) -> Result<Self, ConfigError> {
        let keys = keys.parse().map_err(|_| ConfigError::Invalid {
            what: "jwks_uri",
            mend: "write an address that begins with `https://`",
        })?;
        self.keys = Some(keys);
        Ok(self)
    }

    /// How long fetched keys are believed without asking again (LiteLLM's `public_key_ttl`), and so how long a key that the issuer takes back goes on
    /// being believed. 600 seconds by default, 30 at least.
    pub fn public_key_ttl(mut self, ttl: Duration) -> Self {
        self.terms.ttl = ttl;
        self
    }

    /// How much longer they are believed while the issuer can't be asked (LiteLLM's `public_key_stale_ttl`); afterwards its tokens get 503. 3600 seconds
    /// by default; zero lets nobody in from the moment on that the keys' time is over.
    pub fn public_key_stale_ttl(mut self, stale: Duration) -> Self {
        self.terms.stale = stale;
        self
    }

    /// How long fetching the keys may take, discovery included. Five seconds by default.
    pub fn fetch_timeout(mut self, patience: Duration) -> Self {
        self.terms.patience = patience;
        self
    }

    /// Lets keys be fetched without TLS: whoever is between can then sign tokens of their own. For tests, and for an issuer in the same pod.
    pub fn dangerously_allow_http(mut self) -> Self {
        self.terms.plain_http = true;
        self
    }

    /// What its claims mean.
    pub fn claims(mut self, claims: ClaimMap) -> Self {
        self.claims = claims;
        self
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn terms(&self) -> Terms {
        self.terms
    }

    pub(super) fn claim_map(&self) -> &ClaimMap {
        &self.claims
    }

    /// Where its keys are.
    pub(super) fn place(&self) -> Result<Place, ConfigError> {
        let wrong = |what| ConfigError::Invalid {
            what,
            mend: "write an address that begins with `https://`",
        };
        if self.terms.ttl < Duration::from_secs(30) {
            return Err(ConfigError::Invalid {
                what: "public_key_ttl",
                mend: "give 30 seconds at least",
            });
        }
        if self.algorithms.is_empty() {
            return Err(ConfigError::Invalid {
                what: "the algorithms of an issuer",
                mend: "name the ones that it signs with",
            });
        }
        if let Some(keys) = &self.keys {
            return if fit(keys, self.terms.plain_http) {
                Ok(Place::Known(keys.clone()))
            } else {
                Err(wrong("jwks_uri"))
            };
        }
        // OpenID Connect Discovery 1.0, 4.1: behind the issuer's own path, after a slash at its end is taken off.
        let issuer = self.name.strip_suffix('/').unwrap_or(&self.name);
        let document: Uri = format!("{issuer}/.well-known/openid-configuration")
            .parse()
            .map_err(|_| wrong("the issuer of tokens, where its keys are discovered"))?;
        if fit(&document, self.terms.plain_http) && document.query().is_none() {
            Ok(Place::Discovered(document))
        } else {
            Err(wrong("the issuer of tokens, where its keys are discovered"))
        }
    }

    /// Checks what can be told before a key is looked for, and gives the algorithm.
    pub(super) fn expects(&self, token: &Token<'_>) -> Result<Algorithm, JwtDenied> {
        // RFC 7515, 4.1.11: what isn't understood must be refused, and nothing that can stand there is understood here.
        if token.header.crit.is_some() {
            return Err(JwtDenied::Critical);
        }
        match &token.header.typ {
            Some(named) => {
                // RFC 7515, 4.1.9: the prefix may be left out.
                let short = named
                    .split_at_checked("application/".len())
                    .filter(|(prefix, _)| prefix.eq_ignore_ascii_case("application/"))
                    .map_or(named.as_str(), |(_, short)| short);
                if !self.types.iter().any(|one| one.eq_ignore_ascii_case(short)) {
                    return Err(JwtDenied::Type);
                }
            }
            None if self.type_required => return Err(JwtDenied::Type),
            None => {}
        }
        Algorithm::of(token.header.alg)
            .filter(|algorithm| self.algorithms.contains(algorithm))
            .ok_or(JwtDenied::Algorithm)
    }

    /// Checks whom and for how long a token is for, and gives the moment from which on it is not valid.
    pub(super) fn judge(&self, claims: Value<'_>, now: Duration) -> Result<Duration, JwtDenied> {
        let audience = claims
            .get("aud")
            .ok_or_else(|| JwtDenied::Claim("aud".into()))?;
        let ours = |value: Value<'_>| self.audiences.iter().any(|audience| value.is(audience));
        let meant = match audience.kind() {
            Kind::Array => audience.items().any(ours),
            _ => ours(audience),
        };
        if !meant {
            return Err(JwtDenied::Audience);
        }
        let ends = time(claims, "exp")?.ok_or_else(|| JwtDenied::Claim("exp".into()))?;
        let mut ends_at = ends.saturating_add(self.leeway);
        let latest = now.saturating_add(self.leeway);
        if time(claims, "nbf")?.is_some_and(|begins| begins > latest) {
            return Err(JwtDenied::Early);
        }
        let issued = time(claims, "iat")?;
        if issued.is_some_and(|issued| issued > latest) {
            return Err(JwtDenied::Early);
        }
        if ends_at <= now {
            return Err(JwtDenied::Expired);
        }
        if let Some(most) = self.max_age {
            let issued = issued.ok_or_else(|| JwtDenied::Claim("iat".into()))?;
            let old_at = issued.saturating_add(most).saturating_add(self.leeway);
            if old_at <= now {
                return Err(JwtDenied::Old);
            }
            ends_at = ends_at.min(old_at);
        }
        Ok(ends_at)
    }
}

/// RFC 7519, 2: seconds since 1970, with a fraction perhaps. What is there and no such number is a fault, not an absence.
fn time(claims: Value<'_>, name: &str) -> Result<Option<Duration>, JwtDenied> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let seconds = match value.kind() {
        Kind::Number => value.raw().parse::<f64>().ok(),
        _ => None,
    };
    seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map(Some)
        .ok_or_else(|| JwtDenied::Claim(name.into()))
}
