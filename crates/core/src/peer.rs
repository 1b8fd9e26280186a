//! What the connection says of who calls. Whoever accepts connections puts it into the request's extensions.

use std::net::IpAddr;
use std::sync::Arc;

/// The address that the request came from, as far as the service trusts what it was told.
///
/// It is the connection's peer, or, where that is a trusted proxy, what the proxy says. Never taken from a header by a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientIp(pub IpAddr);

/// The address at the other end of the connection, whatever anybody says in a header.
///
/// It is what tells a proxy whose word is trusted from everybody else. Without it, [`ClientIp`] has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PeerIp(pub IpAddr);

/// What stands in the certificate that the caller proved to hold in the TLS handshake, verified against the service's own authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientCertificate {
    /// The subject's distinguished name (RFC 4514): `CN=payments,O=Example`.
    pub subject: String,
    /// The subject's common name.
    pub common_name: Option<String>,
    /// Names of DNS among the alternative names.
    pub dns_names: Vec<String>,
    /// URIs among the alternative names, such as SPIFFE's.
    pub uris: Vec<String>,
    /// Addresses of e-mail among the alternative names.
    pub emails: Vec<String>,
    /// SHA-256 of the certificate.
    pub fingerprint: [u8; 32],
}

impl ClientCertificate {
    /// Creates what a certificate of that subject and digest says, without alternative names.
    pub fn new(subject: impl Into<String>, fingerprint: [u8; 32]) -> Self {
        Self {
            subject: subject.into(),
            common_name: None,
            dns_names: Vec::new(),
            uris: Vec::new(),
            emails: Vec::new(),
            fingerprint,
        }
    }
}

/// The pattern of the route that the request was matched to: `/v1/threads/{id}`. Whoever routes puts it into the request's extensions.
///
/// What is allowed by route is compared with it, so that no spelling of a path is taken for another route than the one that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MatchedRoute(pub Arc<str>);
