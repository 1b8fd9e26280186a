//! A management API over a SQLite file and a journal, asked as a client asks.

#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of tests may fail as a test does, and not every test needs all of it"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use bartizan_admin::{AdminRouter, ChangeLog, NoChangeLog};
use bartizan_audit::{ChainKey, FileSink, Journal};
use bartizan_auth::{Keys, MasterKey, MemoryStore, Pepper, SqliteStore};
use bartizan_limit::spend::Spend;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const MASTER: &str = "Tq7vXn2LbR9sKd4WmZ8cYh3GpJ6fEu5A";
const PEPPER: &str = "hV5rNz8QwKc2TgB7yXm4LpJ9sDf3EuA6";
const CHAIN: &str = "uG8mRk3WqZt6PvN9xLb2YcJ5hSd7FeA4";

/// The API, and all that it was asked and has answered.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) router: axum::Router,
    pub(crate) keys: Keys,
    pub(crate) spend: Spend,
    folder: Arc<TempDir>,
    /// Texts of keys that were told.
    secrets: Arc<Mutex<Vec<String>>>,
    /// Answers, without those keys.
    said: Arc<Mutex<String>>,
}

fn router(keys: &Keys, spend: &Spend, log: impl ChangeLog) -> axum::Router {
    AdminRouter::new(keys.clone(), log)
        .spend(spend)
        .auth(|layer| layer.master_key(MasterKey::new(MASTER.into()).unwrap()))
        .build()
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: StatusCode,
    pub(crate) head: http::HeaderMap,
    pub(crate) text: String,
}

impl Told {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    pub(crate) fn message(&self) -> String {
        self.json()["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Api {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let journal = Journal::builder()
            .key(ChainKey::new(&CHAIN.into()).unwrap())
            .open(FileSink::new(folder.path().join("audit.jsonl")))
            .await
            .unwrap();
        Self::with_log(folder, journal)
    }

    pub(crate) fn with_log(folder: TempDir, log: impl ChangeLog) -> Self {
        let store = SqliteStore::open(folder.path().join("keys.db")).unwrap();
        let keys = Keys::new(store, Pepper::new(&PEPPER.into()).unwrap());
        let spend = Spend::in_memory();
        Self {
            router: router(&keys, &spend, log),
            keys,
            spend,
            folder: Arc::new(folder),
            secrets: Arc::default(),
            said: Arc::default(),
        }
    }

    /// One that keeps nothing, and records nothing.
    pub(crate) fn in_memory() -> Self {
        let keys = Keys::new(MemoryStore::new(), Pepper::new(&PEPPER.into()).unwrap());
        let spend = Spend::in_memory();
        Self {
            router: router(&keys, &spend, NoChangeLog),
            keys,
            spend,
            folder: Arc::new(TempDir::new().unwrap()),
            secrets: Arc::default(),
            said: Arc::default(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn audit(&self) -> PathBuf {
        self.path().join("audit.jsonl")
    }

    pub(crate) fn chain_key(&self) -> ChainKey {
        ChainKey::new(&CHAIN.into()).unwrap()
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Told {
        let response: Response<Body> = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let mut shown = text.clone();
        if let Ok(json) = serde_json::from_str::<Value>(&text)
            && head.status == StatusCode::OK
            && let Some(key) = json["key"].as_str()
            && key.starts_with("sk-")
        {
            self.secrets.lock().unwrap().push(key.to_owned());
            shown = shown.replacen(key, "", 1);
        }
        self.said.lock().unwrap().push_str(&shown);
        self.said
            .lock()
            .unwrap()
            .push_str(&format!("{:?}", head.headers));
        Told {
            status: head.status,
            head: head.headers,
            text,
        }
    }

    pub(crate) async fn ask(&self, key: &str, method: &str, path: &str, body: &str) -> Told {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {key}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &str) -> Told {
        self.ask(key, "POST", path, body).await
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Told {
        self.ask(key, "GET", path, "").await
    }

    /// Does what must succeed.
    pub(crate) async fn must(&self, key: &str, path: &str, body: &str) -> Value {
        let told = self.post(key, path, body).await;
        assert_eq!(told.status, StatusCode::OK, "{path} {body}: {}", told.text);
        told.json()
    }

    /// Mints a key with the master key, and gives its text and its name.
    pub(crate) async fn mint(&self, body: &str) -> (String, String) {
        let minted = self.must(MASTER, "/key/generate", body).await;
        let text = |name: &str| minted[name].as_str().unwrap().to_owned();
        (text("key"), text("key_id"))
    }

    /// The records of changes, oldest first.
    pub(crate) fn changes(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.audit()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .filter(|record| record["kind"] == "change")
            .collect()
    }

    /// Fails when a key that was told lies in what was answered otherwise, or in any file.
    pub(crate) fn assert_no_key_leaked(&self) {
        let secrets = self.secrets.lock().unwrap();
        assert!(
            !secrets.is_empty(),
            "no key was told: nothing is shown by this"
        );
        let said = self.said.lock().unwrap();
        for file in std::fs::read_dir(self.path()).unwrap() {
            let path = file.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            for secret in secrets
                .iter()
                .map(String::as_str)
                .chain([MASTER, PEPPER, CHAIN])
            {
                let found = bytes
                    .windows(secret.len())
                    .any(|part| part == secret.as_bytes());
                assert!(!found, "a key lies in {}", path.display());
                assert!(!said.contains(secret), "a key stands in an answer");
            }
        }
    }
}
