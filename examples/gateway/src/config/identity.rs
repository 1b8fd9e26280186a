//! `bartizan.identity`: which keys client certificates stand for, and whose word for a caller is believed.

use bartizan::auth::{CertificateField, CertificateMap, TrustedPeers};

use super::field::Field;
use super::network::ranges;
use super::own::ServerSettings;
use super::read::Section;

/// Who calls besides the bearers of keys. Nobody by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct IdentitySettings {
    pub(crate) certificates: Option<CertificateMap>,
    pub(crate) peers: Option<TrustedPeers>,
}

const FIELDS: [(&str, CertificateField); 6] = [
    ("subject", CertificateField::Subject),
    ("common_name", CertificateField::CommonName),
    ("dns", CertificateField::DnsName),
    ("uri", CertificateField::Uri),
    ("email", CertificateField::Email),
    ("fingerprint", CertificateField::Fingerprint),
];

/// `server`: whether certificates are verified is said there.
pub(super) fn read(mut section: Section<'_>, server: &ServerSettings) -> IdentitySettings {
    let verifies = server.tls.as_ref().is_some_and(|tls| tls.clients.is_some());
    let mut identity = IdentitySettings::default();
    let certificates = section.take("certificates");
    if let Some(field) = &certificates {
        identity.certificates = Some(rules(field, verifies));
    }
    if let Some(field) = section.take("certificate_bound")
        && field.boolean() == Some(true)
    {
        match identity.certificates.take() {
            Some(map) => identity.certificates = Some(map.certificate_bound()),
            None => {
                field.fail("no key is bound: name keys and their certificates in `certificates`")
            }
        }
    }
    if let Some(field) = section.take("trusted_peers") {
        identity.peers = peers(&field, verifies);
    }
    section.finish(&[]);
    identity
}

fn unverified(field: &Field<'_>) {
    field.fail("nobody verifies certificates: set `bartizan.tls.client_ca`");
}

fn rules(field: &Field<'_>, verifies: bool) -> CertificateMap {
    if !verifies {
        unverified(field);
    }
    let items = field.list();
    if items.is_empty() {
        field.fail("name one certificate at least, or leave `certificates` out");
    }
    let mut map = CertificateMap::new();
    for item in items {
        let Some(mut section) = item.section() else {
            continue;
        };
        let key = section.need("key");
        let said = said(&mut section);
        section.finish(&[]);
        let (Some(key), Some((field, what, pattern))) = (key, said) else {
            continue;
        };
        let Some(name) = key.text() else { continue };
        if name.is_empty() {
            key.fail("name a key, best by its `key_id`: an alias is free for others once its key is revoked");
            continue;
        }
        match map.clone().rule(what, &pattern, &name) {
            Ok(more) => map = more,
            Err(error) => field.fail(error.to_string()),
        }
    }
    map
}

/// The one thing of a certificate that a rule looks at.
fn said<'a>(section: &mut Section<'a>) -> Option<(Field<'a>, CertificateField, String)> {
    let mut said = FIELDS
        .into_iter()
        .filter_map(|(name, what)| section.take(name).map(|field| (field, what)))
        .collect::<Vec<_>>();
    let first = (!said.is_empty()).then(|| said.swap_remove(0));
    match first {
        Some((field, what)) if said.is_empty() => {
            let text = field.text()?;
            Some((field, what, text))
        }
        Some((field, _)) => {
            field.fail("one of subject, common_name, dns, uri, email and fingerprint belongs in a rule: write two rules for two");
            None
        }
        None => {
            section.fail("what the certificate has to say is missing: one of subject, common_name, dns, uri, email, fingerprint");
            None
        }
    }
}

fn peers(field: &Field<'_>, verifies: bool) -> Option<TrustedPeers> {
    let mut section = field.section()?;
    let mut peers = TrustedPeers::new();
    if let Some(field) = section.take("addresses") {
        let mut addresses = Vec::new();
        for (field, range) in ranges(&field) {
            if range.prefix_len() == 0 {
                field.fail("everybody is in this range, and could be anybody: name single hosts");
            }
            addresses.push(range);
        }
        peers = peers.addresses(addresses);
    }
    if let Some(field) = section.take("certificates") {
        if !verifies {
            unverified(&field);
        }
        for item in field.list() {
            let Some(mut section) = item.section() else {
                continue;
            };
            let said = said(&mut section);
            section.finish(&[]);
            let Some((field, what, pattern)) = said else {
                continue;
            };
            match peers.clone().certificate(what, &pattern) {
                Ok(more) => peers = more,
                Err(error) => field.fail(error.to_string()),
            }
        }
    }
    section.finish(&[]);
    if peers == TrustedPeers::new() {
        field.fail("name `addresses` or `certificates` of peers, or leave `trusted_peers` out");
    }
    Some(peers)
}
