//! Callers that are known by something other than a virtual key: a token, a certificate, a trusted peer's word.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bartizan_core::{KeyType, Limits, Models, Principal, Role};
use sha2::{Digest, Sha256};

use super::{Denied, Keys};
use crate::cache::Known;
use crate::chain::{Caller, Place};
use crate::digest::KeyDigest;
use crate::metadata;
use crate::rights::Rights;
use crate::store::StoreError;

/// What a verified credential says of its holder. Whoever makes claims has verified it.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// By what the caller is known, safe to log: `jwt:…`, `mtls:…`. Never the credential.
    pub key_id: String,
    /// A name for people.
    pub key_alias: Option<String>,
    /// The person or service.
    pub user_id: Option<String>,
    /// The team that pays.
    pub team_id: Option<String>,
    /// The organisation. That of the team's or the user's account by default.
    pub organization_id: Option<String>,
    /// What the caller may do beyond calling models. What its account says by default, an internal user's rights where it has none. Never more
    /// than its account says.
    pub role: Option<Role>,
    /// What the credential is for.
    pub key_type: KeyType,
    /// The models that may be called, or access groups.
    pub models: Models,
    /// The caller's own limits.
    pub limits: Limits,
    /// Free-form pairs.
    pub metadata: BTreeMap<String, String>,
    /// Free-form words.
    pub tags: Vec<String>,
}

impl Claims {
    /// Claims to be an internal user who may call every model, known by `key_id`.
    pub fn new(key_id: impl Into<String>) -> Self {
        Self {
            key_id: key_id.into(),
            key_alias: None,
            user_id: None,
            team_id: None,
            organization_id: None,
            role: None,
            key_type: KeyType::Default,
            models: Models::All,
            limits: Limits::default(),
            metadata: BTreeMap::new(),
            tags: Vec::new(),
        }
    }

    /// By what the same claims are found again. Every field counts, with its length, so that no two claims are taken for one another.
    fn digest(&self) -> KeyDigest {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        };
        part("bartizan/claims/v1");
        part(&self.key_id);
        for text in [
            &self.key_alias,
            &self.user_id,
            &self.team_id,
            &self.organization_id,
        ] {
            part(if text.is_some() { "some" } else { "none" });
            part(text.as_deref().unwrap_or_default());
        }
        part(self.role.map_or("none", Role::as_str));
        part(self.key_type.as_str());
        match &self.models {
            Models::All => part("all"),
            Models::Only(names) => {
                part(&names.len().to_string());
                names.iter().for_each(|name| part(name));
            }
        }
        part(&format!("{:?}", self.limits));
        for (name, value) in &self.metadata {
            part(name);
            part(value);
        }
        part("tags");
        self.tags.iter().for_each(|tag| part(tag));
        KeyDigest::from_bytes(hash.finalize().into())
    }
}

impl Keys {
    /// Gives the principal of a caller whose credential was verified elsewhere. Its accounts bind it as they bind a key, and may be blocked as for
    /// a key; they are looked up anew after the time to live of a looked-up key.
    ///
    /// # Errors
    /// [`Denied::BlockedAccount`], and [`Denied::Unchecked`] when the store can't tell.
    pub async fn principal_of(&self, claims: Claims) -> Result<Principal, Denied> {
        let known = self.known_by_claims(&claims).await?;
        Ok(known.admitted.principal.clone())
    }

    /// Who the claims let in.
    pub(crate) async fn known_by_claims(&self, claims: &Claims) -> Result<Arc<Known>, Denied> {
        let known = self
            .look_up_claims(claims)
            .await
            .map_err(Denied::Unchecked)?;
        match known.closed {
            Some(kind) => Err(Denied::BlockedAccount(kind)),
            None => Ok(known),
        }
    }

    async fn look_up_claims(&self, claims: &Claims) -> Result<Arc<Known>, StoreError> {
        let digest = claims.digest();
        let now = self.clock.monotonic();
        if let Some(known) = self.claimed.get(&digest, now) {
            return Ok(known);
        }
        let ticket = self.claimed.ticket(now);
        let mut rights = Rights {
            models: claims.models.clone(),
            ..Rights::default()
        };
        rights.bounds.limits = claims.limits;
        let mut caller = Caller {
            name: &claims.key_id,
            alias: claims.key_alias.as_deref(),
            place: Place {
                team_id: claims.team_id.as_deref(),
                user_id: claims.user_id.as_deref(),
                organization_id: claims.organization_id.as_deref(),
            },
            minter: None,
            role: Role::InternalUser,
            key_type: claims.key_type,
            rights: &rights,
            aliases: &BTreeMap::new(),
            metadata: &metadata::of_texts(&claims.metadata),
            tags: &claims.tags,
        };
        let (chain, hangs) = self.chain(&caller, &[], None).await?;
        caller.role = claims.role.unwrap_or_else(|| chain.role_of(caller.place));
        let admitted = chain.admit(&caller, &self.groups);
        let known = Arc::new(Known::of_claims(
            digest,
            chain.closed(&caller),
            admitted,
            hangs,
        ));
        self.claimed.insert(Arc::clone(&known), ticket);
        Ok(known)
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("key_id", &self.key_id)
            .field("team_id", &self.team_id)
            .field("organization_id", &self.organization_id)
            .field("role", &self.role)
            .finish_non_exhaustive()
    }
}
