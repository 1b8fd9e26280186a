//! What is stored in place of a key.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::key::VirtualKey;
use crate::{ConfigError, strength};

/// Names the one purpose that this digest serves. A second purpose takes a second label, so that a digest made for one is
/// worthless for the other.
const LABEL: &[u8] = b"bartizan/virtual-key/v1";

/// The keyed hash of a virtual key: what a store holds, and all that a store is ever asked for.
///
/// It can't be turned back into the key, can't be checked against a guess without the pepper, and is no credential: presented as
/// a bearer it does not even parse.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// Takes back what a store kept.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(..)")
    }
}

/// The secret that turns keys into digests. It lies beside the gateway's other secrets, never in the database of keys.
///
/// The digest is HMAC-SHA-256 under a key derived from the pepper by HKDF-SHA-256 with the label
/// `bartizan/virtual-key/v1`, so the same secret may feed other purposes under other labels. With another pepper no stored key
/// is known any more, unless the one of before is given too: [`KeysBuilder::previous_pepper`](crate::KeysBuilder::previous_pepper).
///
/// ```
/// use bartizan_auth::Pepper;
/// use secrecy::SecretString;
///
/// assert!(Pepper::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05")).is_ok());
/// assert!(Pepper::new(&SecretString::from("sk-1234")).is_err());
/// ```
#[derive(Clone)]
pub struct Pepper(Hmac<Sha256>);

impl Pepper {
    /// Creates a pepper from a secret of at least 32 characters.
    ///
    /// # Errors
    /// [`ConfigError`] when the secret is missing, short, predictable or published, as for
    /// [`MasterKey::new`](crate::MasterKey::new).
    pub fn new(secret: &SecretString) -> Result<Self, ConfigError> {
        strength::check("pepper", secret)?;
        let mut derived = [0_u8; 32];
        let derivation = Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes())
            .expand(LABEL, &mut derived);
        let keyed = Hmac::new_from_slice(&derived);
        derived.fill(0);
        // HKDF refuses only outputs over 255 blocks, HMAC no key at all; still, a failure must not become a fixed key.
        match (derivation, keyed) {
            (Ok(()), Ok(keyed)) => Ok(Self(keyed)),
            _ => Err(ConfigError::Missing { what: "pepper" }),
        }
    }

    /// The digest under which `key` is stored.
    #[must_use]
    pub fn digest(&self, key: VirtualKey<'_>) -> KeyDigest {
        let mut keyed = self.0.clone();
        keyed.update(key.as_str().as_bytes());
        KeyDigest(keyed.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pepper(secret: &str) -> Pepper {
        Pepper::new(&SecretString::from(secret)).unwrap()
    }

    #[test]
    fn digests_depend_on_the_key_and_on_the_pepper() {
        let (one, two) = (
            VirtualKey::generate().unwrap(),
            VirtualKey::generate().unwrap(),
        );
        let one = VirtualKey::parse(one.expose_secret()).unwrap();
        let two = VirtualKey::parse(two.expose_secret()).unwrap();
        let ours = pepper("9f1c6bd2a07e43f58b3d6e2c914a7f05");
        let theirs = pepper("9f1c6bd2a07e43f58b3d6e2c914a7f06");
        assert_eq!(ours.digest(one), ours.digest(one));
        assert_ne!(ours.digest(one), ours.digest(two));
        assert_ne!(ours.digest(one), theirs.digest(one));
    }

    #[test]
    fn the_derivation_does_not_drift() {
        // Computed apart, by RFC 5869 and RFC 2104: a change would lock out every stored key.
        let body = format!("sk-bz-{}3Dywqx", "A".repeat(43));
        let digest =
            pepper("9f1c6bd2a07e43f58b3d6e2c914a7f05").digest(VirtualKey::parse(&body).unwrap());
        let hex: String = digest
            .as_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            hex,
            "978fa8b1597276001e6c8a1db2cbeda783ddb205e170534f8507c72647a1bbc2"
        );
    }

    #[test]
    fn debug_shows_nothing() {
        let secret = "9f1c6bd2a07e43f58b3d6e2c914a7f05";
        assert_eq!(format!("{:?}", pepper(secret)), "Pepper(..)");
        assert_eq!(
            format!("{:?}", KeyDigest::from_bytes([7; 32])),
            "KeyDigest(..)"
        );
    }
}
