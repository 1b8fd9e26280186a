//! What a store promises, whichever it is.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

#[path = "stores/accounts.rs"]
mod accounts;
#[path = "stores/keys.rs"]
mod keys;
#[cfg(feature = "postgres")]
#[path = "stores/postgres.rs"]
mod postgres;
#[path = "stores/sightings.rs"]
mod sightings;
#[cfg(feature = "sqlite")]
#[path = "stores/sqlite.rs"]
mod sqlite;
mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bartizan_auth::{KeyDigest, KeyId, KeyRecord, KeyStore, MemoryStore};

/// What a store must neither trip over nor change.
const HOSTILE: [&str; 6] = [
    "Robert'); DROP TABLE keys;-- \" ` % _ ü 🗝",
    "' OR '1'='1",
    "$1 :key_id \\ \\' \\u0041 {} [] NULL",
    "e\u{301} \u{202e}evil \u{feff}",
    "null",
    "\u{10ffff} a\tb\nc \r\u{1b}",
];

/// The time of all tests.
const NOW: Duration = Duration::from_secs(1_700_000_000);

/// A digest that no other has.
fn digest() -> KeyDigest {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0x5a; 32];
    bytes[..8].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    KeyDigest::from_bytes(bytes)
}

/// Every kind of value, and numbers that are easily lost.
fn noted(text: &str) -> serde_json::Value {
    serde_json::json!({
        text: [text, null, true, 7, -7, u64::MAX, i64::MIN, 0.1, 0.123_456_789_012_345_67, 1e300, 5e-324],
        "deep": {"deeper": [{"text": text}, [], {}, ""]},
    })
}

/// A key that no other is.
fn key() -> KeyRecord {
    KeyRecord::new(KeyId::generate().unwrap(), digest(), NOW)
}

async fn behaves(store: impl KeyStore + Clone) {
    keys::behave(store.clone()).await;
    accounts::behave(store.clone()).await;
    sightings::behave(store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_memory_store_behaves() {
    behaves(MemoryStore::new()).await;
}
