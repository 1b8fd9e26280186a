//! End users, as callers call them: never by their names.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use bartizan_core::Principal;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::allowance::Allowance;

/// What binds end users: those whom a request names in its `user` (Anthropic's `metadata.user_id`).
///
/// A caller may write there what it likes, so an end user is one of the caller's own: of its team, or else of its user, or else of its key. In
/// counts and in what is recorded stands a keyed digest of both, which is the same wherever the secret is, and tells nobody who it was.
#[derive(Clone)]
pub struct EndUsers {
    secret: SecretString,
    each: Allowance,
    named: BTreeMap<String, Allowance>,
}

/// A secret under 32 bytes: digests of names could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the secret that end users' names are digested with is at least 32 bytes")]
pub struct ShortSecret;

impl EndUsers {
    /// Creates what binds no end user, but digests their names for the record.
    ///
    /// # Errors
    /// [`ShortSecret`], under 32 bytes.
    pub fn new(secret: SecretString) -> Result<Self, ShortSecret> {
        if secret.expose_secret().len() < 32 {
            return Err(ShortSecret);
        }
        Ok(Self {
            secret,
            each: Allowance::default(),
            named: BTreeMap::new(),
        })
    }

    /// What binds each of them.
    #[must_use]
    pub fn each(mut self, allowance: impl Into<Allowance>) -> Self {
        self.each = allowance.into();
        self
    }

    /// What binds those of that name, each caller's own: in the place of what binds each.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>, allowance: impl Into<Allowance>) -> Self {
        self.named.insert(name.into(), allowance.into());
        self
    }

    pub(crate) fn allowance(&self, name: &str) -> &Allowance {
        self.named.get(name).unwrap_or(&self.each)
    }

    pub(crate) fn bind(&self) -> bool {
        !self.each.is_empty() || self.named.values().any(|allowance| !allowance.is_empty())
    }

    /// 128 bits in hexadecimals.
    pub(crate) fn digest(&self, principal: Option<&Principal>, name: &str) -> String {
        let (level, id) = match principal {
            None => ("anonymous", ""),
            Some(principal) => match (principal.team_id(), principal.user_id()) {
                (Some(team), _) => ("team", team),
                (None, Some(user)) => ("user", user),
                (None, None) => ("key", principal.key_id()),
            },
        };
        // HMAC takes keys of any length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.secret.expose_secret().as_bytes())
        else {
            return String::new();
        };
        for part in ["bartizan end user", level, id, name] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        digest
            .iter()
            .take(16)
            .fold(String::with_capacity(32), |mut text, byte| {
                // Writing to a string can't fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }
}

/// Names nobody.
impl fmt::Debug for EndUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndUsers")
            .field("each", &self.each)
            .field("named", &self.named.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use bartizan_core::Identity;

    use super::*;

    #[test]
    fn an_end_user_is_the_callers_own_and_its_name_is_not_told() {
        let users = EndUsers::new("0123456789abcdef0123456789abcdef".into()).unwrap();
        let of = |identity: Identity| Some(Principal::assume_verified(identity));
        let callers = [
            None,
            of(Identity::new("k")),
            of(Identity::new("k").user_id("k")),
            of(Identity::new("k").team_id("k")),
        ];
        let mut digests = callers
            .iter()
            .map(|caller| users.digest(caller.as_ref(), "ada"))
            .collect::<Vec<_>>();
        assert!(digests.iter().all(|digest| digest.len() == 32));
        digests.sort();
        digests.dedup();
        assert_eq!(digests.len(), 4);
        let (one, other) = (
            of(Identity::new("k1").team_id("t")),
            of(Identity::new("k2").team_id("t")),
        );
        assert_eq!(
            users.digest(one.as_ref(), "ada"),
            users.digest(other.as_ref(), "ada")
        );
        assert_eq!(EndUsers::new("short".into()).map(|_| ()), Err(ShortSecret));
    }
}
