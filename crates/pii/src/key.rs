//! What needs a secret: keyed hashes, and values that can be decrypted.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use aes_gcm_siv::aead::{Aead, KeyInit as _, Payload};
use aes_gcm_siv::{Aes256GcmSiv, Nonce};
use bartizan_core::Principal;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use secrecy::zeroize::{Zeroize as _, Zeroizing};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::{ConfigError, Entity};

/// 32 hex digits are 128 bits.
const SHORTEST: usize = 32;
const NONCE: usize = 12;
/// How a sealed value begins; another form would begin otherwise.
const VERSION: u8 = 1;
/// 96 bits: no two of a thousand million values share a hash.
const HASH: usize = 12;
const HASHED: &str = "hash";
const SEALED: &str = "enc";

/// Whose data it is: it goes into every hash and every sealed value, so that neither says anything about another tenant's.
///
/// ```
/// use bartizan_core::{Identity, Principal};
/// use bartizan_pii::Tenant;
///
/// let principal = Principal::assume_verified(Identity::new("k-1").team_id("payments"));
/// assert_eq!(Tenant::of(Some(&principal)), Tenant::team("payments"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tenant(Cow<'static, str>);

impl Tenant {
    /// Nobody in particular: where there is one tenant only.
    pub const NONE: Self = Self(Cow::Borrowed(""));

    /// A team.
    #[must_use]
    pub fn team(id: &str) -> Self {
        Self(format!("team:{id}").into())
    }

    /// The holder of one key, who belongs to no team.
    #[must_use]
    pub fn key(id: &str) -> Self {
        Self(format!("key:{id}").into())
    }

    /// The caller's team; the key, where it belongs to none; [`NONE`](Self::NONE), where nobody verified who calls.
    #[must_use]
    pub fn of(principal: Option<&Principal>) -> Self {
        match principal.map(|principal| (principal.team_id(), principal.key_id())) {
            Some((Some(team), _)) => Self::team(team),
            Some((None, key)) => Self::key(key),
            None => Self::NONE,
        }
    }

    /// What is hashed: the kind of tenant and its id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A secret from which keys for each purpose are derived (HKDF-SHA-256, one label a purpose). Cloning is cheap.
///
/// ```
/// use bartizan_pii::{Entity, Key, Tenant, decrypt};
/// use secrecy::{ExposeSecret, SecretString};
///
/// let key = Key::new(&SecretString::from("9f1c6bd2a07e43f58b3d6e2c914a7f05"))?;
/// let tenant = Tenant::team("payments");
///
/// let hash = key.hash(Entity::InPan, "ABCPE1234F", &tenant);
/// assert!(hash.starts_with("<IN_PAN:hash:") && hash.len() == 30);
/// assert_eq!(hash, key.hash(Entity::InPan, "ABCPE1234F", &tenant));
/// assert_ne!(hash, key.hash(Entity::InPan, "ABCPE1234F", &Tenant::team("sales")));
///
/// let sealed = key.encrypt(Entity::InPan, "ABCPE1234F", &tenant)?;
/// assert!(sealed.starts_with("<IN_PAN:enc:"));
/// assert_eq!(decrypt(&key, &sealed, &tenant)?.expose_secret(), "ABCPE1234F");
/// assert!(decrypt(&key, &sealed, &Tenant::team("sales")).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Key(Arc<Keys>);

struct Keys {
    hash: Hmac<Sha256>,
    seal: Aes256GcmSiv,
    secret: SecretString,
}

/// A value could not be encrypted: the system gave no randomness, or no memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the value can't be encrypted: the system gives no randomness")]
pub struct EncryptError;

/// A text that this key and tenant can't decrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecryptError {
    /// It is no encrypted value.
    #[error("not an encrypted value: one looks like `<EMAIL_ADDRESS:enc:AbC...>`")]
    Form,
    /// Another key, another tenant or another kind of data; or it was changed.
    #[error(
        "the value was encrypted with another key, for another tenant or kind, or was changed since"
    )]
    Sealed,
}

