//! An issuer of tokens with keys of its own, which fails as told and counts what it is asked.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::jwt::{Algorithm, Fetch, FetchError, Fetched, Issuer, Jwt, JwtBuilder};
use bartizan_core::ManualClock;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{StatusCode, Uri};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const AUDIENCE: &str = "gateway";
pub(crate) const NOW: u64 = 1_700_000_000;
pub(crate) const RSA: &[u8] = include_bytes!("../data/issuer-rsa.pk8");

pub(crate) fn clock() -> ManualClock {
    ManualClock::at(Duration::from_secs(NOW))
}

pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A private key with a name.
pub(crate) struct Signer {
    pub(crate) kid: String,
    pub(crate) algorithm: Algorithm,
    key: Private,
}

enum Private {
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl Signer {
    pub(crate) fn new(kid: &str, algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let ec = |algorithm| {
            let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            Private::Ec(EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap())
        };
        let key = match algorithm {
            Algorithm::Es256 => ec(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            Algorithm::Es384 => ec(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            Algorithm::EdDsa => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                Private::Ed(Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap())
            }
            _ => Private::Rsa(RsaKeyPair::from_pkcs8(RSA).unwrap()),
        };
        Self {
            kid: kid.to_owned(),
            algorithm,
            key,
        }
    }

    /// The public key, as it is published, without `alg`.
    pub(crate) fn jwk(&self) -> Value {
        match &self.key {
            Private::Ec(pair) => {
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if x.len() == 32 { "P-256" } else { "P-384" };
                json!({"kty": "EC", "crv": curve, "kid": self.kid, "use": "sig", "x": b64(x), "y": b64(y)})
            }
            Private::Ed(pair) => {
                json!({"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "use": "sig", "x": b64(pair.public_key())})
            }
            Private::Rsa(pair) => {
                let PublicKeyComponents { n, e } =
                    PublicKeyComponents::<Vec<u8>>::from(pair.public());
                json!({"kty": "RSA", "kid": self.kid, "use": "sig", "n": b64(n), "e": b64(e)})
            }
        }
    }

    pub(crate) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Private::Ec(pair) => pair.sign(&random, message).unwrap().as_ref().to_vec(),
            Private::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Private::Rsa(pair) => {
                let encoding: &dyn signature::RsaEncoding = match algorithm {
                    Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
                    Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut made = vec![0; pair.public().modulus_len()];
                pair.sign(encoding, &random, message, &mut made).unwrap();
                made
            }
        }
    }

    pub(crate) fn header(&self) -> Value {
        json!({"alg": self.algorithm.as_str(), "typ": "JWT", "kid": self.kid})
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_of(&self.header().to_string(), &claims.to_string())
    }

    /// A token of just these texts, signed as the key's algorithm does.
    pub(crate) fn token_of(&self, header: &str, claims: &str) -> String {
        let message = format!("{}.{}", b64(header), b64(claims));
        let made = self.sign(self.algorithm, message.as_bytes());
        format!("{message}.{}", b64(made))
    }
}

/// Claims that are let in.
pub(crate) fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1", "iat": NOW, "exp": NOW + 600})
}

pub(crate) fn with(changes: Value) -> Value {
    let mut all = claims();
    for (name, value) in changes.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

/// How the issuer answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Away,
    Hanging,
    Panicking,
    Says(u16, String),
}

#[derive(Clone)]
pub(crate) struct Idp(Arc<Inside>);

struct Inside {
    document: Mutex<String>,
    set: Mutex<String>,
    mood: Mutex<Mood>,
    asked: AtomicU64,
    urls: Mutex<Vec<String>>,
}

impl Idp {
    pub(crate) fn new(keys: &[Value]) -> Self {
        Self(Arc::new(Inside {
            document: Mutex::default(),
            set: Mutex::new(json!({ "keys": keys }).to_string()),
            mood: Mutex::new(Mood::Well),
            asked: AtomicU64::new(0),
            urls: Mutex::default(),
        }))
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        *self.0.set.lock().unwrap() = json!({ "keys": keys }).to_string();
    }

    /// What it says of itself for discovery.
    pub(crate) fn documents(&self, document: &str) {
        *self.0.document.lock().unwrap() = document.to_owned();
    }

    pub(crate) fn is(&self, mood: Mood) {
        *self.0.mood.lock().unwrap() = mood;
    }

    /// How often the keys were asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.0.asked.load(Ordering::SeqCst)
    }

    pub(crate) fn urls(&self) -> Vec<String> {
        self.0.urls.lock().unwrap().clone()
    }

    /// One that knows this issuer's keys by their address.
    pub(crate) fn jwt(&self, algorithms: &[Algorithm], clock: &ManualClock) -> Jwt {
        self.with(issuer(algorithms), clock).build().unwrap()
    }

    pub(crate) fn with(&self, issuer: Issuer, clock: &ManualClock) -> JwtBuilder {
        Jwt::builder(self.clone())
            .issuer(issuer)
            .clock(clock.clone())
    }
}

pub(crate) fn issuer(algorithms: &[Algorithm]) -> Issuer {
    Issuer::new(ISSUER, [AUDIENCE])
        .unwrap()
        .algorithms(algorithms.iter().copied())
        .jwks_uri("https://idp.example/keys")
        .unwrap()
}

impl Fetch for Idp {
    async fn get(&self, url: &Uri, most: usize) -> Result<Fetched, FetchError> {
        assert!(most <= 256 * 1024);
        self.0.urls.lock().unwrap().push(url.to_string());
        self.0.asked.fetch_add(1, Ordering::SeqCst);
        // Whoever is to wait for the same answer gets here meanwhile.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mood = self.0.mood.lock().unwrap().clone();
        let ok = |body: String| Ok(Fetched::new(StatusCode::OK, body.into_bytes()));
        match mood {
            Mood::Away => Err(FetchError::new("connection refused")),
            Mood::Hanging => std::future::pending().await,
            Mood::Panicking => panic!("the client panicked"),
            Mood::Says(status, body) => Ok(Fetched::new(
                StatusCode::from_u16(status).unwrap(),
                body.into_bytes(),
            )),
            Mood::Well if url.path().ends_with("/.well-known/openid-configuration") => {
                ok(self.0.document.lock().unwrap().clone())
            }
            Mood::Well => ok(self.0.set.lock().unwrap().clone()),
        }
    }
}
