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
