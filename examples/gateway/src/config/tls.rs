//! `bartizan.tls`: the gateway's certificate, and whose certificates it asks callers for.

use std::path::PathBuf;

use super::read::Section;

/// Where certificates lie, in PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    /// The gateway's own, with its chain.
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    /// Whether callers are asked for theirs.
    pub(crate) clients: Option<ClientTls>,
}

/// Which certificates of callers are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientTls {
    /// The authorities by which they must have been issued.
    pub(crate) ca: PathBuf,
    /// Lists of those that were revoked.
    pub(crate) crl: Option<PathBuf>,
    /// Whether nobody connects without one.
    pub(crate) required: bool,
}

pub(super) fn read(mut section: Section<'_>) -> Option<TlsFiles> {
    let cert = section.need("cert").and_then(|field| field.text());
    let key = section.need("key").and_then(|field| field.text());
    let ca = section.take("client_ca").and_then(|field| field.text());
    let lists = section.take("client_crl");
    let auth = section.take("client_auth");
    let required = auth
        .as_ref()
        .and_then(|field| field.one_of(&[("required", true), ("optional", false)]));
    if ca.is_none() {
        for field in [&auth, &lists].into_iter().flatten() {
            field.fail("by whom? name the authorities of callers' certificates in `client_ca`");
        }
    }
    let crl = lists.and_then(|field| field.text()).map(PathBuf::from);
    section.finish(&[]);
    Some(TlsFiles {
        cert: cert?.into(),
        key: key?.into(),
        clients: ca.map(|ca| ClientTls {
            ca: ca.into(),
            crl,
            required: required.unwrap_or(true),
        }),
    })
}
