//! Signatures that may be trusted: made with a key that only the issuer has.

use std::fmt;

/// A signature algorithm of a token, by its name in RFC 7518 and RFC 8037.
///
/// Asymmetric ones only: `none` signs nothing, and HMAC's key would be one that the verifier could forge with, or worse the issuer's public
/// key taken for a secret. Neither can be written here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256, which OpenID Connect asks every provider for.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// What kind of key an algorithm takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Self; 9] = [
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// The name in a token's header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    /// The algorithm of that name. `none`, HMAC and what is not known give `None`.
    ///
    /// ```
    /// use bartizan_auth::jwt::Algorithm;
    ///
    /// assert_eq!(Algorithm::parse("ES256"), Some(Algorithm::Es256));
    /// assert_eq!(Algorithm::parse("HS256"), None);
    /// assert_eq!(Algorithm::parse("none"), None);
    /// ```
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
    }

    /// The algorithm that a token's header names, if it may be trusted at all.
    pub(super) fn of(named: jsonwebtoken::Algorithm) -> Option<Self> {
        use jsonwebtoken::Algorithm as Named;
        match named {
            Named::RS256 => Some(Self::Rs256),
            Named::RS384 => Some(Self::Rs384),
            Named::RS512 => Some(Self::Rs512),
            Named::PS256 => Some(Self::Ps256),
            Named::PS384 => Some(Self::Ps384),
            Named::PS512 => Some(Self::Ps512),
            Named::ES256 => Some(Self::Es256),
            Named::ES384 => Some(Self::Es384),
            Named::EdDSA => Some(Self::EdDsa),
            // HMAC, and what it may learn to name.
            _ => None,
        }
    }

    pub(super) const fn family(self) -> Family {
        match self {
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                Family::Rsa
            }
            Self::Es256 => Family::P256,
            Self::Es384 => Family::P384,
            Self::EdDsa => Family::Ed25519,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
