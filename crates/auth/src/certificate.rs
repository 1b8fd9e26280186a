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
mod tests {
    use bartizan_core::Identity;

    use super::*;

    const ID: &str = "key_4zVbN1pQx8sKdT2yWc7mRf";

    fn certificate(edit: impl FnOnce(&mut ClientCertificate)) -> ClientCertificate {
        let mut certificate = ClientCertificate::new("CN=payments,O=Example", [0xab; 32]);
        certificate.common_name = Some("payments".to_owned());
        edit(&mut certificate);
        certificate
    }

    fn fits(field: CertificateField, is: &str, certificate: &ClientCertificate) -> bool {
        CertificateRule::new(field, is).unwrap().fits(certificate)
    }

    #[test]
    fn a_rule_fits_what_it_says_and_nothing_like_it() {
        use CertificateField::*;
        let ours = certificate(|certificate| {
            certificate.dns_names = vec!["API.example.org".to_owned(), "*.example.net".to_owned()];
            certificate.uris = vec!["spiffe://example.org/ns/prod/sa/payments".to_owned()];
            certificate.emails = vec!["payments@example.org".to_owned()];
        });
        let digest = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for (field, is, expected) in [
            (Subject, "CN=payments,O=Example", true),
            (Subject, "CN=payments", false),
            (Subject, "cn=payments,O=Example", false),
            (CommonName, "payments", true),
            (CommonName, "Payments", false),
            (CommonName, "payment", false),
            (DnsName, "api.EXAMPLE.org", true),
            (DnsName, "example.org", false),
            (DnsName, "*.example.net", true),
            (DnsName, "www.example.net", false),
            (DnsName, "payments", false),
            (Uri, "spiffe://example.org/ns/prod/sa/payments", true),
            (Uri, "spiffe://example.org/ns/prod/sa/Payments", false),
            (Uri, "spiffe://example.org/ns/prod/*", true),
            (Uri, "spiffe://example.org/*", true),
            (Uri, "spiffe://example.org/ns/dev/*", false),
            (Uri, "spiffe://example.org/ns/prod/sa/payments/*", false),
            (Email, "payments@example.org", true),
            (Email, "payments@EXAMPLE.org", false),
            (Fingerprint, digest.as_str(), true),
            (Fingerprint, colons.as_str(), true),
        ] {
            assert_eq!(fits(field, is, &ours), expected, "{field:?} {is}");
        }
        let bare = certificate(|certificate| certificate.common_name = None);
        assert!(!fits(CommonName, "payments", &bare));
        assert!(!fits(Fingerprint, &"ac".repeat(32), &ours));
    }

    #[test]
    fn a_path_that_leads_elsewhere_is_under_nothing() {
        for uri in [
            "spiffe://example.org/ns/prod/../dev/sa/x",
            "spiffe://example.org/ns/prod/./x",
            "spiffe://example.org/ns/prod/",
            "spiffe://example.org/ns/prod//x",
            "spiffe://example.org/ns/prod/%2e%2e/dev",
            "spiffe://example.org/ns/prod/x?y",
            "spiffe://example.org/ns/prod/x\0",
            "spiffe://example.org.evil.net/ns/prod/x",
            "spiffe://EXAMPLE.org/ns/prod/x",
        ] {
            let theirs = certificate(|certificate| certificate.uris = vec![uri.to_owned()]);
            assert!(
                !fits(
                    CertificateField::Uri,
                    "spiffe://example.org/ns/prod/*",
                    &theirs
                ),
                "{uri}"
            );
        }
    }

    #[test]
    fn patterns_that_would_fit_too_much_cannot_be_written() {
        use CertificateField::*;
        for (field, is) in [
            (Uri, "spiffe://example.org*"),
            (Uri, "spiffe://*"),
            (Uri, "spiffe:///*"),
            (Uri, "*"),
            (Uri, "/*"),
            (Uri, "spiffe://*/x"),
            (Uri, "spiffe://example.org/*/x/*"),
            (Subject, "*"),
            (Subject, "CN=*"),
            (CommonName, "pay*"),
            (DnsName, "api.*"),
            (Email, "*"),
            (Fingerprint, "abcd"),
            (Fingerprint, "*"),
            (CommonName, ""),
            (DnsName, ""),
        ] {
            assert!(CertificateRule::new(field, is).is_err(), "{field:?} {is}");
        }
        assert!(
            CertificateMap::new()
                .rule(CommonName, "payments", "")
                .is_err()
        );
    }

    #[test]
    fn the_first_rule_that_fits_counts_and_without_one_there_is_no_identity() {
        let map = CertificateMap::new()
            .rule(CertificateField::DnsName, "api.example.org", "other")
            .and_then(|map| map.rule(CertificateField::CommonName, "payments", "first"))
            .and_then(|map| map.rule(CertificateField::CommonName, "payments", "second"))
            .unwrap();
        let ours = certificate(|_| {});
        assert_eq!(map.identity(&ours).map(KeyName::as_str), Some("first"));
        let stranger = certificate(|certificate| certificate.common_name = None);
        assert_eq!(map.identity(&stranger), None);
        assert_eq!(map.certificate_bound().identity(&ours), None);
    }

    #[test]
    fn a_bound_key_is_good_only_with_a_certificate_of_its_own() {
        let map = CertificateMap::new()
            .rule(CertificateField::CommonName, "payments", ID)
            .and_then(|map| map.rule(CertificateField::CommonName, "payments", "search"))
            .and_then(|map| map.rule(CertificateField::DnsName, "search.example.org", "search"))
            .unwrap()
            .certificate_bound();
        let key = |id: &str, alias: Option<&str>| {
            let identity = Identity::new(id);
            Principal::assume_verified(match alias {
                Some(alias) => identity.key_alias(alias),
                None => identity,
            })
        };
        let payments = certificate(|_| {});
        let search = certificate(|certificate| {
            certificate.common_name = None;
            certificate.dns_names = vec!["search.example.org".to_owned()];
        });
        let other_id = "key_9zVbN1pQx8sKdT2yWc7mRf";
        for (principal, certificate, lets) in [
            (key(ID, None), Some(&payments), true),
            (key(ID, None), Some(&search), false),
            (key(ID, None), None, false),
            (key(other_id, Some("search")), Some(&search), true),
            (key(other_id, Some("search")), Some(&payments), true),
            (key(other_id, Some("search")), None, false),
            (key(other_id, Some("free")), None, true),
            (key(other_id, None), Some(&search), true),
            // No key of that name, whatever it is called.
            (key("jwt:00", Some("search")), None, true),
        ] {
            assert_eq!(
                map.lets(&principal, certificate),
                lets,
                "{principal:?} {certificate:?}"
            );
        }
    }
}
