//! The word of a trusted peer for who calls.

use std::fmt::Write;

use bartizan_core::{ClientCertificate, ClientIp, PeerIp, Role};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::ConfigError;
use crate::certificate::{CertificateField, CertificateRule};
use crate::key::KeyId;
use crate::keys::Claims;

const KEY: HeaderName = HeaderName::from_static("x-bartizan-key-id");
const USER: HeaderName = HeaderName::from_static("x-bartizan-user-id");
const TEAM: HeaderName = HeaderName::from_static("x-bartizan-team-id");
const ORGANIZATION: HeaderName = HeaderName::from_static("x-bartizan-organization-id");

const LONGEST_ID: usize = 256;

/// The one purpose of this digest: a public name for a caller whom a peer vouches for.
const LABEL: &[u8] = b"bartizan/peer-subject/v1\0";

/// Peers, such as a proxy that has asked a person to sign in, whose word for who calls is believed. None by default.
///
/// A trusted peer names the caller in headers: `x-bartizan-key-id` names a key, whose record then binds the call; or `x-bartizan-user-id`,
/// `x-bartizan-team-id` and `x-bartizan-organization-id` name accounts, of which one is enough, and the caller is an internal user. Each at most once, and
/// not both kinds. A peer that names nobody needs a credential like everybody.
///
/// Whether a peer is trusted is told by the address at the other end of the connection ([`PeerIp`], or [`ClientIp`] where that is not known) or by its
/// certificate. From anybody else these headers are taken out of the request and counted (`bartizan.auth.untrusted_identities`), and so they are where
/// no peer is trusted: nothing behind the layer sees them.
///
/// Whoever can connect from one of these addresses can be anybody: name single hosts, not networks that others are in.
///
/// ```
/// use bartizan_auth::{CertificateField, TrustedPeers};
///
/// let peers = TrustedPeers::new()
///     .addresses(["10.20.0.7/32".parse()?])
///     .certificate(CertificateField::Uri, "spiffe://example.org/ns/edge/sa/proxy")?;
/// # let _ = peers;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct TrustedPeers {
    addresses: Vec<IpNet>,
    certificates: Vec<CertificateRule>,
}

/// Whom a peer names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    Key(KeyId),
    Claims(Box<Claims>),
}

/// A trusted peer's headers name nobody that can be told: two, both kinds, an empty one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unclear;

impl TrustedPeers {
    /// Trusts nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Trusts whoever connects from these addresses.
    pub fn addresses(mut self, addresses: impl IntoIterator<Item = IpNet>) -> Self {
        self.addresses.extend(addresses);
        self
    }

    /// Trusts whoever has a certificate whose `field` is `is`, as in a rule of [`CertificateMap`](crate::CertificateMap).
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] for a pattern that can't be meant.
    pub fn certificate(mut self, field: CertificateField, is: &str) -> Result<Self, ConfigError> {
        self.certificates.push(CertificateRule::new(field, is)?);
        Ok(self)
    }

    fn trusts(&self, parts: &Parts) -> bool {
        let from = match parts.extensions.get::<PeerIp>() {
            Some(peer) => Some(peer.0),
            None => parts.extensions.get::<ClientIp>().map(|client| client.0),
        };
        let by_address = from.is_some_and(|from| {
            let from = from.to_canonical();
            self.addresses.iter().any(|range| range.contains(&from))
        });
        by_address
            || parts
                .extensions
                .get::<ClientCertificate>()
                .is_some_and(|certificate| {
                    self.certificates.iter().any(|rule| rule.fits(certificate))
                })
    }
}

/// Takes the headers that name a caller out of a request, and gives whom they name if a trusted peer says so.
pub(crate) fn take(
    peers: Option<&TrustedPeers>,
    parts: &mut Parts,
) -> Result<Option<Passed>, Unclear> {
    let headers = &mut parts.headers;
    let [key, user, team, organization] =
        [KEY, USER, TEAM, ORGANIZATION].map(|name| one(headers, &name));
    if [&key, &user, &team, &organization]
        .into_iter()
        .all(|said| matches!(said, Ok(None)))
    {
        return Ok(None);
    }
    if !peers.is_some_and(|peers| peers.trusts(parts)) {
        metrics::counter!("bartizan.auth.untrusted_identities").increment(1);
        tracing::warn!("headers that name a caller came from a peer that is not trusted");
        return Ok(None);
    }
    match (key?, user?, team?, organization?) {
        (Some(key), None, None, None) => {
            KeyId::parse(&key).map(Passed::Key).map(Some).ok_or(Unclear)
        }
        (None, user, team, organization) => {
            let mut claims = Claims::new(name_of([&user, &team, &organization]));
            claims.user_id = user;
            claims.team_id = team;
            claims.organization_id = organization;
            // A peer's word is for who calls, never for more than that.
            claims.role = Some(Role::InternalUser);
            Ok(Some(Passed::Claims(Box::new(claims))))
        }
        _ => Err(Unclear),
    }
}

/// The one value of a header, taken out.
fn one(headers: &mut HeaderMap, name: &HeaderName) -> Result<Option<String>, Unclear> {
    let http::header::Entry::Occupied(entry) = headers.entry(name) else {
        return Ok(None);
    };
    let mut values = entry.remove_entry_mult().1;
    let (first, second) = (values.next(), values.next());
    let value = match (first, second) {
        (Some(value), None) => value,
        _ => return Err(Unclear),
    };
    let text = std::str::from_utf8(value.as_bytes()).map_err(|_| Unclear)?;
    let fits = !text.is_empty() && text.len() <= LONGEST_ID && !text.chars().any(char::is_control);
    if fits {
        Ok(Some(text.to_owned()))
    } else {
        Err(Unclear)
    }
}

