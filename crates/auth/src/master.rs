//! The one key that may do everything.

use std::fmt;

use bartizan_core::{Identity, KeyType, Principal, Role};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::key::VirtualKey;
use crate::{ConfigError, strength};

const WHAT: &str = "master key";

/// The key whose holder may do everything (LiteLLM's `master_key`).
///
/// Only a digest stays in memory, under a key drawn anew by each process; a presented key is digested likewise and compared in constant
/// time, so that neither its length nor a shared beginning shows.
#[derive(Clone)]
pub struct MasterKey {
    keyed: Hmac<Sha256>,
    digest: [u8; 32],
    /// By what it is for: one that manages, and one that calls models too.
    principals: [Principal; 2],
}

impl MasterKey {
    /// Creates a master key from a secret of 32 to 1,024 visible ASCII characters.
    ///
    /// # Errors
    /// [`ConfigError`] when the secret is missing, short, published in public documents (`sk-1234` and its like), easy to guess (a
    /// sequence, a repetition, a placeholder word; an estimate below 80 bits), not fit for a header, or in the format of a virtual key.
    ///
    /// ```
    /// use bartizan_auth::{ConfigError, MasterKey};
    /// use secrecy::SecretString;
    ///
    /// let refused = MasterKey::new(SecretString::from("sk-1234"));
    /// assert!(matches!(refused, Err(ConfigError::Published { .. })));
    /// ```
    pub fn new(secret: SecretString) -> Result<Self, ConfigError> {
        if VirtualKey::claimed_by(secret.expose_secret()) {
            return Err(ConfigError::VirtualKey { what: WHAT });
        }
        strength::check(WHAT, &secret)?;
        let mut blind = [0_u8; 32];
        getrandom::fill(&mut blind).map_err(|_| ConfigError::Missing { what: "randomness" })?;
        let keyed =
            Hmac::new_from_slice(&blind).map_err(|_| ConfigError::Missing { what: WHAT })?;
        blind.fill(0);
        let digest = digest(&keyed, secret.expose_secret());
        let principals = [KeyType::Management, KeyType::Default].map(|key_type| {
            let identity = Identity::new("master_key").role(Role::ProxyAdmin);
            Principal::assume_verified(identity.key_type(key_type))
        });
        Ok(Self {
            keyed,
            digest,
            principals,
        })
    }

    /// Gives the principal of the master key when `presented` is it: a proxy admin, whose key is for management.
    #[must_use]
    pub fn verify(&self, presented: &str) -> Option<Principal> {
        self.verify_as(presented, KeyType::Management)
    }

    /// As [`verify`](Self::verify), with what the key is for.
    pub(crate) fn verify_as(&self, presented: &str, key_type: KeyType) -> Option<Principal> {
        let equal = digest(&self.keyed, presented).ct_eq(&self.digest);
        if !bool::from(equal) {
            return None;
        }
        let [manages, calls] = &self.principals;
        let is = |principal: &&Principal| principal.key_type() == key_type;
        [manages, calls].into_iter().find(is).cloned()
    }
}

fn digest(keyed: &Hmac<Sha256>, text: &str) -> [u8; 32] {
    let mut keyed = keyed.clone();
    keyed.update(text.as_bytes());
    keyed.finalize().into_bytes().into()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "sk-9f1c6bd2a07e43f58b3d6e2c914a7f05";

    #[test]
    fn only_the_whole_key_is_admitted_and_as_proxy_admin() {
        let master = MasterKey::new(SecretString::from(SECRET)).unwrap();
        assert_eq!(master.verify(SECRET).unwrap().role(), Role::ProxyAdmin);
        for wrong in [
            "",
            "sk-",
            &SECRET[..SECRET.len() - 1],
            &format!("{SECRET}0"),
            &SECRET.to_uppercase(),
            "sk-1234",
        ] {
            assert!(master.verify(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn its_own_digest_is_no_credential() {
        let master = MasterKey::new(SecretString::from(SECRET)).unwrap();
        let hex: String = master
            .digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(master.verify(&hex).is_none());
    }

    #[test]
    fn a_virtual_key_is_no_master_key() {
        let key = VirtualKey::generate().unwrap();
        assert!(matches!(
            MasterKey::new(key),
            Err(ConfigError::VirtualKey { .. })
        ));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(
            format!("{:?}", MasterKey::new(SecretString::from(SECRET)).unwrap()),
            "MasterKey(..)"
        );
    }
}