impl Key {
    /// Creates a key from a secret of at least 32 characters, such as 32 random hex digits.
    ///
    /// # Errors
    ///
    /// [`ConfigError::ShortKey`].
    pub fn new(secret: &SecretString) -> Result<Self, ConfigError> {
        if secret.expose_secret().trim().len() < SHORTEST {
            return Err(ConfigError::ShortKey { least: SHORTEST });
        }
        let short = |_| ConfigError::ShortKey { least: SHORTEST };
        let hash = derive(secret, &[b"bartizan/pii/hash/v1"])?;
        let seal = derive(secret, &[b"bartizan/pii/encrypt/v1"])?;
        Ok(Self(Arc::new(Keys {
            hash: Hmac::new_from_slice(hash.as_slice()).map_err(short)?,
            seal: Aes256GcmSiv::new_from_slice(seal.as_slice()).map_err(short)?,
            secret: secret.clone(),
        })))
    }

    /// A typed hash of `value`, such as `<EMAIL_ADDRESS:hash:0123456789abcdef>`: HMAC-SHA-256 over tenant, kind and value, of which
    /// it shows 96 bits in base64url. The same value has the same hash in all calls of a tenant; another spelling has another.
    #[must_use]
    pub fn hash(&self, entity: Entity, value: &str, tenant: &Tenant) -> String {
        let mut keyed = self.0.hash.clone();
        for part in [tenant.as_str(), entity.as_str(), value] {
            keyed.update(&(part.len() as u64).to_be_bytes());
            keyed.update(part.as_bytes());
        }
        let whole = keyed.finalize().into_bytes();
        let shown = whole.get(..HASH).unwrap_or_default();
        token(entity, HASHED, shown)
    }

    /// `value` as a typed text that [`decrypt`] turns back, such as `<EMAIL_ADDRESS:enc:AbC...>`: AES-256-GCM-SIV under a random
    /// nonce, with kind and tenant as associated data, in base64url. Each call gives another text.
    ///
    /// # Errors
    ///
    /// [`EncryptError`].
    pub fn encrypt(
        &self,
        entity: Entity,
        value: &str,
        tenant: &Tenant,
    ) -> Result<String, EncryptError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| EncryptError)?;
        let payload = Payload {
            msg: value.as_bytes(),
            aad: &associated(entity.as_str(), tenant),
        };
        let sealed = self
            .0
            .seal
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| EncryptError)?;
        Ok(token(
            entity,
            SEALED,
            &[&[VERSION], nonce.as_slice(), &sealed].concat(),
        ))
    }

    /// A key for one purpose and one owner: `parts` tell them, the first names the purpose.
    pub(crate) fn derived(&self, parts: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, ConfigError> {
        derive(&self.0.secret, parts)
    }
}

/// Clones of one key are equal; of two keys nothing is told.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Turns back what [`Key::encrypt`] wrote.
///
/// # Errors
///
/// [`DecryptError`] where `text` is no encrypted value, or not one of this key and this tenant.
pub fn decrypt(key: &Key, text: &str, tenant: &Tenant) -> Result<SecretString, DecryptError> {
    let (entity, coded) = text
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .and_then(|inner| inner.split_once(':'))
        .and_then(|(entity, rest)| Some((entity, rest.strip_prefix(SEALED)?.strip_prefix(':')?)))
        .ok_or(DecryptError::Form)?;
    let bytes = URL_SAFE_NO_PAD
        .decode(coded)
        .map_err(|_| DecryptError::Form)?;
    let (nonce, sealed) = bytes
        .split_first()
        .filter(|(version, _)| **version == VERSION)
        .and_then(|(_, rest)| rest.split_first_chunk::<NONCE>())
        .ok_or(DecryptError::Form)?;
    let payload = Payload {
        msg: sealed,
        aad: &associated(entity, tenant),
    };
    let opened = key
        .0
        .seal
        .decrypt(&Nonce::from(*nonce), payload)
        .map_err(|_| DecryptError::Sealed)?;
    String::from_utf8(opened)
        .map(SecretString::from)
        .map_err(|error| {
            error.into_bytes().zeroize();
            DecryptError::Sealed
        })
}

fn associated(entity: &str, tenant: &Tenant) -> Vec<u8> {
    // No kind's name holds a zero byte.
    [entity.as_bytes(), b"\0", tenant.as_str().as_bytes()].concat()
}

fn token(entity: Entity, form: &str, bytes: &[u8]) -> String {
    format!(
        "<{}:{form}:{}>",
        entity.as_str(),
        URL_SAFE_NO_PAD.encode(bytes)
    )
}