/// The same for the same accounts, and nothing of them.
fn name_of(ids: [&Option<String>; 3]) -> String {
    let mut digest = Sha256::new_with_prefix(LABEL);
    for id in ids {
        let id = id.as_deref().unwrap_or_default();
        digest.update(id.len().to_be_bytes());
        digest.update(id);
    }
    let mut name = String::from("peer:");
    for byte in digest.finalize().iter().take(16) {
        // Writing to a string can't fail.
        let _infallible = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::{HeaderValue, Request};

    use super::*;

    const ID: &str = "key_4zVbN1pQx8sKdT2yWc7mRf";

    fn parts(headers: &[(&'static str, &[u8])], from: &str) -> Parts {
        let mut parts = Request::new(()).into_parts().0;
        for (name, value) in headers {
            parts
                .headers
                .append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        parts
            .extensions
            .insert(PeerIp(from.parse::<IpAddr>().unwrap()));
        parts
    }

    fn peers() -> TrustedPeers {
        TrustedPeers::new().addresses(["10.0.0.7/32".parse().unwrap()])
    }

    #[test]
    fn a_trusted_peer_names_a_key_or_accounts() {
        let mut request = parts(&[("x-bartizan-key-id", ID.as_bytes())], "10.0.0.7");
        let passed = take(Some(&peers()), &mut request).unwrap();
        assert_eq!(passed, Some(Passed::Key(KeyId::parse(ID).unwrap())));
        assert!(request.headers.is_empty());

        let headers: [(&str, &[u8]); 2] = [
            ("x-bartizan-user-id", "zoë".as_bytes()),
            ("x-bartizan-team-id", b"search"),
        ];
        let Some(Passed::Claims(claims)) =
            take(Some(&peers()), &mut parts(&headers, "::ffff:10.0.0.7")).unwrap()
        else {
            panic!("nobody is named");
        };
        assert_eq!(claims.user_id.as_deref(), Some("zoë"));
        assert_eq!(claims.team_id.as_deref(), Some("search"));
        assert_eq!(claims.role, Some(Role::InternalUser));
        assert!(claims.key_id.starts_with("peer:") && !claims.key_id.contains("zoë"));
    }

    #[test]
    fn from_anybody_else_the_headers_are_taken_out_and_say_nothing() {
        for trusted in [None, Some(TrustedPeers::new()), Some(peers())] {
            for (name, value) in [
                ("x-bartizan-key-id", ID),
                ("x-bartizan-user-id", "root"),
                ("x-bartizan-team-id", ""),
                ("x-bartizan-organization-id", "o"),
            ] {
                let mut request = parts(
                    &[
                        (name, value.as_bytes()),
                        (name, b"twice"),
                        ("x-other", b"stays"),
                    ],
                    "10.0.0.8",
                );
                // Nothing that a header says makes it a peer.
                request
                    .extensions
                    .insert(ClientIp("10.0.0.7".parse().unwrap()));
                assert_eq!(take(trusted.as_ref(), &mut request), Ok(None), "{name}");
                assert_eq!(request.headers.len(), 1, "{name} goes on");
            }
        }
    }

    #[test]
    fn without_the_connections_address_the_clients_has_to_do() {
        let mut request = parts(&[("x-bartizan-user-id", b"u")], "10.0.0.8");
        request.extensions.remove::<PeerIp>();
        assert_eq!(take(Some(&peers()), &mut request), Ok(None));
        let mut request = parts(&[("x-bartizan-user-id", b"u")], "10.0.0.8");
        request.extensions.remove::<PeerIp>();
        request
            .extensions
            .insert(ClientIp("10.0.0.7".parse().unwrap()));
        assert!(take(Some(&peers()), &mut request).unwrap().is_some());
    }

    #[test]
    fn a_certificate_makes_a_peer_trusted_too() {
        let peers = TrustedPeers::new()
            .certificate(CertificateField::CommonName, "edge")
            .unwrap();
        for (name, trusted) in [("edge", true), ("edge2", false)] {
            let mut request = parts(&[("x-bartizan-user-id", b"u")], "10.0.0.8");
            let mut certificate = ClientCertificate::new("CN=x", [0; 32]);
            certificate.common_name = Some(name.to_owned());
            request.extensions.insert(certificate);
            assert_eq!(
                take(Some(&peers), &mut request).unwrap().is_some(),
                trusted,
                "{name}"
            );
        }
    }

    #[test]
    fn what_names_nobody_clearly_is_an_error_and_not_nobody() {
        let long = "u".repeat(257);
        let table: [&[(&'static str, &[u8])]; 8] = [
            &[("x-bartizan-key-id", b"search")],
            &[("x-bartizan-key-id", b"master_key")],
            &[
                ("x-bartizan-key-id", ID.as_bytes()),
                ("x-bartizan-key-id", ID.as_bytes()),
            ],
            &[
                ("x-bartizan-key-id", ID.as_bytes()),
                ("x-bartizan-user-id", b"u"),
            ],
            &[("x-bartizan-user-id", b"a"), ("x-bartizan-user-id", b"b")],
            &[("x-bartizan-user-id", b"")],
            &[("x-bartizan-user-id", b"\xff")],
            &[("x-bartizan-user-id", long.as_bytes())],
        ];
        for headers in table {
            let mut request = parts(headers, "10.0.0.7");
            assert_eq!(
                take(Some(&peers()), &mut request),
                Err(Unclear),
                "{headers:?}"
            );
            assert!(request.headers.is_empty());
        }
    }
}
