//! A key's text changes, by hand, by a schedule or with the pepper; the key stays.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a helper of a test may fail as a test does"
)]

mod support;

use std::sync::Mutex;
use std::time::Duration;

use bartizan_auth::{
    Deliver, Denied, Error, KeyChange, KeyRecord, KeyRequest, KeyStore, Keys, MemoryStore,
    MintedKey, Pepper,
};
use bartizan_core::{BoxError, ManualClock, Models, Principal};
use secrecy::{ExposeSecret, SecretString};
use support::{Fault, FaultyStore, admin, clock, keys, pepper};

async fn mint(keys: &Keys, by: &Principal, edit: impl FnOnce(&mut KeyRequest)) -> MintedKey {
    let mut request = KeyRequest::default();
    edit(&mut request);
    keys.generate(by, request).await.unwrap()
}

#[tokio::test]
async fn both_texts_work_until_the_grace_is_over() {
    let clock = clock();
    let keys = keys(MemoryStore::new(), &clock);
    let first = mint(&keys, &admin(), |request| {
        request.team_id = Some("search".into())
    })
    .await;
    let key_id = first.record.key_id.as_str();
    keys.verify(first.key.expose_secret()).await.unwrap();
    let grace = "1h".parse().ok();
    let second = keys.regenerate(&admin(), key_id, grace).await.unwrap();
    assert_eq!(second.record.key_id, first.record.key_id);
    assert_eq!(second.record.team_id.as_deref(), Some("search"));
    assert_ne!(second.key.expose_secret(), first.key.expose_secret());
    clock.advance(Duration::from_millis(3_599_999));
    for text in [&first.key, &second.key] {
        let principal = keys.verify(text.expose_secret()).await.unwrap();
        assert_eq!(principal.key_id(), key_id);
    }
    clock.advance(Duration::from_millis(1));
    // Cached or not.
    let over = keys.verify(first.key.expose_secret()).await;
    assert!(matches!(over, Err(Denied::Unknown)), "{over:?}");
    keys.verify(second.key.expose_secret()).await.unwrap();

    // Without a grace the text of before opens nothing from that moment on.
    let third = keys.regenerate(&admin(), key_id, None).await.unwrap();
    assert!(keys.verify(second.key.expose_secret()).await.is_err());
    keys.verify(third.key.expose_secret()).await.unwrap();
    // What is blocked or revoked is so under any text.
    keys.set_blocked(&admin(), key_id, true).await.unwrap();
    let fourth = keys.regenerate(&admin(), key_id, grace).await.unwrap();
    for text in [&third.key, &fourth.key] {
        assert!(matches!(
            keys.verify(text.expose_secret()).await,
            Err(Denied::Blocked)
        ));
    }
    keys.revoke(&admin(), key_id).await.unwrap();
    for text in [&third.key, &fourth.key] {
        assert!(matches!(
            keys.verify(text.expose_secret()).await,
            Err(Denied::Revoked)
        ));
    }
    let done = keys.regenerate(&admin(), key_id, grace).await;
    assert!(matches!(done, Err(Error::Forbidden(_))), "{done:?}");
}

#[tokio::test]
async fn a_schedule_that_nobody_keeps_is_refused_with_the_mend() {
    let builder = Keys::builder(MemoryStore::new(), pepper());
    let keys = builder.without_rotation("rotate it yourself").build();
    let interval = "30d".parse().ok();
    let refused = |error: Error| matches!(error, Error::Invalid { field: "rotation_interval", mend } if mend == "rotate it yourself");
    let mut request = KeyRequest::default();
    request.rotation_interval = interval;
    assert!(refused(keys.generate(&admin(), request).await.unwrap_err()));
    let minted = mint(&keys, &admin(), |_| {}).await;
    let key_id = minted.record.key_id.as_str();
    let mut change = KeyChange::default();
    change.rotation_interval = Some(interval);
    assert!(refused(
        keys.update(&admin(), key_id, change, None)
            .await
            .unwrap_err()
    ));
    // To take one away is no wish for one.
    let mut change = KeyChange::default();
    change.rotation_interval = Some(None);
    keys.update(&admin(), key_id, change, None).await.unwrap();
}

