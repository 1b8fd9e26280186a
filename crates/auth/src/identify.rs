//! Who calls, of all that a request may say about it.

use std::sync::Arc;

use bartizan_core::{ClientCertificate, KeyType, Refusal};
use http::request::Parts;
use secrecy::{ExposeSecret, SecretString};

use crate::cache::Known;
use crate::chain::Admitted;
use crate::credential::{self, Unreadable};
use crate::key::VirtualKey;
use crate::keys::{Denied, Keys};
use crate::layer::Auth;
use crate::peer::{self, Passed};
use crate::refuse;

/// Who was let in: known to the service over a store, or the holder of the master key.
pub(crate) enum Entrant {
    Known(Arc<Known>),
    Master(Box<Admitted>),
}

impl Entrant {
    pub(crate) fn admitted(&self) -> &Admitted {
        match self {
            Self::Known(known) => &known.admitted,
            Self::Master(admitted) => admitted,
        }
    }
}

/// Nobody that may come in: one word for the records, and what the caller is told.
pub(crate) struct Unknown {
    pub(crate) reason: &'static str,
    pub(crate) refusal: Box<Refusal>,
}

impl Unknown {
    fn new(reason: &'static str, refusal: Refusal) -> Self {
        Self {
            reason,
            refusal: Box::new(refusal),
        }
    }
}

impl From<Unreadable> for Unknown {
    fn from(unreadable: Unreadable) -> Self {
        let reason = match unreadable {
            Unreadable::Missing => "missing",
            Unreadable::Malformed => "malformed",
            Unreadable::Ambiguous => "ambiguous",
        };
        Self::new(reason, unreadable.into())
    }
}

impl From<Denied> for Unknown {
    fn from(denied: Denied) -> Self {
        let reason = match &denied {
            Denied::Unknown => "unknown",
            Denied::Expired => "expired",
            Denied::Blocked => "blocked",
            Denied::Revoked => "revoked",
            Denied::BlockedAccount(_) => "blocked_account",
            Denied::Unchecked(_) => "unchecked",
        };
        Self::new(reason, Refusal::from(&denied))
    }
}

fn ambiguous() -> Unknown {
    Unknown::new("ambiguous_identity", refuse::ambiguous_identity())
}

impl Auth {
    /// Tells who calls, and takes out of the request what said so. All that says something has to speak of the same caller.
    pub(crate) async fn identify(&self, parts: &mut Parts) -> Result<Entrant, Unknown> {
        // Both before either is judged: what is refused must not go on anywhere with its headers.
        let passed = peer::take(self.peers.as_ref(), parts);
        let credential = match credential::take(&mut parts.headers) {
            Ok(credential) => Some(credential),
            // Something else than a header may tell who calls.
            Err(Unreadable::Missing) => None,
            Err(unreadable) => return Err(unreadable.into()),
        };
        let passed = passed
            .map_err(|peer::Unclear| Unknown::new("unclear_identity", refuse::unclear_peer()))?;
        let mut entrant = self.verify(parts, credential.as_ref()).await?;
        let certificate = parts.extensions.get::<ClientCertificate>();
        if let Some(passed) = passed {
            // The peer's certificate vouches for the peer: it is not asked who calls.
            let named = self.named_by_peer(&passed).await?;
            if entrant.is_some_and(|entrant| !same(&entrant, &named)) {
                return Err(ambiguous());
            }
            entrant = Some(named);
        } else if let Some(certificate) = certificate
            && let Some(key) = self
                .certificates
                .as_ref()
                .and_then(|map| map.identity(certificate))
        {
            match &entrant {
                Some(entrant) if !key.is(&entrant.admitted().principal) => return Err(ambiguous()),
                Some(_) => {}
                None => {
                    let known = self.store()?.known_by_name(key.as_str()).await?;
                    entrant = Some(Entrant::Known(known));
                }
            }
        }
        let entrant = entrant.ok_or(Unreadable::Missing)?;
        let lets = self
            .certificates
            .as_ref()
            .is_none_or(|map| map.lets(&entrant.admitted().principal, certificate));
        if lets {
            Ok(entrant)
        } else {
            Err(Unknown::new(
                "certificate_required",
                refuse::certificate_required(),
            ))
        }
    }

