//! An identity provider on this machine: discovery, keys, and all that can be wrong with them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as ES256, EcdsaKeyPair, KeyPair as _};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// A key that signs tokens.
pub(crate) struct Signer {
    kid: String,
    pair: EcdsaKeyPair,
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    pub(crate) fn new(kid: &str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ES256, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ES256, pkcs8.as_ref(), &random).unwrap();
        Self {
            kid: kid.to_owned(),
            pair,
        }
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        json!({"kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "x": b64(x), "y": b64(y)})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let message = format!("{}.{}", b64(header.to_string()), b64(claims.to_string()));
        let random = SystemRandom::new();
        let signature = self.pair.sign(&random, message.as_bytes()).unwrap();
        format!("{message}.{}", b64(signature))
    }
}

/// The provider. Clones are one.
#[derive(Clone)]
pub(crate) struct Issuer {
    pub(crate) url: String,
    keys: Arc<Mutex<Vec<Value>>>,
    asked: Arc<Mutex<Vec<String>>>,
    is_down: Arc<AtomicBool>,
}

impl Issuer {
    /// Over plain HTTP.
    pub(crate) async fn start() -> Self {
        Self::serve(None).await
    }

    /// Over TLS, by a certificate that nobody else has issued.
    pub(crate) async fn start_tls() -> (Self, String) {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (Self::serve(Some(acceptor)).await, cert.pem())
    }

    async fn serve(tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let issuer = Self {
            url: format!("{scheme}://localhost:{port}"),
            keys: Arc::default(),
            asked: Arc::default(),
            is_down: Arc::default(),
        };
        let serving = issuer.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (issuer, tls) = (serving.clone(), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => issuer.answer(stream).await,
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                issuer.answer(stream).await;
                            }
                        }
                    }
                });
            }
        });
        issuer
    }

    async fn answer(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if stream.read_buf(&mut head).await.unwrap_or(0) == 0 {
                return;
            }
        }
        let head = String::from_utf8(head).unwrap();
        let path = head.split(' ').nth(1).unwrap().to_owned();
        self.asked.lock().unwrap().push(head);
        let url = &self.url;
        let set = json!({"keys": *self.keys.lock().unwrap()}).to_string();
        let (status, body) = match path.as_str() {
            _ if self.is_down.load(Ordering::Relaxed) => ("503 Service Unavailable", String::new()),
            "/.well-known/openid-configuration" => {
                let document = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
                ("200 OK", document.to_string())
            }
            "/keys" => ("200 OK", set),
            "/moved" => ("302 Found\r\nlocation: /keys", String::new()),
            "/vast" => {
                let pad = "x".repeat(4 << 20);
                ("200 OK", format!("{{\"pad\":\"{pad}\",{}", &set[1..]))
            }
            _ => ("404 Not Found", String::new()),
        };
        let length = body.len();
        let text = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        let _ = stream.write_all(text.as_bytes()).await;
        let _ = stream.shutdown().await;
    }

    pub(crate) fn publish(&self, signers: &[&Signer]) {
        *self.keys.lock().unwrap() = signers.iter().map(|signer| signer.jwk()).collect();
    }

    /// From now on it fails, or no longer.
    pub(crate) fn fails(&self, fails: bool) {
        self.is_down.store(fails, Ordering::Relaxed);
    }

    /// The heads of all requests so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// A token with these claims beside the needed ones; null takes one away.
    pub(crate) fn token(&self, signer: &Signer, more: &Value) -> String {
        let now = now();
        let mut claims = json!({"iss": self.url, "aud": "gateway", "sub": "robin", "iat": now, "exp": now + 600});
        for (name, value) in more.as_object().unwrap() {
            claims[name] = value.clone();
        }
        claims
            .as_object_mut()
            .unwrap()
            .retain(|_, value| !value.is_null());
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": signer.kid});
        signer.sign(&header, &claims)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap().as_secs()
}
