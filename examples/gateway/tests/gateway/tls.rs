//! TLS towards callers, HTTP/1.1 and HTTP/2 over it.

use std::sync::Arc;

use bartizan_testkit::{MockProvider, Script};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::http::{read_answer, request};
use crate::process::{Gateway, MASTER, Start, chat, config};

struct Both {
    gateway: Gateway,
    connector: TlsConnector,
    without_alpn: TlsConnector,
    _mock: MockProvider,
    _files: tempfile::TempDir,
}

async fn start(protocol: &[u8]) -> Both {
    let mock = MockProvider::start(Script::echo()).await.unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["gateway.test".to_owned()]).unwrap();
    let files = tempfile::tempdir().unwrap();
    let (cert_path, key_path) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    std::fs::write(&cert_path, cert.pem()).unwrap();
    std::fs::write(&key_path, signing_key.serialize_pem()).unwrap();
    let tls = format!(
        "bartizan: {{listen: '0.0.0.0:0', admin: {{on_public_listener: true}}, tls: {{cert: '{}', key: '{}'}}}}",
        cert_path.display(),
        key_path.display()
    );
    let gateway = Start::with(config(&mock, &tls)).https().run();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let without_alpn = Arc::new(client.clone()).into();
    client.alpn_protocols = vec![protocol.to_vec()];
    Both {
        gateway,
        connector: Arc::new(client).into(),
        without_alpn,
        _mock: mock,
        _files: files,
    }
}

impl Both {
    async fn connect(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.gateway.address.port()))
            .await
            .unwrap();
        self.connector
            .connect(ServerName::try_from("gateway.test").unwrap(), stream)
            .await
            .unwrap()
    }
}

impl Both {
    /// A caller's key, had over HTTP/1.1 whatever the test speaks.
    async fn key(&self) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.gateway.address.port()))
            .await
            .unwrap();
        let mut stream = self
            .without_alpn
            .clone()
            .connect(ServerName::try_from("gateway.test").unwrap(), stream)
            .await
            .unwrap();
        let authorization = format!("Bearer {MASTER}");
        let text = request(
            "POST",
            "/key/generate",
            &[("authorization", &authorization)],
            "{}",
            "close",
        );
        stream.write_all(text.as_bytes()).await.unwrap();
        let answer = read_answer(&mut stream).await.unwrap();
        answer.json()["key"].as_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn http_1_is_served_over_tls() {
    let both = start(b"http/1.1").await;
    let authorization = format!("Bearer {}", both.key().await);
    let mut stream = both.connect().await;
    let text = request(
        "POST",
        "/v1/chat/completions",
        &[("authorization", &authorization)],
        &chat("gpt", "hello", ""),
        "close",
    );
    stream.write_all(text.as_bytes()).await.unwrap();
    let answer = read_answer(&mut stream).await.unwrap();
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "hello");
}

#[tokio::test]
async fn http_2_is_served_over_tls_and_told_when_it_ends() {
    use http_body_util::{BodyExt as _, Full};
    let mut both = start(b"h2").await;
    let authorization = format!("Bearer {}", both.key().await);
    let io = hyper_util::rt::TokioIo::new(both.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(hyper_util::rt::TokioExecutor::new(), io)
            .await
            .unwrap();
    let connection = tokio::spawn(connection);
    let request = |stream: &str| {
        ::http::Request::post("https://gateway.test/v1/chat/completions")
            .header("authorization", &authorization)
            .body(Full::new(bytes::Bytes::from(chat("gpt", "hello", stream))))
            .unwrap()
    };
    let answers = [
        sender.send_request(request("")),
        sender.send_request(request(r#","stream":true"#)),
    ];
    for answer in answers {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("hel"));
    }
    // GOAWAY ends a connection that has nothing under way.
    both.gateway.signal("TERM");
    let ended = tokio::time::timeout(std::time::Duration::from_secs(5), connection)
        .await
        .expect("the connection stays")
        .unwrap();
    assert!(ended.is_ok(), "{ended:?}");
    assert!(both.gateway.ended().await.success());
}

#[tokio::test]
async fn plain_text_gets_nothing_from_a_tls_port_and_a_silent_handshake_ends() {
    let both = start(b"http/1.1").await;
    let address = ([127, 0, 0, 1], both.gateway.address.port()).into();
    let answer = crate::http::raw(
        address,
        b"GET /health/liveliness HTTP/1.1\r\nhost: x\r\n\r\n",
    )
    .await;
    assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
}

#[test]
fn files_that_are_no_certificate_are_told_by_name() {
    let settings = |tls: &str| {
        format!(
            "model_list: [{{model_name: m, litellm_params: {{model: openai/x, api_key: k}}}}]\ngeneral_settings: {{master_key: {MASTER}}}\nbartizan: {{tls: {tls}}}\n"
        )
    };
    let (_, said) = Start::with(settings("{cert: /nowhere.pem, key: /nowhere.key}")).fails();
    assert!(
        said.contains("bartizan.tls.cert: /nowhere.pem can't be read"),
        "{said}"
    );
    let files = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["gateway.test".to_owned()]).unwrap();
    for (name, text) in [
        ("cert", cert.pem()),
        ("key", signing_key.serialize_pem()),
        ("ca", "none".to_owned()),
    ] {
        std::fs::write(files.path().join(name), text).unwrap();
    }
    let at = files.path().display();
    for (ca, says) in [
        ("ca", "holds no certificate in PEM form"),
        ("nowhere", "can't be read"),
    ] {
        let tls = format!("{{cert: '{at}/cert', key: '{at}/key', client_ca: '{at}/{ca}'}}");
        let (_, said) = Start::with(settings(&tls)).fails();
        let says = format!("bartizan.tls.client_ca: {at}/{ca} {says}");
        assert!(said.contains(&says), "{said}");
    }
    let tls = format!(
        "{{cert: '{at}/cert', key: '{at}/key', client_ca: '{at}/cert', client_crl: '{at}/ca'}}"
    );
    let (_, said) = Start::with(settings(&tls)).fails();
    assert!(
        said.contains("/ca holds no list of revoked certificates in PEM form"),
        "{said}"
    );
    let (code, said) = Start::with(settings("{cert: x}")).fails();
    assert!(
        code == 2 && said.contains("bartizan.tls: `key` is missing"),
        "{said}"
    );
}
