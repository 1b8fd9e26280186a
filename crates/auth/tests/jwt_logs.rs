//! What is logged of tokens. Alone in its process, since tracing remembers for all threads whom a line interests.

#![cfg(feature = "jwt")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod idp;

use std::sync::{Arc, Mutex};

use bartizan_auth::jwt::Algorithm;
use idp::{ISSUER, Idp, Signer, clock, with};
use serde_json::json;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn logs_hold_nothing_of_a_token_but_its_issuer_and_its_keys_name() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let signer = Signer::new("key-name", Algorithm::Es256);
    let stranger = Signer::new("key-name", Algorithm::Es256);
    let jwt = Idp::new(&[signer.jwk()]).jwt(&[Algorithm::Es256], &clock());
    let canary = "canary-7f3a";
    let secret = with(json!({"sub": canary, "email": canary, "groups": [canary]}));
    for claims in [
        &secret,
        &with(json!({"aud": canary})),
        &with(json!({"iss": canary})),
    ] {
        for token in [
            signer.token(claims),
            stranger.token(claims),
            format!("{}x", signer.token(claims)),
        ] {
            let _verdict = jwt.verify(&token, None).await;
            let text = log.text();
            assert!(
                !text.contains(canary) && token.split('.').all(|part| !text.contains(part)),
                "{text}"
            );
        }
    }
    let text = log.text();
    assert!(
        text.contains(ISSUER) && text.contains("key-name"),
        "nothing was logged: {text}"
    );
}
