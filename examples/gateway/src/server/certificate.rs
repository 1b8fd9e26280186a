//! What a caller's certificate says, once the handshake has verified it.

use bartizan::core::ClientCertificate;
use sha2::{Digest as _, Sha256};
use x509_cert::Certificate;
use x509_cert::der::asn1::Utf8StringRef;
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Decode as _, asn1::PrintableStringRef};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// Reads a certificate. One that can't be read says nothing, and is nobody's.
pub(super) fn read(der: &[u8]) -> Option<ClientCertificate> {
    let certificate = Certificate::from_der(der).ok()?;
    let body = certificate.tbs_certificate();
    let subject = body.subject();
    let mut said = ClientCertificate::new(subject.to_string(), Sha256::digest(der).into());
    let mut names = subject.iter().filter(|part| part.oid == COMMON_NAME);
    // Of several none is the one.
    if let (Some(name), None) = (names.next(), names.next()) {
        let text = Utf8StringRef::try_from(&name.value).map(|text| text.as_str().to_owned());
        let plain =
            || PrintableStringRef::try_from(&name.value).map(|text| text.as_str().to_owned());
        said.common_name = text.or_else(|_| plain()).ok();
    }
    let others = body.get_extension::<SubjectAltName>().ok()?;
    for name in others.map(|(_, names)| names.0).unwrap_or_default() {
        match name {
            GeneralName::DnsName(name) => said.dns_names.push(name.to_string()),
            GeneralName::UniformResourceIdentifier(uri) => said.uris.push(uri.to_string()),
            GeneralName::Rfc822Name(email) => said.emails.push(email.to_string()),
            _ => {}
        }
    }
    Some(said)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DistinguishedName, DnType, DnValue, KeyPair, SanType};

    use super::*;

    fn certificate(subject: &[(DnType, &str)], names: Vec<SanType>) -> Vec<u8> {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = DistinguishedName::new();
        for (part, text) in subject {
            let text = DnValue::Utf8String((*text).to_owned());
            params.distinguished_name.push(part.clone(), text);
        }
        params.subject_alt_names = names;
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_subject_is_written_as_rfc_4514_does_so_that_no_part_can_be_taken_for_another() {
        use DnType::{CommonName, CountryName, OrganizationName};
        for (subject, written, common) in [
            (
                &[(OrganizationName, "Example"), (CommonName, "payments")] as &[_],
                "CN=payments,O=Example",
                Some("payments"),
            ),
            (
                &[(CommonName, "payments,O=Example")],
                r"CN=payments\,O=Example",
                Some("payments,O=Example"),
            ),
            (
                &[(CommonName, " a+b=\"c\"; ")],
                r#"CN=\ a\+b=\"c\"\;\ "#,
                Some(" a+b=\"c\"; "),
            ),
            (&[(CommonName, "nul\0")], r"CN=nul\00", Some("nul\0")),
            (&[(CountryName, "IN")], "C=IN", None),
            (&[], "", None),
        ] {
            let said = read(&certificate(subject, Vec::new())).unwrap();
            assert_eq!(
                (said.subject.as_str(), said.common_name.as_deref()),
                (written, common)
            );
        }
    }

    #[test]
    fn alternative_names_are_read_each_by_its_kind() {
        let names = vec![
            SanType::URI(
                "spiffe://example.org/ns/payments/sa/api"
                    .try_into()
                    .unwrap(),
            ),
            SanType::DnsName("payments.example.org".try_into().unwrap()),
            SanType::Rfc822Name("payments@example.org".try_into().unwrap()),
            SanType::IpAddress([192, 0, 2, 7].into()),
            SanType::URI("https://example.org".try_into().unwrap()),
        ];
        let der = certificate(&[(DnType::CommonName, "x")], names);
        let said = read(&der).unwrap();
        assert_eq!(
            said.uris,
            [
                "spiffe://example.org/ns/payments/sa/api",
                "https://example.org"
            ]
        );
        assert_eq!(said.dns_names, ["payments.example.org"]);
        assert_eq!(said.emails, ["payments@example.org"]);
        assert_eq!(said.fingerprint, <[u8; 32]>::from(Sha256::digest(&der)));
    }

    #[test]
    fn what_cant_be_read_is_nobodys() {
        let whole = certificate(&[(DnType::CommonName, "x")], Vec::new());
        assert!(read(&whole).is_some());
        for cut in 0..whole.len() {
            assert!(read(&whole[..cut]).is_none(), "{cut}");
        }
        let mut longer = whole;
        longer.push(0);
        assert!(read(&longer).is_none());
    }
}
