//! How long a change may go unseen: not at all in this process, as long as the feed takes in others, thirty seconds where there is no feed.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bartizan_auth::{
    AccountId, AccountKind, AccountRequest, AuthLayer, Change, Changes, Denied, KeyRequest,
    KeyStore, Keys, MemoryStore, StoreError,
};
use bartizan_core::ManualClock;
use secrecy::ExposeSecret;
use support::inside::{CHAT, Inside, code, post};
use support::{Fault, FaultyStore, admin, clock, keys, pepper};
use tokio::sync::broadcast;

/// A feed in this process. Every message that is sent through it can be told, and it can be broken.
#[derive(Clone)]
struct Feed {
    sender: broadcast::Sender<Option<Change>>,
    followed: Arc<AtomicUsize>,
}

impl Feed {
    fn new() -> Self {
        Self {
            sender: broadcast::channel(16).0,
            followed: Arc::default(),
        }
    }

    fn breaks(&self) {
        let _ = self.sender.send(None);
    }

    async fn is_followed(&self, times: usize) {
        for _ in 0..1_000 {
            if self.followed.load(Ordering::SeqCst) >= times {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("nobody follows the feed");
    }
}

impl Changes for Feed {
    async fn announce(&self, change: &Change) -> Result<(), StoreError> {
        let _ = self.sender.send(Some(change.clone()));
        Ok(())
    }

    async fn follow<'a>(&'a self, on: &'a (dyn Fn(Change) + Send + Sync)) -> StoreError {
        let mut receiver = self.sender.subscribe();
        on(Change::Anything);
        self.followed.fetch_add(1, Ordering::SeqCst);
        while let Ok(Some(change)) = receiver.recv().await {
            on(change);
        }
        StoreError::unavailable("the feed broke")
    }
}

fn process(store: impl KeyStore, clock: &ManualClock, feed: &Feed) -> Keys {
    Keys::builder(store, pepper())
        .clock(clock.clone())
        .changes(feed.clone())
        .build()
}

/// Waits until the holder of `key` is told what is expected.
async fn until(keys: &Keys, key: &str, expected: fn(&Result<(), Denied>) -> bool) {
    for _ in 0..1_000 {
        if expected(&keys.verify(key).await.map(drop)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the change was not heard of");
}

#[tokio::test]
async fn another_process_sees_a_change_as_soon_as_it_is_told() {
    let (clock, store, feed) = (clock(), MemoryStore::new(), Feed::new());
    let (one, two) = (
        process(store.clone(), &clock, &feed),
        process(store, &clock, &feed),
    );
    let team = AccountId::new(AccountKind::Team, "search");
    let mut request = AccountRequest::of(team.clone());
    request.rights.bounds.limits.rpm = Some(5);
    one.create_account(&admin(), request).await.unwrap();
    let mut wish = KeyRequest::default();
    wish.team_id = Some("search".into());
    let minted = one.generate(&admin(), wish).await.unwrap();
    let (key, key_id) = (minted.key.expose_secret(), minted.record.key_id.as_str());
    let following = tokio::spawn({
        let two = two.clone();
        async move { two.follow().await }
    });
    feed.is_followed(1).await;
    two.verify(key).await.unwrap();

    one.set_blocked(&admin(), key_id, true).await.unwrap();
    until(&two, key, |said| matches!(said, Err(Denied::Blocked))).await;
    one.set_blocked(&admin(), key_id, false).await.unwrap();
    until(&two, key, Result::is_ok).await;
    one.set_account_blocked(&admin(), &team, true)
        .await
        .unwrap();
    until(&two, key, |said| {
        matches!(said, Err(Denied::BlockedAccount(AccountKind::Team)))
    })
    .await;
    one.set_account_blocked(&admin(), &team, false)
        .await
        .unwrap();
    until(&two, key, Result::is_ok).await;

    // While the feed is broken nothing is heard; once it is taken up again, nothing that was missed stays.
    feed.breaks();
    tokio::time::sleep(Duration::from_millis(20)).await;
    one.revoke(&admin(), key_id).await.unwrap();
    two.verify(key).await.unwrap();
    feed.is_followed(2).await;
    until(&two, key, |said| matches!(said, Err(Denied::Revoked))).await;
    following.abort();
}

#[tokio::test]
async fn without_a_feed_a_change_elsewhere_is_seen_after_thirty_seconds() {
    let (clock, store) = (clock(), MemoryStore::new());
    let (one, two) = (keys(store.clone(), &clock), keys(store, &clock));
    let minted = one.generate(&admin(), KeyRequest::default()).await.unwrap();
    let key = minted.key.expose_secret();
    two.verify(key).await.unwrap();
    one.revoke(&admin(), key).await.unwrap();
    assert!(matches!(one.verify(key).await, Err(Denied::Revoked)));
    clock.advance(Duration::from_secs(30) - Duration::from_nanos(1));
    two.verify(key).await.unwrap();
    clock.advance(Duration::from_nanos(1));
    assert!(matches!(two.verify(key).await, Err(Denied::Revoked)));
}

#[tokio::test]
async fn with_the_store_away_cached_keys_serve_for_thirty_seconds_and_then_all_get_503() {
    let (clock, store) = (clock(), FaultyStore::new(MemoryStore::new()));
    let keys = keys(store.clone(), &clock);
    let used = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .key;
    let unused = keys
        .generate(&admin(), KeyRequest::default())
        .await
        .unwrap()
        .key;
    let layer = AuthLayer::new(keys);
    let inside = Inside::default();
    let ask = async |key: &str| {
        let response = inside.send(&layer, post(key.as_bytes(), CHAT)).await;
        let status = response.status().as_u16();
        if status == 503 {
            assert_eq!(code(&response), "auth_unavailable");
            assert!(response.headers().contains_key("retry-after"));
        }
        status
    };
    assert_eq!(ask(used.expose_secret()).await, 200);
    store.fail(Fault::Error);
    assert_eq!(ask(unused.expose_secret()).await, 503);
    clock.advance(Duration::from_secs(30) - Duration::from_nanos(1));
    assert_eq!(ask(used.expose_secret()).await, 200);
    clock.advance(Duration::from_nanos(1));
    assert_eq!(ask(used.expose_secret()).await, 503);
    store.fail(Fault::None);
    assert_eq!(ask(used.expose_secret()).await, 200);
}