#[tokio::test]
async fn nobody_gets_hold_of_a_greater_key() {
    let keys = keys(MemoryStore::new(), &clock());
    let robins = |request: &mut KeyRequest| request.user_id = Some("robin".into());
    let great = mint(&keys, &admin(), robins).await;
    let by = keys.verify(great.key.expose_secret()).await.unwrap();
    let small = mint(&keys, &by, |request| {
        request.models = Some(Models::Only(vec!["gpt-4o".into()]));
        request.duration = Some("1h".parse().unwrap());
    })
    .await;
    let child = keys.verify(small.key.expose_secret()).await.unwrap();
    let (great_id, small_id) = (great.record.key_id.as_str(), small.record.key_id.as_str());
    // Each its own, and the greater one the small one.
    let text = keys.regenerate(&child, small_id, None).await.unwrap().key;
    keys.regenerate(&by, small_id, None).await.unwrap();
    assert!(keys.verify(text.expose_secret()).await.is_err());
    let taken = keys.regenerate(&child, great_id, None).await;
    assert!(matches!(taken, Err(Error::Forbidden(_))), "{taken:?}");
    keys.verify(great.key.expose_secret()).await.unwrap();
    keys.regenerate(&by, great_id, None).await.unwrap();
}

/// Keeps what it is given, unless it fails.
#[derive(Default)]
struct Vault {
    fails: bool,
    got: Mutex<Vec<(String, SecretString)>>,
}

impl Deliver for Vault {
    async fn deliver(&self, record: &KeyRecord, key: SecretString) -> Result<(), BoxError> {
        if self.fails {
            return Err("the vault is sealed".into());
        }
        self.got
            .lock()
            .unwrap()
            .push((record.key_id.to_string(), key));
        Ok(())
    }
}

async fn due(keys: &Keys, clock: &ManualClock) -> MintedKey {
    let minted = mint(keys, &admin(), |request| {
        request.rotation_interval = Some("7d".parse().unwrap())
    })
    .await;
    mint(keys, &admin(), |_| ()).await;
    assert_eq!(keys.rotate_due(&Vault::default()).await.unwrap(), 0);
    clock.advance(Duration::from_secs(7 * 86_400));
    minted
}

#[tokio::test]
async fn a_key_is_rotated_when_it_is_due_and_both_texts_work_for_a_day() {
    let clock = clock();
    let keys = keys(MemoryStore::new(), &clock);
    let minted = due(&keys, &clock).await;
    let vault = Vault::default();
    assert_eq!(keys.rotate_due(&vault).await.unwrap(), 1);
    assert_eq!(keys.rotate_due(&vault).await.unwrap(), 0, "twice");
    let (key_id, text) = vault.got.lock().unwrap().pop().unwrap();
    assert_eq!(key_id, minted.record.key_id.as_str());
    for text in [&minted.key, &text] {
        keys.verify(text.expose_secret()).await.unwrap();
    }
    clock.advance(Duration::from_secs(86_400));
    assert!(keys.verify(minted.key.expose_secret()).await.is_err());
    keys.verify(text.expose_secret()).await.unwrap();
    // The next is a week after this one, not after the day on which it was looked for.
    clock.advance(Duration::from_secs(6 * 86_400 - 1));
    assert_eq!(keys.rotate_due(&vault).await.unwrap(), 0);
    clock.advance(Duration::from_secs(1));
    assert_eq!(keys.rotate_due(&vault).await.unwrap(), 1);
    // What opens nothing is not rotated.
    keys.set_blocked(&admin(), &key_id, true).await.unwrap();
    clock.advance(Duration::from_secs(8 * 86_400));
    assert_eq!(keys.rotate_due(&vault).await.unwrap(), 0);
}

