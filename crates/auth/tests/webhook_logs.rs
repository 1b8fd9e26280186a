//! What is logged of alerts and their receiver. Alone in its process, since tracing remembers for all threads whom a line interests.

#![cfg(feature = "watch")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bartizan_auth::watch::{Post, Rule, Watch, Webhook, WebhookKey};
use bartizan_auth::{AuthLayer, MemoryStore};
use bartizan_core::{BoxError, ClientIp};
use bytes::Bytes;
use http::{HeaderMap, Response};
use secrecy::SecretString;
use support::inside::{CHAT, Inside, mint, post};
use support::{MASTER, PEPPER, clock, keys, master};

const SECRET: &str = "4f7a1c9e2d8b60358ae1f4c7d90b26e3";

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
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

/// A receiver that answers the first alert with 404, and then nothing.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Vec<(HeaderMap, Bytes)>>>);

impl Post for Receiver {
    async fn post(&self, headers: HeaderMap, body: Bytes) -> Result<Response<()>, BoxError> {
        let mut got = self.0.lock().unwrap();
        got.push((headers, body));
        if got.len() > 1 {
            return Err("connection refused".into());
        }
        Ok(Response::builder().status(404).body(()).unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn no_secret_is_in_a_payload_or_a_log_and_what_is_lost_is_logged() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let (receiver, clock) = (Receiver::default(), clock());
    let key = WebhookKey::new(&SecretString::from(SECRET)).unwrap();
    let webhook = Webhook::builder(key, receiver.clone())
        .capacity(2)
        .clock(clock.clone())
        .build();
    let keys = keys(MemoryStore::new(), &clock);
    let watch = Watch::builder(keys.clone())
        .rule(Rule::addresses(1).blocks())
        .clock(clock.clone())
        .alerts(webhook.clone())
        .build()
        .unwrap();
    let layer = AuthLayer::new(keys.clone())
        .master_key(master())
        .master_key_may_call_models()
        .watch(watch.clone());
    let inside = Inside::default();
    let mut secrets = vec![MASTER.to_owned(), PEPPER.to_owned(), SECRET.to_owned()];
    for _ in 0..2 {
        secrets.push(mint(&keys, |_| {}).await);
    }
    for key in [&secrets[0], &secrets[3], &secrets[4]] {
        for address in ["81.1.0.1", "81.1.0.2"] {
            let mut request = post(key.as_bytes(), CHAT);
            request
                .extensions_mut()
                .insert(ClientIp(address.parse().unwrap()));
            inside.send(&layer, request).await;
        }
    }
    // Three alerts, two of which find room.
    watch.flush().await;
    let dropped = log.take();
    assert_eq!(dropped.matches("one was dropped").count(), 1, "{dropped}");
    assert_eq!(webhook.flush(Duration::from_secs(120)).await, 0);
    let said = log.take();
    for what in [
        "the receiver of alerts refused one",
        "status=404",
        "an alert could not be delivered",
        "connection refused",
        "tries=4",
    ] {
        assert!(said.contains(what), "{what}: {said}");
    }
    let got = receiver.0.lock().unwrap();
    assert_eq!(got.len(), 5, "one once, one four times");
    let sent: Vec<String> = got.iter().map(|sent| format!("{sent:?}")).collect();
    for secret in &secrets {
        // Nor the parts by which it could be told.
        for part in [&secret[..], &secret[6..30]] {
            assert!(!dropped.contains(part) && !said.contains(part), "logged");
            assert!(!sent.iter().any(|sent| sent.contains(part)), "sent");
        }
    }
    assert!(sent.iter().any(|sent| sent.contains("key_")), "{sent:?}");
}