    /// A virtual key goes to the store, a token to whoever verifies tokens, anything else to whoever knows it, and last to the master key: no text is
    /// tried as two of them but the last. `None` where there was no credential and nobody knows the caller.
    async fn verify(
        &self,
        parts: &mut Parts,
        credential: Option<&SecretString>,
    ) -> Result<Option<Entrant>, Unknown> {
        let text = credential.map(ExposeSecret::expose_secret);
        if let Some(text) = text
            && VirtualKey::claimed_by(text)
        {
            let known = self.store()?.known_by_key(text).await?;
            return Ok(Some(Entrant::Known(known)));
        }
        #[cfg(feature = "jwt")]
        if let Some(jwt) = &self.jwt {
            let team = tokens::picked(&mut parts.headers);
            if let Some(text) = text
                && crate::jwt::Jwt::claimed_by(text)
            {
                let claims = jwt.verify(text, team?.as_deref()).await?;
                let known = self.store()?.known_by_claims(&claims).await?;
                return Ok(Some(Entrant::Known(known)));
            }
        }
        for outside in &self.outside {
            if let Some(claims) = outside.claims(&*parts, text).await? {
                let known = self.store()?.known_by_claims(&claims).await?;
                return Ok(Some(Entrant::Known(known)));
            }
        }
        let Some(text) = text else {
            return Ok(None);
        };
        let master = self.master.as_ref().ok_or(Denied::Unknown)?;
        let key_type = if self.master_calls_models {
            KeyType::Default
        } else {
            KeyType::Management
        };
        let principal = master.verify_as(text, key_type).ok_or(Denied::Unknown)?;
        Ok(Some(Entrant::Master(Box::new(Admitted::unbound(
            principal,
        )))))
    }

    async fn named_by_peer(&self, passed: &Passed) -> Result<Entrant, Unknown> {
        let keys = self.store()?;
        let known = match passed {
            Passed::Key(key_id) => keys.known_by_name(key_id.as_str()).await?,
            Passed::Claims(claims) => keys.known_by_claims(claims).await?,
        };
        Ok(Entrant::Known(known))
    }

    /// Without a store nobody but the master key is known.
    fn store(&self) -> Result<&Keys, Denied> {
        self.keys.as_ref().ok_or(Denied::Unknown)
    }
}

fn same(one: &Entrant, two: &Entrant) -> bool {
    one.admitted().principal.key_id() == two.admitted().principal.key_id()
}

#[cfg(feature = "jwt")]
mod tokens {
    use bartizan_core::{Refusal, RefusalKind};
    use http::{HeaderMap, HeaderName};

    use super::Unknown;
    use crate::jwt::JwtDenied;

    const NAMES: [HeaderName; 2] = [
        HeaderName::from_static("x-litellm-team-id"),
        HeaderName::from_static("x-bartizan-team"),
    ];

    impl From<JwtDenied> for Unknown {
        fn from(denied: JwtDenied) -> Self {
            Self::new(denied.reason(), Refusal::from(&denied))
        }
    }

    /// The one team that the request picks, whichever header it uses. The headers are taken out.
    pub(super) fn picked(headers: &mut HeaderMap) -> Result<Option<String>, Unknown> {
        let mut picked: Option<String> = None;
        let mut clear = true;
        for name in &NAMES {
            let http::header::Entry::Occupied(entry) = headers.entry(name) else {
                continue;
            };
            for value in entry.remove_entry_mult().1 {
                match std::str::from_utf8(value.as_bytes()) {
                    Ok(team) if picked.as_deref().is_none_or(|other| other == team) => {
                        picked = Some(team.to_owned());
                    }
                    _ => clear = false,
                }
            }
        }
        if clear {
            Ok(picked)
        } else {
            Err(Unknown::new(
                "jwt_teams",
                Refusal::new(
                    RefusalKind::BadRequest,
                    "team_not_picked",
                    "The request picks several teams. Pick one, by the header x-litellm-team-id or x-bartizan-team.",
                ),
            ))
        }
    }
}