#[tokio::test]
async fn a_delivery_that_fails_leaves_the_key_alone() {
    let clock = clock();
    let keys = keys(MemoryStore::new(), &clock);
    let minted = due(&keys, &clock).await;
    let sealed = Vault {
        fails: true,
        ..Vault::default()
    };
    assert_eq!(keys.rotate_due(&sealed).await.unwrap(), 0);
    let record = keys
        .info(&admin(), minted.record.key_id.as_str())
        .await
        .unwrap();
    assert_eq!(
        (record.digest, record.previous),
        (minted.record.digest, None)
    );
    clock.advance(Duration::from_secs(2 * 86_400));
    keys.verify(minted.key.expose_secret()).await.unwrap();
    assert_eq!(keys.rotate_due(&Vault::default()).await.unwrap(), 1);
}

#[tokio::test]
async fn of_two_processes_one_rotates_a_key() {
    let (clock, store) = (clock(), MemoryStore::new());
    let (one, two) = (keys(store.clone(), &clock), keys(store, &clock));
    let minted = due(&one, &clock).await;
    let vault = Vault::default();
    let (first, second) = tokio::join!(one.rotate_due(&vault), two.rotate_due(&vault));
    assert_eq!(first.unwrap() + second.unwrap(), 1);
    let got = vault.got.lock().unwrap();
    assert_eq!(got.len(), 1, "another text was delivered");
    drop(minted);
}

fn other() -> Pepper {
    Pepper::new(&SecretString::from("0c7e5a94d2b84f61a3f8e10d5b92c647")).unwrap()
}

#[tokio::test]
async fn a_key_of_the_previous_pepper_opens_and_is_written_back_under_the_present_one() {
    let (clock, store) = (clock(), MemoryStore::new());
    let old = keys(store.clone(), &clock);
    let minted = mint(&old, &admin(), |_| ()).await;
    let key_id = minted.record.key_id.clone();
    // Under both texts that it has.
    let second = old
        .regenerate(&admin(), key_id.as_str(), "30d".parse().ok())
        .await
        .unwrap();

    let alone = Keys::builder(store.clone(), other())
        .clock(clock.clone())
        .build();
    assert!(alone.verify(second.key.expose_secret()).await.is_err());
    let both = Keys::builder(store.clone(), other())
        .previous_pepper(pepper())
        .clock(clock.clone())
        .build();
    assert_eq!(
        both.info(&admin(), second.key.expose_secret())
            .await
            .unwrap()
            .key_id,
        key_id
    );
    for text in [&second.key, &minted.key] {
        let principal = both.verify(text.expose_secret()).await.unwrap();
        assert_eq!(principal.key_id(), key_id.as_str());
        let mut tries = 0;
        while alone.verify(text.expose_secret()).await.is_err() {
            assert!(tries < 200, "it was not written back");
            tries += 1;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    let record = store.get(&[key_id]).await.unwrap().pop().unwrap();
    assert!(record.digest != second.record.digest && record.previous.is_some());
    // The pepper of before finds it no more.
    assert!(
        keys(store, &clock)
            .verify(second.key.expose_secret())
            .await
            .is_err()
    );
    // What neither knows opens nothing.
    let stranger = bartizan_auth::VirtualKey::generate().unwrap();
    assert!(matches!(
        both.verify(stranger.expose_secret()).await,
        Err(Denied::Unknown)
    ));
}

#[tokio::test]
async fn a_key_of_the_previous_pepper_opens_though_it_can_not_be_written_back() {
    let (clock, store) = (clock(), FaultyStore::new(MemoryStore::new()));
    let minted = mint(&keys(store.clone(), &clock), &admin(), |_| ()).await;
    let both = Keys::builder(store.clone(), other())
        .previous_pepper(pepper())
        .clock(clock.clone())
        .build();
    store.fail(Fault::Writes);
    both.verify(minted.key.expose_secret()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(20)).await;
    clock.advance(Duration::from_secs(31));
    both.verify(minted.key.expose_secret()).await.unwrap();
    assert_eq!(
        store
            .inner
            .get(std::slice::from_ref(&minted.record.key_id))
            .await
            .unwrap()[0],
        minted.record
    );
}
