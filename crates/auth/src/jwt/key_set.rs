//! An issuer's public keys (RFC 7517), and the check of a signature.

use std::fmt;

use bartizan_core::json::{Bounds, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use ring::signature::{self, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm};

use super::algorithm::{Algorithm, Family};
use super::denied::JwtDenied;

/// No issuer publishes as many.
const MOST_KEYS: usize = 128;

/// NIST SP 800-131A: an RSA key of less is broken by those who can pay for it.
const FEWEST_RSA_BITS: usize = 2_048;
const MOST_RSA_BITS: usize = 8_192;

/// Keys that may have signed a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeySet(Vec<PublicKey>);

/// One key of an issuer.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PublicKey {
    kid: Option<String>,
    /// The one algorithm that it is for, where the issuer says so.
    only: Option<String>,
    material: Material,
}

#[derive(Clone, PartialEq, Eq)]
enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    /// An uncompressed point.
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// What was published is no set of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was read is no set of keys")]
pub(super) struct NoKeySet;

impl KeySet {
    /// Reads a set. Keys that sign nothing that is trusted here (for encryption, weak, of another kind) are left out.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, NoKeySet> {
        let json = Json::read_bytes(bytes, Bounds::default()).map_err(|_| NoKeySet)?;
        let keys = json.root().get("keys").ok_or(NoKeySet)?;
        let keys: Vec<serde_json::Value> =
            serde_json::from_str(keys.raw()).map_err(|_| NoKeySet)?;
        if keys.len() > MOST_KEYS {
            return Err(NoKeySet);
        }
        let usable = keys.into_iter().filter_map(PublicKey::read);
        Ok(Self(usable.collect()))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The key that a token names. A token that names none is taken for the only key's, if there is only one.
    pub(super) fn find(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<&PublicKey, JwtDenied> {
        match (kid, self.0.as_slice()) {
            (None, [only]) => only.serves(algorithm).then_some(only),
            (None, _) => None,
            // Keys of different kinds may share a name (RFC 7517, 4.5).
            (Some(kid), keys) => keys
                .iter()
                .find(|key| key.kid.as_deref() == Some(kid) && key.serves(algorithm)),
        }
        .ok_or(JwtDenied::Key)
    }

    /// Whether some key has that name, for whatever algorithm.
    pub(super) fn names(&self, kid: Option<&str>) -> bool {
        kid.is_some() && self.0.iter().any(|key| key.kid.as_deref() == kid)
    }
}

impl PublicKey {
    fn read(key: serde_json::Value) -> Option<Self> {
        let only = match key.get("alg") {
            None => None,
            // As it is written: a name that isn't known must not be taken for none at all.
            Some(name) => Some(name.as_str()?.to_owned()),
        };
        let key: Jwk = serde_json::from_value(key).ok()?;
        let signs = match &key.common.public_key_use {
            None | Some(PublicKeyUse::Signature) => true,
            Some(_) => false,
        };
        let verifies = key
            .common
            .key_operations
            .as_ref()
            .is_none_or(|operations| operations.contains(&KeyOperations::Verify));
        if !(signs && verifies) {
            return None;
        }
        Some(Self {
            kid: key.common.key_id,
            only,
            material: Material::read(&key.algorithm)?,
        })
    }

    fn serves(&self, algorithm: Algorithm) -> bool {
        let kind = match self.material {
            Material::Rsa { .. } => Family::Rsa,
            Material::P256(_) => Family::P256,
            Material::P384(_) => Family::P384,
            Material::Ed25519(_) => Family::Ed25519,
        };
        let named = self.only.as_deref().is_none_or(|only| {
            // RFC 9864 gives Ed25519 a name of its own.
            only == algorithm.as_str() || (algorithm == Algorithm::EdDsa && only == "Ed25519")
        });
        kind == algorithm.family() && named
    }

    /// Checks a signature. The key was found for that algorithm.
    pub(super) fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        made: &[u8],
    ) -> Result<(), JwtDenied> {
        let verified = match &self.material {
            Material::Rsa { n, e } => {
                let parameters = match algorithm {
                    Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
                    Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
                    Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => {
                        return Err(JwtDenied::Key);
                    }
                };
                RsaPublicKeyComponents { n, e }.verify(parameters, message, made)
            }
            Material::P256(point) => {
                check(&signature::ECDSA_P256_SHA256_FIXED, point, message, made)
            }
            Material::P384(point) => {
                check(&signature::ECDSA_P384_SHA384_FIXED, point, message, made)
            }
            Material::Ed25519(key) => check(&signature::ED25519, key, message, made),
        };
        verified.map_err(|_| JwtDenied::Signature)
    }
}

fn check(
    algorithm: &'static dyn VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    made: &[u8],
) -> Result<(), ring::error::Unspecified> {
    UnparsedPublicKey::new(algorithm, key).verify(message, made)
}

impl Material {
    fn read(parameters: &AlgorithmParameters) -> Option<Self> {
        match parameters {
            AlgorithmParameters::RSA(rsa) => {
                let (n, e) = (number(&rsa.n)?, number(&rsa.e)?);
                let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
                (FEWEST_RSA_BITS..=MOST_RSA_BITS)
                    .contains(&bits)
                    .then_some(Self::Rsa { n, e })
            }
            AlgorithmParameters::EllipticCurve(point) => {
                let size = match point.curve {
                    EllipticCurve::P256 => 32,
                    EllipticCurve::P384 => 48,
                    _ => return None,
                };
                let (x, y) = (bytes(&point.x, size)?, bytes(&point.y, size)?);
                let uncompressed = [&[4], x.as_slice(), y.as_slice()].concat();
                Some(if size == 32 {
                    Self::P256(uncompressed)
                } else {
                    Self::P384(uncompressed)
                })
            }
            AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
                Some(Self::Ed25519(bytes(&key.x, 32)?))
            }
            _ => None,
        }
    }
}

/// A number in as few bytes as it needs: some issuers write a zero before it.
fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    let number = bytes.get(zeros..)?.to_vec();
    (!number.is_empty()).then_some(number)
}

fn bytes(text: &str, size: usize) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    (bytes.len() == size).then_some(bytes)
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
