//! What is known of a key.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use bartizan_core::{Identity, Limits, Models, Principal, Role};

use crate::digest::KeyDigest;
use crate::key::KeyId;

/// All that a store keeps of one key. Times are counted from 1970-01-01 00:00 UTC, to the millisecond.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// The key's public name.
    pub key_id: KeyId,
    /// What a presented key is recognised by.
    pub digest: KeyDigest,
    /// The name that people gave it (`key_alias`). No two keys that aren't revoked share one.
    pub alias: Option<String>,
    /// The team that pays.
    pub team_id: Option<String>,
    /// The person or service whose key it is.
    pub user_id: Option<String>,
    /// What its holder may do beyond calling models.
    pub role: Role,
    /// The models that may be called.
    pub models: Models,
    /// The key's own limits.
    pub limits: Limits,
    /// Free-form pairs.
    pub metadata: BTreeMap<String, String>,
    /// Free-form words.
    pub tags: Vec<String>,
    /// The `key_id` of whoever minted it.
    pub created_by: String,
    /// When it was minted.
    pub created_at: Duration,
    /// When it ends to be valid.
    pub expires_at: Option<Duration>,
    /// Whether an administrator has blocked it for now.
    pub blocked: bool,
    /// When it was revoked for good.
    pub revoked_at: Option<Duration>,
}

/// Whether a key opens anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// It does.
    Live,
    /// Its time is over.
    Expired,
    /// An administrator has blocked it for now.
    Blocked,
    /// It was revoked for good.
    Revoked,
}

impl KeyRecord {
    /// Creates the record of a key that an internal user may call every model with, for ever.
    #[must_use]
    pub fn new(key_id: KeyId, digest: KeyDigest, created_at: Duration) -> Self {
        Self {
            key_id,
            digest,
            alias: None,
            team_id: None,
            user_id: None,
            role: Role::InternalUser,
            models: Models::All,
            limits: Limits::default(),
            metadata: BTreeMap::new(),
            tags: Vec::new(),
            created_by: String::new(),
            created_at,
            expires_at: None,
            blocked: false,
            revoked_at: None,
        }
    }

    /// Whether the key opens anything at `now`. A key is valid up to, and not at, the moment of its expiry.
    #[must_use]
    pub fn standing(&self, now: Duration) -> Standing {
        if self.revoked_at.is_some() {
            Standing::Revoked
        } else if self.blocked {
            Standing::Blocked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            Standing::Expired
        } else {
            Standing::Live
        }
    }

    /// The principal that the holder of this key is. Whoever calls it has checked the key, and its standing.
    pub(crate) fn principal(&self) -> Principal {
        let mut identity = Identity::new(self.key_id.as_str())
            .role(self.role)
            .models(self.models.clone())
            .limits(self.limits);
        if let Some(alias) = &self.alias {
            identity = identity.key_alias(alias);
        }
        if let Some(team) = &self.team_id {
            identity = identity.team_id(team);
        }
        if let Some(user) = &self.user_id {
            identity = identity.user_id(user);
        }
        for (name, value) in &self.metadata {
            identity = identity.metadata(name, value);
        }
        for tag in &self.tags {
            identity = identity.tag(tag);
        }
        Principal::assume_verified(identity)
    }
}

/// Names the key, and leaves out metadata, which may hold anything.
impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("key_id", &self.key_id)
            .field("team_id", &self.team_id)
            .field("role", &self.role)
            .field("blocked", &self.blocked)
            .field("revoked_at", &self.revoked_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_ends_at_its_very_expiry() {
        let end = Duration::from_millis(1_000);
        let mut record = KeyRecord::new(
            KeyId::generate().unwrap(),
            KeyDigest::from_bytes([0; 32]),
            Duration::ZERO,
        );
        assert_eq!(record.standing(Duration::MAX), Standing::Live);
        record.expires_at = Some(end);
        assert_eq!(
            record.standing(end - Duration::from_nanos(1)),
            Standing::Live
        );
        assert_eq!(record.standing(end), Standing::Expired);
        record.blocked = true;
        assert_eq!(record.standing(Duration::ZERO), Standing::Blocked);
        record.revoked_at = Some(Duration::ZERO);
        assert_eq!(record.standing(Duration::ZERO), Standing::Revoked);
    }

    #[test]
    fn debug_shows_no_metadata() {
        let mut record = KeyRecord::new(
            KeyId::generate().unwrap(),
            KeyDigest::from_bytes([0; 32]),
            Duration::ZERO,
        );
        record.metadata.insert("note".into(), "canary".into());
        assert!(!format!("{record:?}").contains("canary"));
    }
}
