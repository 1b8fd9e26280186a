//! Which key a client's certificate stands for.

use bartizan_core::{ClientCertificate, Principal};

use crate::ConfigError;
use crate::key::KeyId;

/// What a rule looks at in a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CertificateField {
    /// The subject's distinguished name, as RFC 4514 writes it, to the letter: `CN=payments,O=Example`.
    Subject,
    /// The subject's common name, to the letter.
    CommonName,
    /// A name of DNS among the alternative names, without regard to case. A wildcard in a certificate is a name like any other.
    DnsName,
    /// A URI among the alternative names, to the letter; `/*` at the end stands for one or more segments of letters, digits, `-`, `.` and `_`, as
    /// SPIFFE's paths have them.
    Uri,
    /// An address of e-mail among the alternative names, to the letter.
    Email,
    /// SHA-256 of the certificate: 64 hexadecimal digits, with or without colons.
    Fingerprint,
}

/// What a certificate has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateRule {
    field: CertificateField,
    is: Pattern,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    Text(String),
    /// All up to and with the last slash.
    Under(String),
    Digest([u8; 32]),
}

/// Which keys client certificates stand for: rules in their order, of which the first that fits counts. A certificate that none fits is no identity.
///
/// The key's record binds the caller as the key itself would: its standing, its chain, its budgets. A rule names it by its `key_id`, or by its alias; the
/// id is the better name, since an alias is free for others once its key is revoked.
///
/// By default a certificate is a credential of its own. A request with a certificate that stands for one key and a credential that is another's is
/// refused, since it can't be told who calls. With [`certificate_bound`](Self::certificate_bound) it is a second factor, and nothing by itself.
///
/// The certificate is what whoever accepts connections has put into the request's extensions as
/// [`ClientCertificate`], verified in the handshake. No header is ever read for it.
///
/// ```
/// use bartizan_auth::{CertificateField, CertificateMap};
///
/// let certificates = CertificateMap::new()
///     .rule(CertificateField::Uri, "spiffe://example.org/ns/payments/*", "payments-service")?
///     .rule(CertificateField::DnsName, "search.internal.example.org", "key_4zVbN1pQx8sKdT2yWc7mRf")?;
/// assert!(CertificateMap::new().rule(CertificateField::Uri, "spiffe://example.org*", "payments-service").is_err());
/// # let _ = certificates;
/// # Ok::<(), bartizan_auth::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct CertificateMap {
    rules: Vec<(CertificateRule, KeyName)>,
    bound: bool,
}

/// By what a rule names a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyName {
    Id(KeyId),
    Alias(String),
}

impl KeyName {
    /// What is asked for by it.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Id(id) => id.as_str(),
            Self::Alias(alias) => alias,
        }
    }

    /// Whether the principal is the key of that name.
    pub(crate) fn is(&self, principal: &Principal) -> bool {
        match self {
            Self::Id(id) => principal.key_id() == id.as_str(),
            // Only virtual keys have aliases that nobody else has.
            Self::Alias(alias) => {
                KeyId::parse(principal.key_id()).is_some()
                    && principal.key_alias() == Some(alias.as_str())
            }
        }
    }
}

impl CertificateMap {
    /// Creates a map without a rule, by which no certificate is an identity.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets certificates whose `field` is `is` stand for `key`.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a pattern that is empty, that has a `*` anywhere but at the end of a URI behind a slash of its path, or that is no
    /// fingerprint; and for an empty name of a key.
    pub fn rule(
        mut self,
        field: CertificateField,
        is: &str,
        key: &str,
    ) -> Result<Self, ConfigError> {
        if key.is_empty() {
            return Err(ConfigError::Invalid {
                what: "the key of a rule for certificates",
                mend: "name a key by its `key_id` or its alias",
            });
        }
        let name = KeyId::parse(key).map_or_else(|| KeyName::Alias(key.to_owned()), KeyName::Id);
        self.rules.push((CertificateRule::new(field, is)?, name));
        Ok(self)
    }

