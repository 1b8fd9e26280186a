//! Client certificates and the word of trusted peers, over real handshakes.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bartizan_testkit::{MockProvider, Script};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose,
    RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use crate::http::{Answer, ask, read_answer, request};
use crate::process::{Gateway, MASTER, Start, chat, config};

const SPIFFE: &str = "spiffe://example.org/ns/payments/sa/api";

/// Who issues certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: CertificateDer<'static>,
}

/// A certificate with its key, as one shows it.
type Shown = (CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            der: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        }
    }

    fn issue(&self, uri: &str, purpose: ExtendedKeyUsagePurpose) -> (String, String, Shown) {
        self.numbered(1, uri, purpose)
    }

    fn numbered(
        &self,
        serial: u64,
        uri: &str,
        purpose: ExtendedKeyUsagePurpose,
    ) -> (String, String, Shown) {
        let mut params = CertificateParams::new(vec!["gateway.test".to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(SanType::URI(uri.try_into().unwrap()));
        params.extended_key_usages = vec![purpose];
        params.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let shown = (
            certificate.der().clone(),
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
        (certificate.pem(), key.serialize_pem(), shown)
    }

    /// The list of those that were revoked, by their numbers, good until the end of that year.
    fn revoke(&self, serials: &[u64], until: i32) -> String {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(until, 12, 31),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    fn client(&self, uri: &str) -> Shown {
        self.issue(uri, ExtendedKeyUsagePurpose::ClientAuth).2
    }
}

/// A gateway that speaks TLS and asks callers for certificates.
struct Mutual {
    gateway: Gateway,
    own: Authority,
    clients: Authority,
    files: TempDir,
    _mock: MockProvider,
}

fn put(files: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = files.path().join(name);
    let new = files.path().join("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, &path).unwrap();
    path
}

/// Starts one. Keys that `identity` names by alias are minted by whoever tests.
async fn start(auth: &str, identity: &str) -> Mutual {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let (own, clients) = (Authority::new("own"), Authority::new("clients"));
    let files = tempfile::tempdir().unwrap();
    let (cert, key, _) = own.issue("spiffe://x/y", ExtendedKeyUsagePurpose::ServerAuth);
    put(&files, "cert.pem", &cert);
    put(&files, "key.pem", &key);
    put(&files, "ca.pem", &clients.pem);
    put(&files, "crl.pem", &clients.revoke(&[7], 4000));
    let at = files.path().display();
    let tls = format!(
        "{{cert: '{at}/cert.pem', key: '{at}/key.pem', client_ca: '{at}/ca.pem', client_auth: {auth}}}"
    );
    let tls = tls.replace("AT", &at.to_string());
    let file = config(
        &mock,
        &format!("bartizan:\n  tls: {tls}\n  identity: {identity}"),
    );
    Mutual {
        gateway: Start::with(file).https().run(),
        own,
        clients,
        files,
        _mock: mock,
    }
}

impl Mutual {
    /// Asks over a connection of its own. None where the gateway ends it without an answer.
    async fn ask(
        &self,
        shown: Option<&Shown>,
        key: Option<&str>,
        path: &str,
        body: &str,
    ) -> Option<Answer> {
        let mut roots = RootCertStore::empty();
        roots.add(self.own.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let client = match shown {
            Some((certificate, key)) => builder
                .with_client_auth_cert(vec![certificate.clone()], key.clone_key())
                .unwrap(),
            None => builder.with_no_client_auth(),
        };
        let stream = TcpStream::connect(self.gateway.address).await.unwrap();
        let name = ServerName::try_from("gateway.test").unwrap();
        let mut stream = TlsConnector::from(Arc::new(client))
            .connect(name, stream)
            .await
            .ok()?;
        let authorization = key.map(|key| format!("Bearer {key}"));
        let headers: Vec<_> = authorization
            .iter()
            .map(|value| ("authorization", value.as_str()))
            .collect();
        let method = if body.is_empty() { "GET" } else { "POST" };
        let text = request(method, path, &headers, body, "close");
        stream.write_all(text.as_bytes()).await.ok()?;
        read_answer(&mut stream).await
    }

    async fn call(&self, shown: Option<&Shown>, key: Option<&str>) -> Option<(u16, String)> {
        let answer = self
            .ask(shown, key, "/v1/chat/completions", &chat("gpt", "x", ""))
            .await?;
        let code = if answer.status == 200 {
            String::new()
        } else {
            answer.code()
        };
        Some((answer.status, code))
    }

    async fn manage(&self, shown: Option<&Shown>, path: &str, body: &str) -> serde_json::Value {
        let answer = self.ask(shown, Some(MASTER), path, body).await.unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }
}

fn is(code: &str, status: u16) -> Option<(u16, String)> {
    Some((status, code.to_owned()))
}

#[tokio::test]
async fn a_certificate_is_the_key_that_its_rule_names() {
    let all = start(
        "optional",
        "{certificates: [{uri: 'spiffe://example.org/ns/payments/*', key: payments}, {uri: 'spiffe://example.org/admin', key: admin}]}",
    )
    .await;
    let made = all
        .manage(
            None,
            "/key/generate",
            r#"{"key_alias":"payments","models":["gpt"]}"#,
        )
        .await;
    let key = made["key"].as_str().unwrap().to_owned();
    let admin = r#"{"key_alias":"admin","user_role":"proxy_admin"}"#;
    all.manage(None, "/key/generate", admin).await;
    let other = all.manage(None, "/key/generate", "{}").await["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let payments = all.clients.client(SPIFFE);
    assert_eq!(all.call(Some(&payments), None).await, is("", 200));
    let shown = all
        .ask(Some(&payments), None, "/key/info", "")
        .await
        .unwrap()
        .json();
    assert_eq!(shown["key"], made["key_id"]);
    let claude = chat("claude", "x", "");
    let refused = all
        .ask(Some(&payments), None, "/v1/chat/completions", &claude)
        .await
        .unwrap();
    assert_eq!(refused.code(), "model_not_allowed");
    // Both at once are the same caller, or nobody.
    assert_eq!(all.call(Some(&payments), Some(&key)).await, is("", 200));
    assert_eq!(
        all.call(Some(&payments), Some(&other)).await,
        is("ambiguous_identity", 401)
    );
    assert_eq!(
        all.call(Some(&payments), Some(MASTER)).await,
        is("ambiguous_identity", 401)
    );
    // One that no rule fits is nobody's, and so is none.
    let stranger = all.clients.client("spiffe://example.org/ns/payments");
    assert_eq!(
        all.call(Some(&stranger), None).await,
        is("invalid_api_key", 401)
    );
    assert_eq!(all.call(Some(&stranger), Some(&other)).await, is("", 200));
    assert_eq!(all.call(None, None).await, is("invalid_api_key", 401));
    assert_eq!(all.call(None, Some(&other)).await, is("", 200));
    // For management as for models.
    let admin = all.clients.client("spiffe://example.org/admin");
    let minted = all
        .ask(Some(&admin), None, "/key/generate", "{}")
        .await
        .unwrap();
    assert_eq!(minted.status, 200, "{minted:?}");
    let refused = all
        .ask(Some(&payments), None, "/key/block", r#"{"key":"payments"}"#)
        .await
        .unwrap();
    assert_eq!(refused.status, 403, "{refused:?}");
    // What happens to the key happens to it.
    let block = format!(r#"{{"key_id":{}}}"#, made["key_id"]);
    all.manage(None, "/key/block", &block).await;
    assert_eq!(
        all.call(Some(&payments), None).await,
        is("blocked_key", 403)
    );
}

#[tokio::test]
async fn where_a_certificate_is_required_nobody_speaks_without_a_sound_one() {
    let all = start(
        "required",
        "{certificates: [{uri: 'spiffe://example.org/*', key: k}]}",
    )
    .await;
    let good = all.clients.client(SPIFFE);
    let by = all.clients.client("spiffe://example.net/operator");
    all.manage(Some(&by), "/key/generate", r#"{"key_alias":"k"}"#)
        .await;
    assert_eq!(all.call(Some(&good), None).await, is("", 200));
    assert_eq!(all.call(None, Some(MASTER)).await, None);
    let forged = Authority::new("clients").client(SPIFFE);
    assert_eq!(all.call(Some(&forged), None).await, None);
    // One that was made for servers is none for callers.
    let server = all
        .clients
        .issue(SPIFFE, ExtendedKeyUsagePurpose::ServerAuth)
        .2;
    assert_eq!(all.call(Some(&server), None).await, None);
}

#[tokio::test]
async fn a_certificate_that_was_revoked_is_none_and_so_is_one_that_no_list_tells_of() {
    let all = start(
        "optional, client_crl: 'AT/crl.pem'",
        "{certificates: [{uri: 'spiffe://example.org/*', key: k}]}",
    )
    .await;
    all.manage(None, "/key/generate", r#"{"key_alias":"k"}"#)
        .await;
    let numbered = |serial| {
        let purpose = ExtendedKeyUsagePurpose::ClientAuth;
        all.clients.numbered(serial, SPIFFE, purpose).2
    };
    let (good, revoked) = (numbered(8), numbered(7));
    assert_eq!(all.call(Some(&good), None).await, is("", 200));
    assert_eq!(all.call(Some(&revoked), None).await, None);
    let until = async |shown: &Shown, expected: Option<(u16, String)>| {
        let began = Instant::now();
        while all.call(Some(shown), None).await != expected {
            assert!(began.elapsed() < Duration::from_secs(20), "{expected:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    // Lists are read again as certificates are.
    put(&all.files, "crl.pem", &all.clients.revoke(&[7, 8], 4000));
    until(&good, None).await;
    put(&all.files, "crl.pem", &all.clients.revoke(&[], 4000));
    until(&revoked, is("", 200)).await;
    // Of another authority, and one whose time is over.
    put(
        &all.files,
        "crl.pem",
        &Authority::new("another").revoke(&[], 4000),
    );
    until(&good, None).await;
    put(&all.files, "crl.pem", &all.clients.revoke(&[], 4000));
    until(&good, is("", 200)).await;
    put(&all.files, "crl.pem", &all.clients.revoke(&[], 2021));
    until(&good, None).await;
    assert_eq!(all.call(None, None).await, is("invalid_api_key", 401));
}

#[tokio::test]
async fn a_key_that_is_bound_to_certificates_is_nothing_without_one() {
    let all = start("optional", "{certificate_bound: true, certificates: [{uri: 'spiffe://example.org/ns/payments/*', key: payments}]}").await;
    let mint = async |fields: &str| {
        let made = all.manage(None, "/key/generate", fields).await;
        made["key"].as_str().unwrap().to_owned()
    };
    let (bound, free) = (mint(r#"{"key_alias":"payments"}"#).await, mint("{}").await);
    let (payments, stranger) = (
        all.clients.client(SPIFFE),
        all.clients.client("spiffe://example.org/other"),
    );
    assert_eq!(all.call(Some(&payments), Some(&bound)).await, is("", 200));
    assert_eq!(
        all.call(None, Some(&bound)).await,
        is("certificate_required", 403)
    );
    assert_eq!(
        all.call(Some(&stranger), Some(&bound)).await,
        is("certificate_required", 403)
    );
    assert_eq!(
        all.call(Some(&payments), None).await,
        is("invalid_api_key", 401)
    );
    assert_eq!(all.call(None, Some(&free)).await, is("", 200));
}

/// Both of the gateway's own certificate and of the authorities of callers.
#[tokio::test]
async fn files_that_change_are_read_again_and_broken_ones_change_nothing() {
    let mut all = start(
        "optional",
        "{certificates: [{uri: 'spiffe://example.org/*', key: k}]}",
    )
    .await;
    all.manage(None, "/key/generate", r#"{"key_alias":"k"}"#)
        .await;
    let before = all.clients.client(SPIFFE);
    assert_eq!(all.call(Some(&before), None).await, is("", 200));
    let until = async |all: &Mutual, what: &str, shown: &Shown| {
        let began = Instant::now();
        while all.call(Some(shown), None).await != is("", 200) {
            assert!(began.elapsed() < Duration::from_secs(20), "{what}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    // A certificate without its key, as one sees it while both are being replaced.
    let next = Authority::new("own 2");
    let (cert, key, _) = next.issue("spiffe://x/y", ExtendedKeyUsagePurpose::ServerAuth);
    put(&all.files, "cert.pem", &cert);
    let began = Instant::now();
    while !all.gateway.stderr().contains("the one of before goes on") {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{}",
            all.gateway.stderr()
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(all.call(Some(&before), None).await, is("", 200));
    put(&all.files, "key.pem", &key);
    all.own = next;
    until(&all, "the new certificate", &before).await;
    // Another authority in the place of the one of before.
    let next = Authority::new("clients 2");
    let after = next.client(SPIFFE);
    assert_eq!(all.call(Some(&after), None).await, None);
    put(&all.files, "ca.pem", &next.pem);
    until(&all, "the new authority", &after).await;
    assert_eq!(all.call(Some(&before), None).await, None);
}

#[tokio::test]
async fn a_peer_is_believed_from_its_address_and_its_certificate_and_from_nowhere_else() {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let own = "bartizan: {identity: {trusted_peers: {addresses: [127.0.0.1]}}}";
    let file = config(&mock, own).replace(
        &format!("{{master_key: {MASTER}}}"),
        &format!(
            "{{master_key: {MASTER}, use_x_forwarded_for: true, trusted_proxy_ranges: [127.0.0.2]}}"
        ),
    );
    let gateway = Start::with(file).run();
    let made = gateway
        .ask_as(MASTER, "POST", "/key/generate", r#"{"models":["gpt"]}"#)
        .await
        .json();
    let key_id = made["key_id"].as_str().unwrap();
    let call = async |from: &str, headers: &[(&str, &str)], model: &str| {
        let socket = TcpSocket::new_v4().unwrap();
        socket
            .bind(format!("{from}:0").parse::<SocketAddr>().unwrap())
            .unwrap();
        let mut stream = socket.connect(gateway.address).await.unwrap();
        let text = request(
            "POST",
            "/v1/chat/completions",
            headers,
            &chat(model, "x", ""),
            "close",
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        read_answer(&mut stream).await.unwrap().status
    };
    let (key, user) = (
        [("x-bartizan-key-id", key_id)],
        [("x-bartizan-user-id", "robin")],
    );
    assert_eq!(call("127.0.0.1", &key, "gpt").await, 200);
    assert_eq!(call("127.0.0.1", &key, "other").await, 403);
    assert_eq!(call("127.0.0.1", &user, "other").await, 200);
    for from in ["127.0.0.2", "127.0.0.3"] {
        assert_eq!(call(from, &user, "gpt").await, 401, "{from}");
        // What a proxy says of addresses makes nobody a peer.
        let headers = [user[0], ("x-forwarded-for", "127.0.0.1")];
        assert_eq!(call(from, &headers, "gpt").await, 401, "{from}");
    }
    // Nor does it manage what a member may not.
    let refused = ask(gateway.address, "POST", "/team/new", &user, "{}").await;
    assert_eq!(refused.status, 403, "{refused:?}");

    let all = start(
        "optional",
        "{trusted_peers: {certificates: [{uri: 'spiffe://example.org/edge'}]}}",
    )
    .await;
    let edge = all.clients.client("spiffe://example.org/edge");
    assert_eq!(
        all.call(Some(&edge), None).await,
        is("invalid_api_key", 401)
    );
}
