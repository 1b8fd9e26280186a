use bartizan::auth::{CertificateField, CertificateMap, TrustedPeers};

use super::*;

const TLS: &str = "  tls: {cert: c.pem, key: k.pem, client_ca: ca.pem}\n";

fn identity(tls: &str, words: &str) -> Result<Settings, Vec<String>> {
    read(&with_model(&format!(
        "bartizan:\n{tls}  identity:\n{words}"
    )))
}

#[test]
fn certificates_and_peers_are_read_in_their_order() {
    let settings = identity(
        TLS,
        "    certificates:\n    - {uri: 'spiffe://example.org/ns/a/*', key: key_4zVbN1pQx8sKdT2yWc7mRf}\n    - {dns: search.example.org, key: search}\n    certificate_bound: true\n    trusted_peers: {addresses: [10.20.0.7], certificates: [{common_name: edge}]}",
    )
    .unwrap();
    let tls = settings.server.tls.unwrap();
    assert_eq!(
        tls.clients,
        Some(ClientTls {
            ca: "ca.pem".into(),
            crl: None,
            required: true
        })
    );
    let map = CertificateMap::new()
        .rule(
            CertificateField::Uri,
            "spiffe://example.org/ns/a/*",
            "key_4zVbN1pQx8sKdT2yWc7mRf",
        )
        .and_then(|map| map.rule(CertificateField::DnsName, "search.example.org", "search"));
    assert_eq!(
        settings.identity.certificates,
        Some(map.unwrap().certificate_bound())
    );
    let peers = TrustedPeers::new().addresses(["10.20.0.7/32".parse().unwrap()]);
    let peers = peers
        .certificate(CertificateField::CommonName, "edge")
        .unwrap();
    assert_eq!(settings.identity.peers, Some(peers));

    let nobody = read(&with_model("")).unwrap();
    assert_eq!(nobody.identity, IdentitySettings::default());
    let optional = "bartizan: {tls: {cert: c, key: k, client_ca: ca, client_auth: optional}}";
    let tls = read(&with_model(optional)).unwrap().server.tls.unwrap();
    assert!(!tls.clients.unwrap().required);
}

#[test]
fn what_would_be_nobody_or_anybody_is_an_error_with_its_mend() {
    let without = "  tls: {cert: c.pem, key: k.pem}\n";
    for (tls, words, says) in [
        (
            "",
            "    certificates: [{dns: a.example, key: k}]",
            "line 4: bartizan.identity.certificates: nobody verifies certificates: set `bartizan.tls.client_ca`",
        ),
        (
            without,
            "    certificates: [{dns: a.example, key: k}]",
            "nobody verifies",
        ),
        (
            without,
            "    trusted_peers: {certificates: [{dns: a.example}]}",
            "bartizan.identity.trusted_peers.certificates: nobody verifies",
        ),
        (TLS, "    certificates: []", "name one certificate at least"),
        (
            TLS,
            "    certificates: [{dns: a.example}]",
            "bartizan.identity.certificates[0]: `key` is missing",
        ),
        (
            TLS,
            "    certificates: [{dns: a.example, key: ''}]",
            "best by its `key_id`",
        ),
        (
            TLS,
            "    certificates: [{key: k}]",
            "what the certificate has to say is missing",
        ),
        (
            TLS,
            "    certificates: [{dns: a, uri: 'spiffe://a/b', key: k}]",
            "write two rules for two",
        ),
        (
            TLS,
            "    certificates: [{uri: 'spiffe://example.org*', key: k}]",
            "bartizan.identity.certificates[0].uri: a rule for certificates is not valid: write `*` nowhere but",
        ),
        (
            TLS,
            "    certificates: [{fingerprint: abc, key: k}]",
            "write 64 hexadecimal digits",
        ),
        (
            TLS,
            "    certificates: [{dsn: a.example, key: k}]",
            "did you mean `dns`?",
        ),
        (
            TLS,
            "    certificate_bound: true",
            "line 5: bartizan.identity.certificate_bound: no key is bound",
        ),
        (
            "",
            "    trusted_peers: {}",
            "bartizan.identity.trusted_peers: name `addresses` or `certificates`",
        ),
        (
            "",
            "    trusted_peers: {addresses: [0.0.0.0/0]}",
            "bartizan.identity.trusted_peers.addresses[0]: everybody is in this range",
        ),
        (
            "",
            "    trusted_peers: {address: [10.0.0.1]}",
            "did you mean `addresses`?",
        ),
        ("", "    trusted_peer: {}", "did you mean `trusted_peers`?"),
        (
            "  tls: {cert: c, key: k, client_crl: crl.pem}\n",
            "    trusted_peers: {addresses: [10.0.0.1]}",
            "bartizan.tls.client_crl: by whom?",
        ),
        (
            "  tls: {cert: c, key: k, client_auth: required}\n",
            "    trusted_peers: {addresses: [10.0.0.1]}",
            "bartizan.tls.client_auth: by whom?",
        ),
        (
            "  tls: {cert: c, key: k, client_ca: x, client_auth: require}\n",
            "    trusted_peers: {addresses: [10.0.0.1]}",
            "did you mean `required`?",
        ),
    ] {
        let problems = identity(tls, words).err().unwrap_or_default().join("\n");
        assert!(problems.contains(says), "{words}: {problems}");
    }
}