    /// Makes certificates a second factor: the keys that rules name are good only together with a certificate that a rule for them fits, and no
    /// certificate is an identity by itself. Keys that no rule names are as good without one.
    pub fn certificate_bound(mut self) -> Self {
        self.bound = true;
        self
    }

    /// The key that the certificate stands for by itself.
    pub(crate) fn identity(&self, certificate: &ClientCertificate) -> Option<&KeyName> {
        if self.bound {
            return None;
        }
        self.rules
            .iter()
            .find(|(rule, _)| rule.fits(certificate))
            .map(|(_, key)| key)
    }

    /// Whether the principal may call over a connection with this certificate.
    pub(crate) fn lets(
        &self,
        principal: &Principal,
        certificate: Option<&ClientCertificate>,
    ) -> bool {
        if !self.bound {
            return true;
        }
        let mut rules = self
            .rules
            .iter()
            .filter(|(_, key)| key.is(principal))
            .peekable();
        rules.peek().is_none()
            || certificate.is_some_and(|certificate| rules.any(|(rule, _)| rule.fits(certificate)))
    }
}

impl CertificateRule {
    pub(crate) fn new(field: CertificateField, is: &str) -> Result<Self, ConfigError> {
        let wrong = |mend| ConfigError::Invalid {
            what: "a rule for certificates",
            mend,
        };
        if is.is_empty() {
            return Err(wrong("write what the certificate has to say"));
        }
        let is = match (field, is.strip_suffix('*')) {
            (CertificateField::Fingerprint, _) => {
                Pattern::Digest(digest(is).ok_or_else(|| wrong("write 64 hexadecimal digits"))?)
            }
            (CertificateField::Uri, Some(before)) if under_a_host(before) => {
                Pattern::Under(before.to_owned())
            }
            // A certificate may have been made for a wildcard: that is its name.
            (CertificateField::DnsName, None) => Pattern::Text(is.to_ascii_lowercase()),
            (_, None) if field != CertificateField::Uri || !is.contains('*') => {
                Pattern::Text(is.to_owned())
            }
            _ => {
                return Err(wrong(
                    "write `*` nowhere but at the end of a URI, behind a slash of its path",
                ));
            }
        };
        Ok(Self { field, is })
    }

    pub(crate) fn fits(&self, certificate: &ClientCertificate) -> bool {
        let text = |said: &String| match &self.is {
            Pattern::Text(text) => text == said,
            Pattern::Under(before) => said.strip_prefix(before.as_str()).is_some_and(segments),
            Pattern::Digest(_) => false,
        };
        match self.field {
            CertificateField::Subject => text(&certificate.subject),
            CertificateField::CommonName => certificate.common_name.as_ref().is_some_and(text),
            CertificateField::DnsName => certificate
                .dns_names
                .iter()
                .any(|name| text(&name.to_ascii_lowercase())),
            CertificateField::Uri => certificate.uris.iter().any(text),
            CertificateField::Email => certificate.emails.iter().any(text),
            CertificateField::Fingerprint => self.is == Pattern::Digest(certificate.fingerprint),
        }
    }
}

/// Whether a host stands whole before the slash at the end: `spiffe://example.org*` would fit `spiffe://example.org.evil.net`.
fn under_a_host(before: &str) -> bool {
    let Some((scheme, rest)) = before.split_once("://") else {
        return false;
    };
    !scheme.is_empty() && !rest.starts_with('/') && rest.ends_with('/') && !before.contains('*')
}

/// Whether these are segments of a path that lead nowhere else.
fn segments(rest: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    rest.split('/').all(|segment| {
        !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain)
    })
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|&byte| byte != b':')
        .map(|byte| char::from(byte).to_digit(16))
        .map(|digit| u8::try_from(digit?).ok())
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| match pair {
            [high, low] => Some(high << 4 | low),
            _ => None,
        })
        .collect::<Option<_>>()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests;