fn derive(secret: &SecretString, parts: &[&[u8]]) -> Result<Zeroizing<[u8; 32]>, ConfigError> {
    let mut info = Vec::new();
    for part in parts {
        info.extend_from_slice(&(part.len() as u64).to_be_bytes());
        info.extend_from_slice(part);
    }
    let mut derived = Zeroizing::new([0; 32]);
    // HKDF refuses only outputs over 255 blocks; still, a failure must not become a fixed key.
    Hkdf::<Sha256>::new(None, secret.expose_secret().as_bytes())
        .expand(&info, derived.as_mut_slice())
        .map_err(|_| ConfigError::ShortKey { least: SHORTEST })?;
    Ok(derived)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str) -> Key {
        Key::new(&SecretString::from(secret)).unwrap()
    }

    #[test]
    fn a_hash_depends_on_secret_tenant_kind_and_value_and_on_nothing_else() {
        let one = key("9f1c6bd2a07e43f58b3d6e2c914a7f05");
        let (team, entity) = (Tenant::team("a"), Entity::InPan);
        let hash = one.hash(entity, "ABCPE1234F", &team);
        assert_eq!(
            hash,
            key("9f1c6bd2a07e43f58b3d6e2c914a7f05").hash(entity, "ABCPE1234F", &team)
        );
        let others = [
            key("9f1c6bd2a07e43f58b3d6e2c914a7f06").hash(entity, "ABCPE1234F", &team),
            one.hash(entity, "ABCPE1234F", &Tenant::team("b")),
            one.hash(entity, "ABCPE1234F", &Tenant::key("a")),
            one.hash(entity, "ABCPE1234G", &team),
            one.hash(Entity::Email, "ABCPE1234F", &team)
                .replace("EMAIL_ADDRESS", "IN_PAN"),
        ];
        for other in others {
            assert_ne!(hash, other);
        }
    }

    #[test]
    fn the_derivations_do_not_drift() {
        // Computed apart, by RFC 5869 and RFC 2104: a change would part what a tenant joins by its hashes.
        let hash = key("9f1c6bd2a07e43f58b3d6e2c914a7f05").hash(
            Entity::Email,
            "ravi@example.in",
            &Tenant::team("payments"),
        );
        assert_eq!(hash, "<EMAIL_ADDRESS:hash:3Y4gdILNysjiCcOy>");
    }

    #[test]
    fn only_key_tenant_and_kind_together_decrypt() {
        let one = key("9f1c6bd2a07e43f58b3d6e2c914a7f05");
        let team = Tenant::team("a");
        let sealed = one.encrypt(Entity::Email, "é@b.in", &team).unwrap();
        assert_ne!(sealed, one.encrypt(Entity::Email, "é@b.in", &team).unwrap());
        assert_eq!(
            decrypt(&one, &sealed, &team).unwrap().expose_secret(),
            "é@b.in"
        );
        let other = key("9f1c6bd2a07e43f58b3d6e2c914a7f06");
        let moved = sealed.replace("EMAIL_ADDRESS", "IN_PAN");
        for (key, text, tenant) in [
            (&other, &sealed, &team),
            (&one, &sealed, &Tenant::key("a")),
            (&one, &sealed, &Tenant::NONE),
            (&one, &moved, &team),
        ] {
            assert_eq!(
                decrypt(key, text, tenant).unwrap_err(),
                DecryptError::Sealed
            );
        }
        for text in [
            "",
            "ravi@example.in",
            "<EMAIL_ADDRESS_1>",
            "<EMAIL_ADDRESS:enc:>",
            "<EMAIL_ADDRESS:enc:%>",
            "<EMAIL_ADDRESS:enc:AgAA>",
        ] {
            assert_eq!(
                decrypt(&one, text, &team).unwrap_err(),
                DecryptError::Form,
                "{text}"
            );
        }
    }

    #[test]
    fn every_changed_byte_is_seen() {
        let one = key("9f1c6bd2a07e43f58b3d6e2c914a7f05");
        let sealed = one.encrypt(Entity::Email, "a@b.in", &Tenant::NONE).unwrap();
        let start = sealed.rfind(':').unwrap() + 1;
        for at in start..sealed.len() - 1 {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(decrypt(&one, &changed, &Tenant::NONE).is_err(), "{at}");
        }
    }

    #[test]
    fn short_secrets_are_refused_and_none_is_shown() {
        let error = Key::new(&SecretString::from("canary")).unwrap_err();
        assert_eq!(error, ConfigError::ShortKey { least: 32 });
        assert!(!error.to_string().contains("canary"));
        assert_eq!(format!("{:?}", key(&"canary".repeat(6))), "Key(..)");
    }
}
